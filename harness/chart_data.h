// chart_data.h: what the charts and the report's page are drawn from: one JSON document of
// summaries, "ipcbench-charts/1". plots/README.md describes it.
//
// It knows no scenario and no measure by name: whatever numbers a run has are measures, their units
// are read from the ends of their names, and a scenario's main measure follows from its facts, or,
// where it is another ipcbench's, from what it has: a median latency, a rate, a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/results.h"

namespace ipcbench {

/// The charts' data of these files. `documents` are what `files` were read from, one for each;
/// `changes` is what a comparison of two of them has found (plots/README.md), or null.
Json chart_data(const std::vector<ResultsFile>& files, const std::vector<Json>& documents,
                const Json& changes = nullptr);

/// Says in the charts' data what the measures of these are, [{"measure": "round_trip_p50_ns", …}].
void add_measures(Json& data, const Json& measured);

/// A command line as it can be pasted into a shell.
std::string shell_text(const std::vector<std::string>& words);

}  // namespace ipcbench
