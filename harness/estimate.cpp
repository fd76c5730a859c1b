#include "harness/estimate.h"

#include <algorithm>
#include <string_view>

namespace ipcbench {
namespace {

/// What a run of a scenario costs besides its measured loop.
struct Overhead {
  std::string_view scenario;
  double fixed_s;  ///< forks, making the link and removing it, reaping
  /// Rounds of the warm-up double until they have lasted long enough, so that they take longer
  /// than was asked for.
  double warm_ups;
  double loops;  ///< measured loops, of min_time each
};

constexpr Overhead usual{"", 0.008, 1.5, 1};
/// Those that differ.
constexpr Overhead overheads[] = {
    {"verify", 0.030, 0, 0},
};

const Overhead& overhead_of(std::string_view scenario) {
  for (const Overhead& overhead : overheads)
    if (overhead.scenario == scenario) return overhead;
  return usual;
}

}  // namespace

double estimate_s(const Plan& plan, const PlannedCell& cell) {
  const Overhead& overhead = overhead_of(cell.scenario);
  const double exec_s = cell.manner.start == Start::exec ? 0.02 : 0;
  return overhead.fixed_s + exec_s + overhead.warm_ups * static_cast<double>(plan.warmup_ns) / 1e9 +
         overhead.loops * static_cast<double>(plan.min_time_ns) / 1e9;
}

}  // namespace ipcbench
