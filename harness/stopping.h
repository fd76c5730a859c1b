// stopping.h: when a plan is done, and what more is run before: a run for each suspect one, and
// with
// --precision further rounds of the cells whose interval is still too wide.
//
// What more is run follows from the plan and the runs so far alone, so that a plan that was
// interrupted goes on as it would have.
#pragma once

#include <string>
#include <vector>

#include "harness/plan.h"
#include "harness/results.h"
#include "harness/stats.h"

namespace ipcbench {

/// The name of a measure of the scenario in results files: "p99" is "round_trip_p99_ns", "" is the
/// scenario's main one. "" where it has none.
std::string metric_name(const std::string& metric, const std::string& scenario);

/// A cell whose metric isn't known as precisely as was asked for.
struct OpenCell {
  std::size_t cell = 0;  ///< index into Plan::cells
  std::string metric;    ///< as metric_name() has it
  Estimate so_far;
  int repeats_to_go = 0;  ///< about so many more would settle it
  double seconds = 0;     ///< which takes about as long
};
/// In the plan's order; none where no precision was asked for. Cells that failed, or don't have the
/// metric, are never settled and aren't among them.
std::vector<OpenCell> open_cells(const Plan& plan, const std::vector<Json>& runs);

/// What is to be run after all of the plan's order has been: to be appended to it. None where the
/// plan is done. Suspect runs get one more each, up to Stopping::retries_percent of the planned
/// ones in all; then comes a round of the open cells, as far as the budget lasts. Both are shuffled
/// by the plan's seed.
std::vector<PlannedRun> more_runs(const Plan& plan, const std::vector<Json>& runs);

/// "stopping" of a results file's context: how many runs were suspect and made again; with a
/// precision, which cells are still open and what would settle them.
Json stopping_json(const Plan& plan, const std::vector<Json>& runs);
/// The same for people, a line each.
std::vector<std::string> stopping_lines(const Plan& plan, const std::vector<Json>& runs);

}  // namespace ipcbench
