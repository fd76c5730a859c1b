// export.h: results files in the formats of other programs. Runs that failed or were skipped are
// in none of them: their readers would take a missing number for a measurement of 0.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/results.h"
#include "harness/summary.h"

namespace ipcbench {

/// What google/benchmark's tools/compare.py reads: an entry for each run, named by its key, with
/// the time of an operation in ns. Of rates that is their inverse; cells that are no time are left
/// out.
Json to_gbench(const ResultsFile& file);

/// Bencher Metric Format: {"KEY": {"latency": {"value": …, "lower_value": …, "upper_value": …}}},
/// with latency (p50), latency-p99 and cpu-time in ns, throughput in 1/s, bandwidth in B/s.
Json to_bmf(const std::vector<CellSummary>& cells, const ResultsFile& file);

/// What github-action-benchmark reads as customSmallerIsBetter: one entry for each time of a cell,
/// rates as the time of a message.
Json to_gha(const std::vector<CellSummary>& cells, const ResultsFile& file);

/// A percentile distribution as HdrHistogram prints it, five steps for each halving of what is
/// left; values in ns.
std::string to_hgrm(const Histogram& histogram);
/// The merged histograms of the cells that have one, by key.
std::map<std::string, std::string> to_hgrm(const ResultsFile& file);

/// A line for each run, with every measure that some run has in a column.
std::string to_run_csv(const std::vector<ResultsFile>& files);

/// The file with the runs alone that were measured.
ResultsFile only_measured(const ResultsFile& file);

}  // namespace ipcbench
