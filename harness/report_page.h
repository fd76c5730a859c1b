// report_page.h: pages for a browser, made of the template that the build makes of plots/. Each is
// one file that needs nothing else; plots/README.md has the form of `changes` and of `history`.
#pragma once

#include <string>
#include <vector>

#include "harness/results.h"

namespace ipcbench {

/// The report's page of these files, which it holds: `documents` are what `files` were read from,
/// one for each. With `changes`, what a comparison of two files has found, it begins with that.
/// Throws std::runtime_error where the template isn't built.
std::string report_page(const std::vector<ResultsFile>& files, const std::vector<Json>& documents,
                        const Json& changes = nullptr);

/// A page of cells over time. It holds no results files. Throws like report_page().
std::string history_page(const Json& history);

/// Where the build or the installation has put a file that it made of plots/: beside the program or
/// under its prefix, unless IPCBENCH_PLOTS says otherwise. Throws std::runtime_error where it
/// isn't.
std::string plots_file(const std::string& name);

}  // namespace ipcbench
