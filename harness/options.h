// options.h: what `ipcbench run` is asked for on the command line, in the environment and by a
// suite, and the selection that this makes together. Precedence: flag, environment, suite.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/plan.h"
#include "harness/topology.h"

namespace CLI {
class App;
}

namespace ipcbench {

/// The named suites, {name, JSON}, in alphabetical order: scenarios/suites/*.json, built in.
const std::vector<std::pair<std::string_view, std::string_view>>& all_suites();

/// The flags of `ipcbench run` as they were typed; "" where one was not given.
struct RunOptions {
  std::string suite;
  std::string transports;
  std::string scenarios;
  std::string sizes;
  std::string size_dist;
  std::string placements;
  std::string pin;
  std::string waitings;
  std::string starts;
  std::string peers;
  std::string other_ends;
  std::string touch;
  std::string window;
  std::string gap;
  std::string rate;
  std::string arrivals;
  std::string hold;
  std::string crowd;
  std::string repeats;
  std::string warmup;
  std::string min_time;
  std::string timeout;
  std::string count;
  std::string depth;
  std::string seed;
  std::string retries;
  std::string precision;
  std::string metric;
  std::string budget;
  std::string latency_target;
  std::string filter;
  std::string from;  ///< a results file whose plan is run again
  std::string output;
  std::string save_baseline;
  std::string baseline;
  std::string color = "auto";
  bool quiet_machine = false;
  bool in_pairs = false;    ///< not a flag: what calibrate asks for
  bool shows_table = true;  ///< nor this: what shows a table of its own sets it to false
  bool dry_run = false;
  bool resume = false;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
};

/// "3%" or "3" as a fraction. Throws UsageError beyond the bounds, in per cent.
double parse_percent(const std::string& text, std::string_view what, double low, double high);

/// Adds the flags to the sub-command.
void add_run_options(CLI::App& command, RunOptions& options);

/// Puts suite and flags together. Throws UsageError for whatever can't be understood.
Selection resolve(const RunOptions& options, const Topology& topology);

/// The flags that shape the plan and were given, for --resume, which takes its plan elsewhere.
std::vector<std::string> plan_flags_given(const RunOptions& options);

/// The plan of --from with what else was given: repeats, times, seed, filter, precision. Throws
/// UsageError for flags that say what to run, since the file says that.
Plan plan_again(const RunOptions& options, const Topology& topology);

/// The same with their values, for another program: {"--size", "64", …}.
std::vector<std::string> plan_arguments(const RunOptions& options);

/// "20ms", "1.5s", "500us", "2min" as nanoseconds between the bounds. Throws UsageError.
std::int64_t parse_duration(const std::string& text, std::string_view what, double low_s,
                            double high_s);

/// Whether to write escape sequences: "always", "never", or "auto" by NO_COLOR, FORCE_COLOR, TERM
/// and whether the stream is a terminal.
bool wants_color(const std::string& color, int fd);

}  // namespace ipcbench
