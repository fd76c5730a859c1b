#include "harness/schedule.h"

#include <benchmark/benchmark.h>

#include <exception>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/estimate.h"
#include "harness/stopping.h"

namespace ipcbench {
namespace {

/// Google Benchmark's report of a run is of no use here: ours is the results file.
class SilentReporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
};

/// Executes one run as a benchmark. It is registered alone, so that it runs when we say so:
/// Google Benchmark's own interleaving has no seed, and it has no deadlines.
Outcome execute_as_benchmark(const Schedule& schedule, const PlannedCell& cell) {
  const Row* row = find_row(cell.transport);
  const std::optional<std::size_t> scenario = find_scenario(cell.scenario);
  if (row == nullptr || !scenario || row->cells[*scenario] == nullptr)
    throw std::runtime_error(fmt::format("{}: this ipcbench has no such cell", cell.key()));
  Params params = schedule.plan.params(cell, schedule.tick_rate);
  schedule.stop_at.copy(params.stop_at, sizeof params.stop_at - 1);

  Outcome outcome;
  std::exception_ptr error;  // an exception through Google Benchmark would abort the process
  benchmark::RegisterBenchmark(
      cell.key().c_str(),
      [&](benchmark::State& state) {
        for ([[maybe_unused]] auto iteration : state) {
          try {
            outcome = execute(*row, *scenario, params, schedule.directory, schedule.interrupts);
          } catch (...) {
            error = std::current_exception();
          }
          state.SetIterationTime(static_cast<double>(outcome.elapsed_ns) / 1e9);
        }
        if (outcome.status == Status::failed) state.SkipWithError(outcome.reason.c_str());
      })
      ->UseManualTime()
      ->Iterations(1);
  SilentReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter, ".");
  benchmark::ClearRegisteredBenchmarks();
  if (error) std::rethrow_exception(error);
  return outcome;
}

}  // namespace

void execute(const Schedule& schedule, Journal& journal, std::vector<Json>& runs,
             const std::function<void(const Progress&)>& report) {
  Plan& plan = schedule.plan;
  const std::size_t first = runs.size();
  const std::int64_t start_ns = monotonic_ns();
  double estimated_s = 0;  // of what was run
  for (std::size_t i = first;; ++i) {
    if (i >= plan.order.size()) {
      const std::vector<PlannedRun> more = more_runs(plan, runs);
      if (more.empty()) return;
      plan.order.insert(plan.order.end(), more.begin(), more.end());
      journal.append_to_plan(more);
    }
    if (schedule.interrupts.arrived() != 0) return;
    const PlannedRun planned = plan.order[i];
    const PlannedCell& cell = plan.cells[planned.cell];
    const Outcome outcome = execute_as_benchmark(schedule, cell);
    if (schedule.interrupts.arrived() != 0) return;  // its run was cut short: it isn't recorded
    runs.push_back(run_json(cell, planned.repeat, i, outcome));
    journal.append(runs.back());
    estimated_s += estimate_s(plan, cell);
    // What is left is estimated as the plan is, and corrected by how that turned out so far.
    const double taken_s = static_cast<double>(monotonic_ns() - start_ns) / 1e9;
    report({.done = i + 1,
            .total = plan.order.size(),
            .cell = &cell,
            .repeat = planned.repeat,
            .why = planned.why,
            .outcome = &outcome,
            .remaining_s = plan.estimate_s(i + 1) * taken_s / estimated_s});
  }
}

}  // namespace ipcbench
