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
inline constexpr int exit_regressed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_failed = 3;
inline constexpr int exit_inconclusive = 4;
inline constexpr int exit_nothing_ran = 77;

int run_command(const RunOptions& options, const std::vector<std::string>& command_line);
/// `run` in pairs: of the suite quick, 20 of them, if nothing else is asked for.
int calibrate_command(const RunOptions& options, const std::vector<std::string>& command_line);
/// $XDG_STATE_HOME/ipcbench/2026-11-20T21-04-59Z.json: what isn't asked for elsewhere is kept here.
std::string default_output();
/// Now, as results files have it: "2026-11-21T20:15:00Z".
std::string utc_now();
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

/// The results files of paths, those of a report page one by one. Throws UsageError.
std::vector<ResultsFile> read_files(const std::vector<std::string>& paths);

/// The flags of `ipcbench table` as they were typed.
struct TableRequest {
  std::string format = "text";
  std::string color = "auto";
  std::string rows;  ///< axes between commas
  std::string columns;
  std::string value;
  std::string sort;
  std::string reference;
  std::string filter;
  bool is_reversed = false;
};
int table_command(const std::vector<std::string>& paths, const TableRequest& request);

/// The flags of `ipcbench choose` as they were typed.
struct ChooseRequest {
  std::string size = "64";
  std::string rate;
  std::string p50;
  std::string p99;
  std::string needs;
  std::string cpu;
  std::string placement;
  std::string format = "text";
  std::string color = "auto";
  bool measures = false;  ///< now, whatever was measured before
};
/// Ranks what was measured: in these files, or if there are none, in the newest kept one, or now.
int choose_command(const std::vector<std::string>& paths, const ChooseRequest& request,
                   const std::vector<std::string>& command_line);

/// Writes results files in another program's format; "-" is stdout.
int export_command(const std::vector<std::string>& paths, const std::string& format,
                   const std::string& filter, const std::string& output);
/// Runs the plan of a results file here, or takes `here` for that, and compares the two.
struct ReproduceRequest {
  std::string there;
  std::string here;  ///< a results file, or "" to measure
  std::string format = "text";
};
int reproduce_command(const ReproduceRequest& request, const RunOptions& options,
                      const std::vector<std::string>& command_line);

/// The flags of `ipcbench history` as they were typed.
struct HistoryRequest {
  std::string metric;
  std::string filter;
  std::string margin = "5%";
  std::string seed = "1";
  std::string format = "text";
  std::string page;  ///< a page for a browser, or ""
  bool shows_all = false;
};
/// Of the results files in directories, and of files.
int history_command(const std::vector<std::string>& paths, const HistoryRequest& request);

/// Writes one page that shows all of the files and holds them; "-" is stdout.
int report_command(const std::vector<std::string>& files, const std::string& output);
/// Draws each chart that the files give into a file of the directory, and prints its path; all of
/// them, or those whose names stand between the commas of `charts`.
int plot_command(const std::vector<std::string>& files, const std::string& directory,
                 const std::string& format, const std::string& charts);

}  // namespace ipcbench
