// matrix.h: all scenarios, and how a transport becomes a row of the table.
//
// This is the one header of the scenarios that transports include.
#pragma once

#include <tuple>

#include "harness/row.h"
#include "harness/run.h"
#include "scenarios/contend.h"
#include "scenarios/flood.h"
#include "scenarios/handoff.h"
#include "scenarios/ping_pong.h"
#include "scenarios/verify.h"

namespace ipcbench {

/// The columns, in report order. A scenario is added here and nowhere else.
using Scenarios = std::tuple<PingPong, Flood, Handoff, Contend, Verify>;

/// The constraint of a scenario's run() is the check of what fits.
template <class Scenario, class T>
concept Fits = requires(Runner& runner) {
  Scenario::template run<T>(runner);
};

template <class Scenario, class T, class... Others>
constexpr auto cell() -> void (*)(Runner&) {
  if constexpr (Fits<Scenario, T>)
    return [](Runner& runner) { Scenario::template run<T>(runner); };
  else if constexpr (sizeof...(Others) > 0)
    return cell<Scenario, Others...>();
  else
    return nullptr;
}

/// Erases a transport. A mechanism of several families gives a type for each (a semaphore is a
/// signal and a lock): every scenario takes the first type that fits, the facts are the first's.
template <Transport T, Transport... Others>
Row row() {
  Row result{.facts = T::facts,
             .unavailable = [] { return std::string(); },
             .message_max = []() -> std::optional<std::size_t> { return std::nullopt; },
             .unfit = [](const Shape&) { return std::string(); },
             .cells = {}};
  if constexpr (requires { T::unavailable(); })
    result.unavailable = [] { return T::unavailable(); };
  if constexpr (requires { T::message_max(); })
    result.message_max = []() -> std::optional<std::size_t> { return T::message_max(); };
  if constexpr (requires(const Shape& shape) { T::unfit(shape); })
    result.unfit = [](const Shape& shape) { return T::unfit(shape); };
  [&]<class... Scenario>(std::type_identity<std::tuple<Scenario...>>) {
    (result.cells.push_back(cell<Scenario, T, Others...>()), ...);
  }(std::type_identity<Scenarios>{});
  return result;
}

}  // namespace ipcbench
