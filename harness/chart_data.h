// chart_data.h: what the charts and the report's page are drawn from: one JSON document of
// summaries, "ipcbench-charts/1". plots/README.md describes it.
//
// It knows no scenario and no measure by name: whatever numbers a run has are measures, their units
// are read from the ends of their names, and a scenario's main measure follows from what it has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/results.h"

namespace ipcbench {

/// The charts' data of these files. `documents` are what `files` were read from, one for each.
Json chart_data(const std::vector<ResultsFile>& files, const std::vector<Json>& documents);

/// The measure that a scenario is judged by, of those that it has: a median latency, else a rate of
/// messages, else any rate, else any time; "" where there is none.
std::string main_measure(const std::vector<std::string>& measures);

/// A command line as it can be pasted into a shell.
std::string shell_text(const std::vector<std::string>& words);

}  // namespace ipcbench
