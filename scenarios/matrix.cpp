#include "scenarios/matrix.h"

#include <array>

namespace ipcbench {
namespace {

template <class... Scenario>
constexpr auto facts_of(std::type_identity<std::tuple<Scenario...>>) {
  return std::array{Scenario::facts...};
}

}  // namespace

std::span<const ScenarioFacts> all_scenarios() {
  static constexpr auto facts = facts_of(std::type_identity<Scenarios>{});
  return facts;
}

}  // namespace ipcbench
