// results_for_test.h: for tests, results files with chosen numbers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/results.h"

namespace ipcbench {

inline RunRecord run_of(const std::string& transport, const std::string& scenario, int repeat,
                        std::map<std::string, double> measures, std::uint64_t size = 64,
                        const std::string& placement = "cross-core") {
  RunRecord run;
  run.transport = transport;
  run.scenario = scenario;
  run.size = size;
  run.placement = placement;
  run.repeat = repeat;
  run.status = Status::ok;
  run.measures = std::move(measures);
  return run;
}

/// Six round trips a millionth apart, with CPU time, and their mean: `busy` processors' worth.
inline void add_trips(ResultsFile& file, const std::string& transport, double p50_ns, double cpu_ns,
                      std::uint64_t size = 64, const std::string& placement = "cross-core") {
  for (int repeat = 1; repeat <= 6; ++repeat) {
    const double time = p50_ns * (1 + 1e-6 * repeat);
    RunRecord run = run_of(
        transport, "ping_pong", repeat,
        {{"round_trip_p50_ns", time}, {"round_trip_mean_ns", time}, {"cpu_ns_per_message", cpu_ns}},
        size, placement);
    run.histogram.emplace();
    for (int i = 0; i < 2000; ++i)
      run.histogram->record(static_cast<std::uint64_t>(i % 50 == 0 ? 2 * p50_ns : p50_ns));
    file.runs.push_back(std::move(run));
  }
}

inline void add_flood(ResultsFile& file, const std::string& transport, double messages_per_s,
                      std::uint64_t size = 64, const std::string& placement = "cross-core") {
  for (int repeat = 1; repeat <= 6; ++repeat)
    file.runs.push_back(run_of(transport, "flood", repeat,
                               {{"messages_per_s", messages_per_s * (1 + 1e-6 * repeat)}}, size,
                               placement));
}

inline void add_unmeasured(ResultsFile& file, const std::string& transport,
                           const std::string& scenario, Status status, const std::string& reason,
                           std::uint64_t size = 64, const std::string& placement = "cross-core") {
  RunRecord run = run_of(transport, scenario, 1, {}, size, placement);
  run.status = status;
  run.reason = reason;
  file.runs.push_back(std::move(run));
}

}  // namespace ipcbench
