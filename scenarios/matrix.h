// matrix.h: all scenarios, and how a transport becomes a row of the table.
//
// This is the one header of the scenarios that transports include.
#pragma once

#include <tuple>

#include "harness/row.h"
#include "harness/run.h"
#include "scenarios/burst.h"
#include "scenarios/contend.h"
#include "scenarios/erase.h"
#include "scenarios/fans.h"
#include "scenarios/flood.h"
#include "scenarios/handoff.h"
#include "scenarios/memory.h"
#include "scenarios/one_way.h"
#include "scenarios/paced.h"
#include "scenarios/pairs.h"
#include "scenarios/peer_death.h"
#include "scenarios/ping_pong.h"
#include "scenarios/set_up.h"
#include "scenarios/sparse.h"
#include "scenarios/verify.h"

namespace ipcbench {

/// The columns, in report order. A scenario is added here and nowhere else.
using Scenarios = std::tuple<PingPong, OneWayLatency, Paced, Sparse, Flood, Burst, FanIn, FanOut,
                             Pairs, Handoff, Contend, SetUp, PeerDeath, LinkMemory, Verify>;

/// The constraint of a scenario's run() is the check of what fits.
template <class Scenario, class T>
concept Fits = requires(Runner& runner) {
  Scenario::template run<T>(runner);
};

/// A scenario that is compiled once, over links with virtual verbs, says itself what fits.
template <class Scenario, class T>
concept FitsErased = Paired<T> &&
    Scenario::template fits<T>&& requires(Runner& runner, const LinkMaker& maker) {
  Scenario::run(runner, maker);
};

template <class Scenario, class T, class... Others>
constexpr auto cell() -> void (*)(Runner&) {
  if constexpr (FitsErased<Scenario, T>)
    return [](Runner& runner) { Scenario::run(runner, link_maker<T>()); };
  else if constexpr (Fits<Scenario, T>)
    return [](Runner& runner) { Scenario::template run<T>(runner); };
  else if constexpr (sizeof...(Others) > 0)
    return cell<Scenario, Others...>();
  else
    return nullptr;
}

namespace detail {

/// Asks what T answers, with the row's variant where T wants it.
template <class T>
std::string unavailable(const void* variant) {
  if constexpr (requires { T::unavailable(); })
    return T::unavailable();
  else if constexpr (requires { T::unavailable(std::declval<const typename T::Variant&>()); })
    return T::unavailable(*static_cast<const typename T::Variant*>(variant));
  else
    return "";
}
template <class T>
std::optional<std::size_t> message_max(const void* variant) {
  if constexpr (requires { T::message_max(); })
    return T::message_max();
  else if constexpr (requires { T::message_max(std::declval<const typename T::Variant&>()); })
    return T::message_max(*static_cast<const typename T::Variant*>(variant));
  else
    return std::nullopt;
}
template <class T>
std::string unfit(const Shape& shape) {
  if constexpr (requires { T::unfit(shape); })
    return T::unfit(shape);
  else
    return "";
}

template <class T, class... Others>
Row row(const Facts& facts, const void* variant) {
  Row result{.facts = facts,
             .variant = variant,
             .unavailable = [variant] { return unavailable<T>(variant); },
             .message_max = [variant] { return message_max<T>(variant); },
             .unfit = unfit<T>,
             .cells = {},
             .links = {}};
  result.kernel_peered = KernelPeered<T>;
  result.kernel_served = KernelServed<T>;
  if constexpr (Launchable<T>)
    result.launch = [](const Shape& shape,
                       const Programs& programs) -> std::shared_ptr<const void> {
      return std::make_shared<typename T::Launcher>(shape, programs);
    };
  if constexpr (requires { T::settings; }) result.settings = T::settings;
  if constexpr (Paired<T>) result.links = {link_maker<T>(), link_maker<Others>()...};
  [&]<class... Scenario>(std::type_identity<std::tuple<Scenario...>>) {
    (result.cells.push_back(cell<Scenario, T, Others...>()), ...);
  }(std::type_identity<Scenarios>{});
  return result;
}

}  // namespace detail

/// Erases a transport. A mechanism of several families gives a type for each (a semaphore is a
/// signal and a lock): every scenario takes the first type that fits, the facts are the first's.
template <Transport T, Transport... Others>
Row row() {
  return detail::row<T, Others...>(T::facts, nullptr);
}

/// One of several rows that share a type: the facts are its own, and `variant` lives for ever.
template <Transport T, Transport... Others>
Row row(const Facts& facts, const typename T::Variant& variant) {
  return detail::row<T, Others...>(facts, &variant);
}

}  // namespace ipcbench
