// ab.h: `ipcbench ab`: two builds of ipcbench against each other, in pairs of runs one right after
// the other, so that what the machine does meanwhile happens to both.
//
// First every cell is screened with some pairs. Those whose median ratio is beyond half the margin,
// with most pairs on that side, are suspects: they get fresh pairs, and are judged by these alone,
// since whoever is picked for looking slow looks slower than he is. Which build runs first in a
// pair is chance, by a seed that is recorded, and so is the order of the cells.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/build.h"
#include "harness/compare.h"
#include "harness/plan.h"
#include "harness/results.h"

namespace ipcbench {

struct AbOptions {
  int screening_pairs = 10;
  int fresh_pairs = 25;
  double budget_s = 280;
  bool settles = false;  ///< fresh pairs for what screening leaves open, too
  std::uint64_t seed = 0;
  CompareOptions compare{.in_pairs = true};
};

/// Fewer screening pairs than this tell nothing, fewer fresh ones decide too little.
inline constexpr int screening_pairs_min = 6;
inline constexpr int fresh_pairs_min = 12;

/// What both builds can run: the cells of NEW's plan that OLD's has, too; and the others.
struct CommonPlan {
  Plan plan;  ///< without an order
  std::vector<Uncompared> others;
};
CommonPlan common_plan(const Plan& old_plan, const Plan& new_plan);

/// Both sides' results so far, and what comes next.
class Ab {
 public:
  /// How a cell is run once on one side, as a results document of one run.
  using Run = std::function<Json(const Plan&, const PlannedCell&)>;
  Ab(Run old_run, Run new_run, CommonPlan common, const AbOptions& options);

  struct Progress {
    std::string stage;  ///< "screening", "fresh pairs"
    std::size_t done = 0;
    std::size_t total = 0;  ///< pairs of this stage
    double remaining_s = 0;
    const PlannedCell* cell = nullptr;
  };
  /// Screening and fresh pairs. Throws BuildError and Interrupted; what was measured until then is
  /// in document(). Throws UsageError where the budget is too small for the cells.
  void execute(const std::function<void(const Progress&)>& report);
  /// Goes on with what an earlier call has measured, as its document has it: the same builds, and
  /// the cells of which there are runs. Throws UsageError.
  void load(const Json& document, const std::string& path);
  /// So many fresh pairs of these cells.
  void repeat(const std::vector<std::size_t>& cells, int pairs,
              const std::function<void(const Progress&)>& report);

  /// What screening and fresh pairs would take for all cells, in seconds.
  double estimate_s() const;
  Comparison comparison() const;
  /// Both sides as results files within one document, of schema "ipcbench-ab/1".
  Json document(const Json& context, bool complete) const;
  const Plan& plan() const { return common_.plan; }

 private:
  void execute_stage(const std::string& stage, const std::vector<std::size_t>& cells, int pairs,
                     const std::function<void(const Progress&)>& report);
  void execute_pair(std::size_t cell, const std::string& stage);
  std::vector<std::size_t> suspects() const;
  Comparison judged(const CompareOptions& options) const;
  double pair_s(std::size_t cell) const;
  double spent_s() const;

  Run runs_[2];  ///< OLD's and NEW's
  CommonPlan common_;
  AbOptions options_;
  std::mt19937_64 random_;
  std::int64_t start_ns_;
  struct Record {
    Json context;
    std::vector<Json> runs;
    std::vector<PlannedRun> order;
  };
  Record records_[2];  ///< OLD's and NEW's
  struct CellState {
    int pairs = 0;     ///< in the records
    int measured = 0;  ///< of them by this object, in spent_s
    int failures = 0;
    double spent_s = 0;
  };
  std::vector<CellState> cells_;
  std::size_t run_count_ = 0;
};

/// How the two sides run a cell: each build by itself, or, if NEW's `mixed` end ("producer",
/// "consumer") is to meet OLD's other one, pairs of programs that meet by name on both sides.
std::pair<Ab::Run, Ab::Run> sides(const Build& old_build, const Build& new_build,
                                  const std::string& mixed);

}  // namespace ipcbench
