// baseline.h: results files under names of their own: `run --save-baseline main`, later
// `compare main now.json` or `run --baseline main`. They lie in $XDG_STATE_HOME/ipcbench/baselines.
#pragma once

#include <string>
#include <vector>

#include "harness/results.h"

namespace ipcbench {

/// Where the baseline of that name lies, whether or not there is one. Throws UsageError for a name
/// that isn't made of letters, digits, '-', '_' and '.'.
std::string baseline_path(const std::string& name);
/// Names, in alphabetical order.
std::vector<std::string> baselines();
/// A file's path as it is; where there is no such file, the path of the baseline of that name.
/// Throws UsageError where there is neither.
std::string file_or_baseline(const std::string& name);

/// `ipcbench baseline list`, `ipcbench baseline remove NAME`.
int baseline_command(const std::string& action, const std::string& name);

}  // namespace ipcbench
