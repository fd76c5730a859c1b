// latency_target.h: the highest rate at which paced keeps a latency: `--latency-target p99<50us`.
//
// The plan has a cell for each rate of a ladder, and runs of one of them. Which rates are run next
// follows from the runs so far: up or down in steps until one rate holds the target and one
// doesn't, then between the two. (It is one of the reasons why a plan grows: see stopping.h.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/plan.h"
#include "harness/results.h"

namespace ipcbench {

/// "p99<50us". Throws UsageError.
LatencyTarget parse_latency_target(const std::string& word);

/// Messages a second, a quarter more from rung to rung, and the one to begin with.
std::vector<std::int64_t> rate_ladder();
constexpr std::int64_t first_rate_per_s = 10'000;

/// So many messages a run needs, that the percentile has ten values beyond it.
std::uint64_t messages_for(const LatencyTarget& target);

/// What was found for cells that differ by the rate alone.
struct Knee {
  std::size_t cell = 0;               ///< one of them: an index into Plan::cells
  std::optional<std::int64_t> holds;  ///< the highest rate that kept the target
  std::optional<std::int64_t> fails;  ///< the lowest one above it that didn't
  std::optional<std::size_t> next;    ///< the cell to be run next; none: the search is over
};
std::vector<Knee> find_knees(const Plan& plan, const std::vector<Json>& runs);

/// The cells to be run next, once for each repeat.
std::vector<std::size_t> cells_for_target(const Plan& plan, const std::vector<Json>& runs);

/// "pipe, 64 B, cross-core: p99 < 50 µs up to 125 k/s; not at 156 k/s"
std::vector<std::string> knee_lines(const Plan& plan, const std::vector<Json>& runs);
Json knees_json(const Plan& plan, const std::vector<Json>& runs);

}  // namespace ipcbench
