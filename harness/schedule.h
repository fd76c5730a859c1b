// schedule.h: executes a plan, run by run, in its recorded order.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/driver.h"
#include "harness/plan.h"
#include "harness/results.h"

namespace ipcbench {

struct Progress {
  std::size_t done = 0;  ///< runs finished, earlier ones of a resumed plan included
  std::size_t total = 0;
  const PlannedCell* cell = nullptr;  ///< of the run that has just finished
  int repeat = 0;
  Why why = Why::planned;
  const Outcome* outcome = nullptr;
  double remaining_s = 0;  ///< estimated from the runs so far
};

struct Schedule {
  Plan& plan;  ///< its order grows by what is found to be needed (stopping.h)
  const RunDirectory& directory;
  Interrupts& interrupts;
  TickRate tick_rate;
  std::string stop_at;  ///< for tests: see Params::stop_at
};

/// Executes the runs of the plan, and those that are added to it, that `runs` doesn't hold yet, and
/// appends each to `runs` and to the journal. Google Benchmark runs each as a benchmark of one
/// iteration with manual time; order, isolation and deadlines are ours. Returns early when an
/// interrupt arrives. Throws std::system_error when the journal can't be written.
void execute(const Schedule& schedule, Journal& journal, std::vector<Json>& runs,
             const std::function<void(const Progress&)>& report);

}  // namespace ipcbench
