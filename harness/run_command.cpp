#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <optional>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/baseline.h"
#include "harness/build_info.h"
#include "harness/calibration.h"
#include "harness/commands.h"
#include "harness/compare_command.h"
#include "harness/machine.h"
#include "harness/module_entry.h"
#include "harness/noise.h"
#include "harness/quiet.h"
#include "harness/schedule.h"
#include "harness/stopping.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view journal_ending = ".journal";

void check_output(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error))
    throw UsageError(
        fmt::format("{}: is a directory; expected a file name after -o", printable(path)));
  // The results file is renamed into its place, where it would replace a device.
  if (fs::exists(path, error) && !fs::is_regular_file(path, error))
    throw UsageError(fmt::format(
        "{}: is no regular file; expected a file name after -o, or - for stdout", printable(path)));
}

/// What --resume wants after -o: the journal of results that go to stdout has a name of its own.
std::string resume_target(const Journal& journal) {
  return journal.path().substr(0, journal.path().size() - journal_ending.size());
}

std::size_t due_cells(const Plan& plan) {
  std::size_t due = 0;
  for (const PlannedCell& cell : plan.cells) due += cell.skipped.empty() ? 1 : 0;
  return due;
}

std::string plan_summary(const Plan& plan) {
  std::string more;
  if (plan.stopping.precision > 0)
    more = fmt::format("; then more, up to {}, for ±{:.2g} %",
                       time_text(static_cast<double>(plan.stopping.budget_ns) / 1e9),
                       100 * plan.stopping.precision);
  else if (plan.stopping.retries_percent > 0 && !plan.order.empty())
    more = fmt::format("; up to {} % more for suspect runs", plan.stopping.retries_percent);
  return fmt::format("{} cells, {} skipped; {} runs, about {}{}", due_cells(plan),
                     plan.cells.size() - due_cells(plan), plan.order.size(),
                     time_text(plan.estimate_s()), more);
}

int print_plan(const Plan& plan, bool json) {
  if (json) {
    fmt::print("{}\n", dump(to_json(plan), 2));
    return exit_ok;
  }
  for (const PlannedCell& cell : plan.cells)
    fmt::print("{}{}\n", cell.key(),
               cell.skipped.empty() ? "" : fmt::format("  skipped: {}", cell.skipped));
  fmt::print("{}\n", plan_summary(plan));
  return exit_ok;
}

/// Shows progress on stderr: one line that is written over on a terminal, else a line for each
/// finished cell; a line for each run if that is asked for.
class ProgressLine {
 public:
  ProgressLine(const RunOptions& options, const Plan& plan)
      : quiet_(options.quiet),
        verbose_(options.verbose),
        animated_(::isatty(STDERR_FILENO) == 1 && std::getenv("CI") == nullptr && !verbose_),
        repeats_(plan.in_pairs ? 2 * plan.repeats : plan.repeats) {}
  ~ProgressLine() { clear(); }

  void show(const Progress& progress) {
    if (quiet_) return;
    const Outcome& outcome = *progress.outcome;
    const bool failed = outcome.status == Status::failed;
    const std::string where = fmt::format("[{}/{}]", progress.done, progress.total);
    const bool is_last = progress.why == Why::planned && progress.repeat == repeats_;
    if (failed) {
      clear();
      fmt::print(stderr, "{} {} repeat {}: failed: {}\n", where, progress.cell->key(),
                 progress.repeat, outcome.reason);
    } else if (verbose_ || (!animated_ && is_last)) {
      fmt::print(stderr, "{} {} {}\n", where, progress.cell->key(),
                 outcome.reason.empty() ? "ok" : "suspect: " + outcome.reason);
    }
    if (!animated_) return;
    fmt::print(stderr, "\r\033[K{}", line(progress));
    std::fflush(stderr);
    drawn_ = true;
  }
  void clear() {
    if (drawn_) fmt::print(stderr, "\r\033[K");
    drawn_ = false;
  }
  bool is_animated() const { return animated_ && !quiet_; }

 private:
  /// "[######              ] 120/400  12 s left  flood/pipe/…", no wider than the terminal.
  static std::string line(const Progress& progress) {
    constexpr std::size_t bar = 20;
    const std::size_t full = bar * progress.done / std::max<std::size_t>(1, progress.total);
    const std::string line = fmt::format(
        "[{}{}] {}/{}  {} left  {}{}", std::string(full, '#'), std::string(bar - full, ' '),
        progress.done, progress.total, time_text(progress.remaining_s), progress.cell->key(),
        progress.why == Why::planned ? "" : fmt::format("  again: {}", text(progress.why)));
    winsize size{};
    const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return line.substr(0, known ? size.ws_col - 1U : 79U);
  }

  bool quiet_;
  bool verbose_;
  bool animated_;
  bool drawn_ = false;
  int repeats_;
};

/// What is measured now must be comparable with what the journal holds.
void check_same_machine(const Json& then, const Json& now, const std::string& journal) {
  const Json::json_pointer digest("/machine/identity_digest");
  if (then.contains(digest) && then.at(digest) == now.at(digest)) return;
  throw UsageError(
      fmt::format("{}: was begun on another machine, kernel or build; expected the "
                  "same; begin anew without --resume",
                  printable(journal)));
}

struct Execution {
  Json context;
  Plan plan;
  std::vector<Json> runs;
  std::string output;
};

/// Executes what is left of the plan. Returns the signal that ended it early, or 0.
int execute_plan(Execution& execution, Journal& journal, const RunOptions& options, TickRate rate) {
  std::optional<QuietMachine> held;
  if (execution.plan.quiet_machine) held.emplace();
  const RunDirectory directory;
  Interrupts interrupts;
  const char* stop_at = std::getenv("IPCBENCH_STOP_AT");
  const Schedule schedule{.plan = execution.plan,
                          .directory = directory,
                          .interrupts = interrupts,
                          .tick_rate = rate,
                          .stop_at = stop_at == nullptr ? "" : stop_at};
  ProgressLine line(options, execution.plan);
  const std::size_t first_round = due_cells(execution.plan);
  execute(schedule, journal, execution.runs, [&](const Progress& progress) {
    line.show(progress);
    if (progress.done != first_round || progress.remaining_s < 5 || !line.is_animated()) return;
    line.clear();
    const Json document = results_json(execution.context, execution.plan, execution.runs, false);
    fmt::print(stderr, "A first look, after one repeat of each cell:\n\n{}\n",
               render(records_of(document, execution.output), TableFormat::text));
  });
  return interrupts.arrived();
}

/// Keeps what the pairs have shown, and prints it.
void finish_calibration(const Execution& execution, const RunOptions& options) {
  const Json cells = calibrate(execution.plan, execution.runs);
  if (cells.empty()) {
    fmt::print(stderr, "no cell has the {} pairs that a calibration needs: nothing is kept\n",
               repeats_for_interval);
    return;
  }
  const std::string path = calibration_path(execution.context.at("machine"));
  save_calibration(cells, execution.context, path);
  if (!options.quiet && !options.json && execution.output != "-")
    fmt::print("{}\n",
               render_text(calibration_table(cells), wants_color(options.color, STDOUT_FILENO)));
  if (!options.quiet) fmt::print(stderr, "calibration: {}\n", path);
}

int finish(const Execution& execution, Journal& journal, const RunOptions& options, int signal) {
  Json context = execution.context;
  context["finished"] = utc_now();
  context["stopping"] = stopping_json(execution.plan, execution.runs);
  const Json document = results_json(context, execution.plan, execution.runs, signal == 0);
  const bool to_stdout = execution.output == "-";
  write_results(document, execution.output);
  if (signal == 0) journal.remove();
  if (signal == 0 && !options.save_baseline.empty())
    write_results(document, baseline_path(options.save_baseline));
  if (options.json && !to_stdout) write_results(document, "-");
  const ResultsFile file = records_of(document, execution.output);
  if (execution.plan.in_pairs)
    finish_calibration(execution, options);
  else if (options.shows_table && !options.quiet && !options.json && !to_stdout)
    fmt::print("{}", render(file, TableFormat::text, wants_color(options.color, STDOUT_FILENO)));
  std::fflush(stdout);
  if (!options.quiet)
    for (const std::string& line : stopping_lines(execution.plan, execution.runs))
      fmt::print(stderr, "{}\n", line);
  if (!options.quiet && !to_stdout) fmt::print(stderr, "results: {}\n", execution.output);
  if (signal != 0) {
    fmt::print(stderr, "ipcbench: ended by {}; go on with --resume -o {}\n", signal_text(signal),
               resume_target(journal));
    return 128 + signal;
  }
  const auto failed = std::count_if(file.runs.begin(), file.runs.end(), [](const RunRecord& run) {
    return run.status == Status::failed;
  });
  if (failed == 0 && !options.baseline.empty())
    return compare_with_baseline(options.baseline, document, execution.output,
                                 options.quiet || options.json || to_stdout,
                                 wants_color(options.color, STDOUT_FILENO));
  if (failed == 0) return exit_ok;
  fmt::print(stderr, "ipcbench: {} of {} runs failed; the results file has the reasons\n", failed,
             execution.plan.order.size());
  return exit_failed;
}

/// The libraries that are measured, by transport, and how they are set up.
Json modules_json(const Plan& plan) {
  Json modules = Json::object();
  for (const PlannedRun& run : plan.order) {
    const Row* const row = find_row(plan.cells[run.cell].transport);
    if (row != nullptr && row->module != nullptr)
      modules[std::string(row->facts.name)] = {{"library", row->module->library},
                                               {"settings", row->settings},
                                               {"carrier", row->facts.carrier}};
  }
  return modules;
}

/// Asked for, and not permitted: the runs are made all the same.
void warn_of_what_is_refused(const Json& quiet) {
  for (const char* key : {"cpu_dma_latency_reason", "scheduler_reason"})
    if (!quiet.at(key).is_null())
      fmt::print(stderr, "--quiet-machine: not all of it: {}\n", quiet[key].get<std::string>());
}

int report_nothing_to_run(const Plan& plan) {
  for (const PlannedCell& cell : plan.cells)
    fmt::print(stderr, "{}: {}\n", cell.key(), cell.skipped);
  fmt::print(stderr, "ipcbench: nothing of this can run here; 'ipcbench list' shows what can\n");
  return exit_nothing_ran;
}

}  // namespace

std::string default_output() {
  return fmt::format("{}/{:%Y-%m-%dT%H-%M-%SZ}-{}.json", state_directory(),
                     fmt::gmtime(std::time(nullptr)), ::getpid());
}

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

Json make_context(const std::vector<std::string>& command_line, const Topology& topology,
                  TickRate rate) {
  Json context{{"program", "ipcbench"},
               {"version", build_version},
               {"command", command_line},
               {"started", utc_now()},
               {"noise_thresholds", noise_thresholds()},
               {"machine", Json(machine_record(topology, rate, measure_clock_cost(rate)))}};
  if (Json set = settings_in_environment(); !set.empty()) context["environment"] = std::move(set);
  return context;
}

int run_command(const RunOptions& options, const std::vector<std::string>& command_line) {
  wants_color(options.color, STDOUT_FILENO);  // so that a wrong word is told before the runs
  for (const std::string& object : sweep())
    if (options.verbose) fmt::print(stderr, "removed, left by a dead run: {}\n", object);
  const Topology topology;
  if (options.resume && (options.output.empty() || options.output == "-"))
    throw UsageError("--resume: expected -o FILE, the results file of the interrupted run");
  if (options.resume && !plan_flags_given(options).empty())
    throw UsageError(fmt::format("--resume: takes its plan from the journal; leave out {}",
                                 fmt::join(plan_flags_given(options), ", ")));
  if (options.resume && !options.from.empty())
    throw UsageError("--resume and --from: both say where the plan comes from; give one of them");

  if (!options.save_baseline.empty()) baseline_path(options.save_baseline);  // a wrong name, now
  if (!options.baseline.empty()) read_documents(baseline_path(options.baseline));

  Execution execution;
  execution.output = options.output.empty() && !options.dry_run ? default_output() : options.output;
  std::string journal_path = execution.output == "-" ? default_output() : execution.output;
  journal_path += journal_ending;
  if (options.resume) {
    Journal::Content content = Journal::read(journal_path);
    execution.context = std::move(content.context);
    execution.plan = std::move(content.plan);
    execution.runs = std::move(content.runs);
  } else {
    execution.plan = options.from.empty() ? make_plan(resolve(options, topology))
                                          : plan_again(options, topology);
  }
  if (options.dry_run) return print_plan(execution.plan, options.json);
  if (execution.plan.order.empty()) return report_nothing_to_run(execution.plan);
  check_output(execution.output);
  if (!options.quiet && !options.resume) fmt::print(stderr, "{}\n", plan_summary(execution.plan));

  ::signal(SIGXFSZ, SIG_IGN);  // a file that grows too large is an error of write(2) instead
  const TickRate rate = measure_tick_rate();
  Json context = make_context(command_line, topology, rate);
  if (const Json modules = modules_json(execution.plan); !modules.empty())
    context["modules"] = modules;
  if (execution.plan.quiet_machine && !options.resume) {
    context["quiet_machine"] = QuietMachine().record();
    warn_of_what_is_refused(context["quiet_machine"]);
  }
  if (options.resume) {
    check_same_machine(execution.context, context, journal_path);
    if (!options.quiet)
      fmt::print(stderr, "{}; {} are done\n", plan_summary(execution.plan), execution.runs.size());
  } else {
    execution.context = std::move(context);
  }
  Journal journal = options.resume ? Journal::resume(journal_path)
                                   : Journal(journal_path, execution.context, execution.plan);
  try {
    const int signal = execute_plan(execution, journal, options, rate);
    return finish(execution, journal, options, signal);
  } catch (const std::system_error& error) {
    fmt::print(stderr,
               "ipcbench: {}; {} finished runs are kept in {}: make room, then go on with "
               "--resume -o {}\n",
               error.what(), execution.runs.size(), journal.path(), resume_target(journal));
    return exit_failed;
  }
}

int calibrate_command(const RunOptions& given, const std::vector<std::string>& command_line) {
  RunOptions options = given;
  if (!options.from.empty())
    throw UsageError(
        "calibrate: takes no --from; 'ipcbench run --from FILE' repeats a calibration");
  if (!(options.precision + options.retries).empty())
    throw UsageError("calibrate: takes no --precision and no --retries: its runs come in pairs");
  if (!(options.baseline + options.save_baseline).empty())
    throw UsageError("calibrate: takes no baselines: it measures each cell against itself");
  options.in_pairs = true;
  if (!options.resume) {
    options.retries = "0";
    if (options.suite.empty()) options.suite = "quick";
    if (options.repeats.empty()) options.repeats = "20";
  }
  return run_command(options, command_line);
}

}  // namespace ipcbench
