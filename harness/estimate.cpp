#include "harness/estimate.h"

#include <algorithm>
#include <string_view>

namespace ipcbench {
namespace {

constexpr double exec_s = 0.02;       ///< two programs are started, and find each other
constexpr double launch_s = 0.3;      ///< a launcher starts them, and they say who they are
constexpr double byte_s = 1 / 1.5e9;  ///< a large message's, written, moved and read

double seconds(std::int64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

/// Of one count of the measured loop, as far as its size decides on it.
double count_s(const PlannedCell& cell) {
  const auto index = find_scenario(cell.scenario);
  const int messages = index ? all_scenarios()[*index].messages_per_count : 1;
  return messages * static_cast<double>(cell.size.value_or(0)) * byte_s;
}

/// Scenarios whose ends warm up by rounds that double until they have lasted long enough and were
/// 100 messages, but for ten times as long at most: a quarter more than was asked for on average,
/// or 127 large messages.
double of_rounds(const Plan& plan, const PlannedCell& cell) {
  const double warmup_s = seconds(plan.warmup_ns);
  const double rounds_s = std::max(1.25 * warmup_s, std::min(127 * count_s(cell), 17 * warmup_s));
  return 0.010 + rounds_s + std::max(seconds(plan.min_time_ns), 4 * count_s(cell));
}

double of_paced(const Plan& plan, const PlannedCell& cell) {
  const double least_s = 100 / static_cast<double>(cell.load.rate_per_s);
  return 0.001 + seconds(plan.warmup_ns) + std::max(seconds(plan.min_time_ns), least_s);
}

double of_sparse(const Plan& plan, const PlannedCell& cell) {
  return 0.004 + std::max(seconds(plan.min_time_ns), 24 * seconds(cell.load.gap_ns));
}

double of_set_up(const Plan& plan, const PlannedCell&) {
  return 0.005 + std::max(seconds(plan.min_time_ns), 0.03);
}

/// Most are done within 0.1 s, some wait for a second or two until they notice.
double of_peer_death(const Plan&, const PlannedCell&) {
  return 0.15;
}

double of_memory(const Plan&, const PlannedCell&) {
  return 0.05;
}

double of_verify(const Plan&, const PlannedCell& cell) {
  return 0.035 + 100 * count_s(cell);
}

/// Scenarios that take their time in another way than by rounds.
struct Estimator {
  std::string_view scenario;
  double (*estimate_s)(const Plan&, const PlannedCell&);
};
constexpr Estimator estimators[] = {
    {"paced", of_paced},           {"sparse", of_sparse}, {"set_up", of_set_up},
    {"peer_death", of_peer_death}, {"memory", of_memory}, {"verify", of_verify},
};

}  // namespace

double estimate_s(const Plan& plan, const PlannedCell& cell) {
  const Start start = cell.manner.start;
  const double start_s = start == Start::exec ? exec_s : start == Start::launch ? launch_s : 0;
  for (const Estimator& estimator : estimators)
    if (estimator.scenario == cell.scenario) return start_s + estimator.estimate_s(plan, cell);
  return start_s + of_rounds(plan, cell);
}

}  // namespace ipcbench
