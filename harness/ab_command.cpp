#include "harness/ab_command.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "harness/ab.h"
#include "harness/build_info.h"
#include "harness/commands.h"
#include "harness/compare_output.h"
#include "harness/modules.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

/// Where nobody says what: mechanisms of each kind, or all that a plug-in has, both ways, on one
/// core and across two. Runs are longer than those of the suites: of 60 ms, the quietest tenth of
/// the sub-batches is twice as steady from run to run as of 20 ms on a busy machine, and starting a
/// program takes as long.
void apply_defaults(RunOptions& run, const Build& build) {
  if (run.min_time.empty()) run.min_time = "60ms";
  if (!(run.suite + run.transports + run.filter + run.from).empty()) return;
  if (build.is_plugin())  // the other transports are the same in both
    run.transports = fmt::format("{}", fmt::join(plugin_rows(build.path()), ","));
  if (!run.scenarios.empty()) return;
  if (!build.is_plugin())
    run.transports = "pipe,unix_stream,tcp,posix_mq,shm_posix.futex,shm_posix.yield";
  run.scenarios = "ping_pong,flood";
  if ((run.sizes + run.size_dist).empty()) run.sizes = "64";
}

/// What shapes the cells, for the builds; the rest is for ab itself.
std::vector<std::string> flags_for_builds(RunOptions run) {
  for (std::string RunOptions::*own :
       {&RunOptions::repeats, &RunOptions::seed, &RunOptions::metric, &RunOptions::budget})
    (run.*own).clear();
  return plan_arguments(run);
}

AbOptions resolve(const AbFlags& flags) {
  const RunOptions& run = flags.run;
  if (!flags.mixed.empty() && flags.mixed != "producer" && flags.mixed != "consumer")
    throw UsageError(
        fmt::format("--mixed '{}': expected producer or consumer: the end that is NEW's",
                    printable(flags.mixed)));
  if (!flags.mixed.empty() && !run.starts.empty())
    throw UsageError("--mixed and --start: mixed pairs are two programs that meet by name");
  if (!(run.retries + run.precision + run.latency_target).empty())
    throw UsageError(
        "ab: takes no --retries, --precision and --latency-target: its runs come in pairs");
  if (run.resume) throw UsageError("ab: takes no --resume; begin anew");
  if (!(run.baseline + run.save_baseline).empty())
    throw UsageError("ab: takes no baselines: its two sides are measured together");
  AbOptions options;
  if (!run.repeats.empty())
    options.fresh_pairs = static_cast<int>(parse_number(run.repeats, "--repeats", 6, 10'000));
  options.screening_pairs = static_cast<int>(parse_number(flags.screen, "--screen", 6, 10'000));
  if (!run.budget.empty())
    options.budget_s =
        static_cast<double>(parse_duration(run.budget, "--budget", 0.1, 7 * 86'400)) / 1e9;
  options.settles = flags.settle;
  options.seed =
      run.seed.empty() ? std::random_device()() : parse_number(run.seed, "--seed", 0, UINT64_MAX);
  options.compare.margin = parse_percent(flags.margin, "--margin", 0, 100);
  if (!run.metric.empty()) options.compare.metrics = split_list(run.metric, "--metric");
  return options;
}

std::string output_path(const RunOptions& run) {
  if (run.output.empty())
    return fmt::format("{}/{:%Y-%m-%dT%H-%M-%SZ}-{}-ab.json", state_directory(),
                       fmt::gmtime(std::time(nullptr)), ::getpid());
  std::error_code error;
  if (run.output != "-" && std::filesystem::exists(run.output, error) &&
      !std::filesystem::is_regular_file(run.output, error))
    throw UsageError(fmt::format("{}: is no regular file; expected a file name after -o",
                                 printable(run.output)));
  return run.output;
}

/// One line that is written over on a terminal; elsewhere one for each stage.
class AbProgress {
 public:
  explicit AbProgress(bool quiet)
      : quiet_(quiet), animated_(::isatty(STDERR_FILENO) == 1 && std::getenv("CI") == nullptr) {}
  ~AbProgress() { clear(); }

  void show(const Ab::Progress& progress) {
    if (quiet_) return;
    if (progress.stage != stage_) {
      clear();
      stage_ = progress.stage;
      fmt::print(stderr, "{}: {} pairs, about {}\n", stage_, progress.total,
                 time_text(progress.remaining_s));
    }
    if (!animated_) return;
    const std::string line =
        fmt::format("{} {}/{}  {} left  {}", stage_, progress.done, progress.total,
                    time_text(progress.remaining_s), progress.cell->key());
    winsize size{};
    const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    fmt::print(stderr, "\r\033[K{}", line.substr(0, known ? size.ws_col - 1U : 79U));
    std::fflush(stderr);
    is_drawn_ = true;
  }
  void clear() {
    if (is_drawn_) fmt::print(stderr, "\r\033[K");
    is_drawn_ = false;
  }

 private:
  bool quiet_;
  bool animated_;
  bool is_drawn_ = false;
  std::string stage_;
};

void leave_out_unmixable(CommonPlan& common) {
  std::erase_if(common.plan.cells, [&](const PlannedCell& cell) {
    const std::string why = why_not_mixed(cell);
    if (!why.empty()) common.others.push_back({cell.key(), why});
    return !why.empty();
  });
}

int print_cells(const Ab& ab, const CommonPlan& common) {
  for (const PlannedCell& cell : ab.plan().cells) fmt::print("{}\n", cell.key());
  for (const Uncompared& cell : common.others)
    fmt::print("{}  not compared: {}\n", cell.key, cell.reason);
  fmt::print("{} cells, {} not compared; screening takes about {}\n", ab.plan().cells.size(),
             common.others.size(), time_text(ab.estimate_s()));
  return exit_ok;
}

}  // namespace

void add_ab_options(CLI::App& command, AbFlags& flags) {
  command
      .add_option("old", flags.old_program, "The program of the one build, or its plug-in (*.so)")
      ->required();
  command.add_option("new", flags.new_program, "The program of the other one, or its plug-in")
      ->required();
  add_run_options(command, flags.run);
  command.add_option("--margin", flags.margin, "The smallest change that counts (2%)")
      ->type_name("N%")
      ->group("What to decide");
  command.add_option("--screen", flags.screen, "Pairs of each cell that look for suspects (10)")
      ->type_name("N")
      ->group("What to decide");
  command
      .add_option("--mixed", flags.mixed,
                  "NEW's producer with OLD's consumer (producer), or the reverse (consumer)")
      ->type_name("END")
      ->group("What to run");
  command.add_flag("--settle", flags.settle, "Fresh pairs for what screening leaves open, too")
      ->group("What to decide");
  command.add_flag("--strict", flags.strict, "Exit with 4 where something is inconclusive")
      ->group("What to decide");
  command.add_option("--format", flags.format, "text, md, json or csv")
      ->type_name("FORMAT")
      ->group("Output");
}

int ab_command(const AbFlags& flags, const std::vector<std::string>& command_line) {
  const AbOptions options = resolve(flags);
  const CompareFormat format = parse_compare_format(flags.format);
  const bool color = wants_color(flags.run.color, STDOUT_FILENO);
  sweep();
  RunOptions run = flags.run;
  const std::string output = run.dry_run ? "" : output_path(run);
  ::signal(SIGXFSZ, SIG_IGN);

  const RunDirectory directory;
  Interrupts interrupts;
  const Build old_build("OLD", flags.old_program, directory, interrupts);
  const Build new_build("NEW", flags.new_program, directory, interrupts);
  if (old_build.is_plugin() != new_build.is_plugin())
    throw UsageError("ab: expected two builds of ipcbench, or two of a plug-in (*.so)");
  apply_defaults(run, old_build);
  try {
    if (!flags.mixed.empty()) run.starts = "exec";
    CommonPlan common =
        common_plan(old_build.plan(flags_for_builds(run)), new_build.plan(flags_for_builds(run)));
    if (!flags.mixed.empty()) leave_out_unmixable(common);
    const auto [old_run, new_run] = sides(old_build, new_build, flags.mixed);
    Ab ab(old_run, new_run, common, options);
    if (run.dry_run) return print_cells(ab, common);
    if (ab.plan().cells.empty()) {
      for (const Uncompared& cell : common.others)
        fmt::print(stderr, "{}: {}\n", cell.key, cell.reason);
      fmt::print(stderr, "ipcbench: there is no cell that both builds can run here\n");
      return exit_nothing_ran;
    }

    Json context{{"program", "ipcbench"},
                 {"version", build_version},
                 {"command", command_line},
                 {"started", utc_now()},
                 {"old", old_build.path()},
                 {"new", new_build.path()},
                 {"mixed", flags.mixed.empty() ? Json(nullptr) : Json(flags.mixed)}};
    std::string failure;
    int signal = 0;
    AbProgress progress(run.quiet);
    try {
      ab.execute([&](const Ab::Progress& state) { progress.show(state); });
    } catch (const BuildError& error) {
      failure = error.what();
    } catch (const Interrupted&) {
      signal = interrupts.arrived();
    }
    progress.clear();
    context["finished"] = utc_now();
    const bool complete = failure.empty() && signal == 0;
    const Json document = ab.document(context, complete);
    write_results(document, output);
    const Comparison comparison = ab.comparison();
    if (output != "-" && run.json)
      write_results(document, "-");
    else if (output != "-" && !run.quiet)
      fmt::print("{}", render(comparison, options.compare, flags.old_program, flags.new_program,
                              format, color));
    std::fflush(stdout);
    if (!run.quiet && output != "-") fmt::print(stderr, "results: {}\n", output);
    if (complete)
      append_step_summary(comparison, options.compare, flags.old_program, flags.new_program);
    if (signal != 0) {
      fmt::print(stderr, "ipcbench: ended by {}; that is what was measured until then\n",
                 signal_text(signal));
      return 128 + signal;
    }
    if (!failure.empty()) {
      fmt::print(stderr, "ipcbench: {}\n", failure);
      return exit_failed;
    }
    return exit_status(comparison, flags.strict);
  } catch (const BuildError& error) {
    fmt::print(stderr, "ipcbench: {}\n", error.what());
    return exit_failed;
  } catch (const Interrupted&) {
    return 128 + interrupts.arrived();
  }
}

}  // namespace ipcbench
