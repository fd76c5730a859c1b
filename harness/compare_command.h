// compare_command.h: the flags of `ipcbench compare`, and what `run --baseline` has of it.
#pragma once

#include <string>
#include <vector>

#include "harness/results.h"

namespace CLI {
class App;
}

namespace ipcbench {

struct CompareFlags {
  std::vector<std::string> files;
  std::string margin = "2%";
  std::string metrics = "time";
  std::string format = "text";
  std::string budget = "10min";
  std::string output;
  std::string page;
  std::string color = "auto";
  bool settle = false;
  bool explain = false;
  bool strict = false;
};
void add_compare_options(CLI::App& command, CompareFlags& flags);

/// Compares BASE with NEW: results files, journals, report pages, or names of baselines; or the two
/// sides of one file of `ab`, or of one page of two files.
int compare_command(const CompareFlags& flags);

/// What `run --baseline NAME` does with its results at its end: prints, unless it is to be quiet,
/// and returns the exit status.
int compare_with_baseline(const std::string& baseline, const Json& document,
                          const std::string& path, bool is_quiet, bool color);

}  // namespace ipcbench
