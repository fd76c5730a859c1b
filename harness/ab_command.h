// ab_command.h: the flags of `ipcbench ab`.
#pragma once

#include <string>
#include <vector>

#include "harness/options.h"

namespace CLI {
class App;
}

namespace ipcbench {

struct AbFlags {
  std::string old_program;
  std::string new_program;
  RunOptions run;
  std::string margin = "2%";
  std::string screen = "10";
  std::string format = "text";
  std::string mixed;  ///< which end is NEW's: "producer", "consumer"; "": both
  bool settle = false;
  bool strict = false;
};
void add_ab_options(CLI::App& command, AbFlags& flags);

/// Two builds, of ipcbench or of one plug-in, in pairs; prints the verdicts and keeps both results
/// in one file.
int ab_command(const AbFlags& flags, const std::vector<std::string>& command_line);

}  // namespace ipcbench
