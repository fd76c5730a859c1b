// commands.h: the sub-commands. Each returns the program's exit status (see README.md), prints its
// result to stdout and everything else to stderr, and throws UsageError for wrong usage.
#pragma once

#include <string>
#include <vector>

#include "harness/clock.h"
#include "harness/options.h"
#include "harness/results.h"

namespace ipcbench {

inline constexpr int exit_ok = 0;
inline constexpr int exit_usage = 2;
inline constexpr int exit_failed = 3;
inline constexpr int exit_nothing_ran = 77;

int run_command(const RunOptions& options, const std::vector<std::string>& command_line);
/// `run` in pairs: of the suite quick, 20 of them, if nothing else is asked for.
int calibrate_command(const RunOptions& options, const std::vector<std::string>& command_line);
/// The context of a results file: the program, the command line, the time, the machine.
Json make_context(const std::vector<std::string>& command_line, const Topology& topology,
                  TickRate rate);

int list_command(bool json);
int describe_command(const std::string& transport, bool json);
int doctor_command(bool json);
int probe_command(const std::vector<std::string>& transports, const std::string& format);
/// The same for these rows.
int probe_rows(const std::vector<const Row*>& rows, const std::string& format);
/// Loads a shared module and writes its manifest; "-" is stdout.
int manifest_command(const std::string& module, const std::string& output);
int sweep_command();
int table_command(const std::vector<std::string>& files, const std::string& format,
                  const std::string& color);
/// Writes one page that shows all of the files and holds them; "-" is stdout.
int report_command(const std::vector<std::string>& files, const std::string& output);
/// Draws each chart that the files give into a file of the directory, and prints its path; all of
/// them, or those whose names stand between the commas of `charts`.
int plot_command(const std::vector<std::string>& files, const std::string& directory,
                 const std::string& format, const std::string& charts);

}  // namespace ipcbench
