#include "harness/pair.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "harness/commands.h"
#include "harness/driver.h"
#include "harness/machine.h"
#include "harness/modules.h"
#include "harness/plan.h"
#include "harness/results.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

constexpr std::size_t producer_end = 0;              // index of connect's end and of its command
constexpr std::size_t consumer_end = 1;              // of serve's
constexpr std::int64_t patience_ns = 5'000'000'000;  // for a serve that is just starting
constexpr int grace_ms = 500;                        // for the other side to finish, too

std::string control_path(const RunDirectory& directory) {
  return directory.path() + "/control";
}

/// A name becomes part of paths and of the objects' names.
void check_name(const std::string& name) {
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  };
  if (name.empty() || name.size() > 40 || !std::all_of(name.begin(), name.end(), is_plain))
    throw UsageError(fmt::format("--name '{}': expected 1 to 40 letters, digits, '_' and '-'",
                                 printable(name, 60)));
}

int parse_cpu(const std::string& cpu, const Topology& topology) {
  if (cpu.empty()) return -1;
  const auto number = static_cast<int>(parse_number(cpu, "--cpu", 0, 100'000));
  try {
    topology.pin(number, number);
  } catch (const std::invalid_argument& error) {
    throw UsageError(fmt::format("--cpu: {}", error.what()));
  }
  return number;
}

/// The scenario that was asked for, or the first one that the transport fits.
std::size_t choose_scenario(const Row& row, const std::string& name) {
  if (!name.empty()) {
    const std::vector<std::size_t> scenarios = match_scenarios(name);
    if (scenarios.size() != 1)
      throw UsageError(fmt::format("--scenario '{}': expected one of them", printable(name)));
    return scenarios.front();
  }
  for (std::size_t i = 0; i < row.cells.size(); ++i)
    if (row.cells[i] != nullptr) return i;
  throw UsageError(fmt::format("{} fits no scenario", row.facts.name));
}

const Row& choose_row(const std::string& name) {
  const std::vector<const Row*> rows = match_rows(name);
  if (rows.size() == 1) return *rows.front();
  for (const Row* row : rows)
    if (row->facts.name == name) return *row;
  throw UsageError(fmt::format("'{}' is {} transports; expected one, such as {}", printable(name),
                               rows.size(), rows.front()->facts.name));
}

PlannedCell cell_of(const ControlBlock& control) {
  const Params& params = control.params;
  const Row* row = find_row(control.transport);
  const std::optional<std::size_t> scenario = find_scenario(control.scenario);
  if (row == nullptr || !scenario || row->cells[*scenario] == nullptr)
    throw UsageError(fmt::format("{} of {}: this ipcbench has no such cell",
                                 printable(control.scenario), printable(control.transport)));
  const auto& cpus = params.cpus;
  const bool sized = all_scenarios()[*scenario].sized && row->facts.boundary != Boundary::none;
  return {.transport = control.transport,
          .scenario = control.scenario,
          .size = sized ? std::optional<std::uint64_t>(params.size) : std::nullopt,
          .mix = {},
          .place = {.name = cpus[0] < 0 && cpus[1] < 0 ? "none"
                                                       : fmt::format("pin:{},{}", cpus[0], cpus[1]),
                    .cpus = cpus,
                    .impossible = ""},
          .manner = params.manner,
          .load = params.load,
          .skipped = ""};
}

/// Plays an end in a process that was made for it. Returns its exit status.
int play_end(ControlBlock& control, const RunDirectory& directory, std::size_t index) {
  EndRecord& record = control.ends[index];
  try {
    ::signal(SIGPIPE, SIG_IGN);  // a dead peer is an error to report
    cell_of(control);
    const Row& row = loaded(*find_row(control.transport));
    if (const std::string why = row.unavailable(); !why.empty()) throw std::runtime_error(why);
    // Who doesn't make the link waits until it is there.
    while (!directory.is_ours() && control.link_made.load(std::memory_order_acquire) == 0)
      futex_wait(control.link_made, 0);
    Runner runner(control, control.params, directory, row.variant, index);
    row.cells[find_scenario(control.scenario).value()](runner);
    return 0;
  } catch (const std::exception& error) {
    note_error(record, error.what());
    return 1;
  }
}

pid_t fork_end(ControlBlock& control, const RunDirectory& directory, std::size_t index) {
  const pid_t command = ::getpid();
  const pid_t pid = check(::fork(), "fork");
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != command) ::_exit(1);
  ::setpgid(0, 0);  // Ctrl-C is the command's to handle
  Interrupts::restore();
  control.ends[index].pid.store(::getpid(), std::memory_order_release);
  ::_exit(play_end(control, directory, index));
}

/// What a launcher has started forks the end, so that somebody knows how it ends, and belongs to
/// the runner's group, whose processes the driver ends. It dies with the launcher.
int keep_end(ControlBlock& control, const RunDirectory& directory, std::size_t index) {
  EndRecord& record = control.ends[index];
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  check(::setpgid(0, control.runner.pid.load(std::memory_order_acquire)), "setpgid");
  const pid_t keeper = ::getpid();
  const pid_t pid = check(::fork(), "fork");
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != keeper) ::_exit(1);
    ::_exit(play_end(control, directory, index));
  }
  record.pid.store(pid, std::memory_order_release);
  reap_end(record);
  return record.exit_status == 0 ? exit_ok : exit_failed;
}

/// What became of an end that a command watched.
struct Watch {
  std::string failure;  ///< why it isn't ok, or ""
  int signal = 0;       ///< that interrupted the command, or 0
};

/// Waits for our own end; ends it when the other command is gone, the deadline has passed, or we
/// are interrupted. The clock runs from when both commands are there.
Watch watch(ControlBlock& control, std::size_t own, pid_t end, Interrupts& interrupts) {
  const std::size_t other = 1 - own;
  const Fd end_fd = open_pidfd(end);
  Fd other_fd;
  std::int64_t deadline_ns = INT64_MAX;
  Watch result;
  int wait_ms = -1;
  bool killed = false;
  const auto give_up = [&](std::string why) {
    if (result.failure.empty()) result.failure = std::move(why);
    ::kill(end, SIGKILL);
    killed = true;
  };
  while (true) {
    const pid_t other_pid = control.command_pids[other].load(std::memory_order_acquire);
    if (other_pid != 0 && deadline_ns == INT64_MAX) {
      deadline_ns = monotonic_ns() + control.params.timeout_ns;
      try {
        other_fd = open_pidfd(other_pid);
      } catch (const std::system_error&) {
        wait_ms = grace_ms;  // it has come and gone
      }
    }
    std::array<pollfd, 3> fds{
        {{end_fd.get(), POLLIN, 0}, {interrupts.fd(), POLLIN, 0}, {other_fd.get(), POLLIN, 0}}};
    const int ready = ::poll(fds.data(), fds.size(), wait_ms >= 0 ? wait_ms : 20);
    if (fds[0].revents != 0) break;
    if (killed) continue;
    if (interrupts.arrived() != 0) {
      result.signal = interrupts.arrived();
      give_up(fmt::format("interrupted by {}", signal_text(result.signal)));
    } else if (ready == 0 && wait_ms >= 0) {
      give_up(fmt::format("the other side is gone ({})", whereabouts(control)));
    } else if (fds[2].revents != 0) {
      other_fd.close();
      wait_ms = grace_ms;
    } else if (monotonic_ns() >= deadline_ns) {
      give_up(fmt::format("not done after {:.3g} s ({})",
                          static_cast<double>(control.params.timeout_ns) / 1e9,
                          whereabouts(control)));
    }
  }
  int status = 0;
  check(retry([&] { return ::waitpid(end, &status, 0); }), "waitpid");
  EndRecord& record = control.ends[own];
  record.exit_status = status;
  record.reaped = true;
  if (result.failure.empty() && status != 0) result.failure = cause(control, 0);
  return result;
}

int report_failure(const Watch& seen) {
  fmt::print(stderr, "ipcbench: failed: {}\n", printable(seen.failure, 400));
  return seen.signal != 0 ? 128 + seen.signal : exit_failed;
}

/// Maps the block that `serve` has made, once it is whole.
Mapping find_control(const std::string& name, std::optional<RunDirectory>& directory) {
  const std::int64_t deadline_ns = monotonic_ns() + patience_ns;
  while (monotonic_ns() < deadline_ns) {
    try {
      directory.emplace(RunDirectory::Find{}, name);
      const std::string path = control_path(*directory);
      const Fd fd(check(::open(path.c_str(), O_RDWR | O_CLOEXEC), "open", path));
      struct stat status;
      check(::fstat(fd.get(), &status), "fstat", path);
      if (status.st_size == static_cast<off_t>(sizeof(ControlBlock)))
        return Mapping(sizeof(ControlBlock), fd.get());
      if (status.st_size != 0)
        throw UsageError(
            fmt::format("--name {}: served by another version of ipcbench, whose "
                        "control block has {} bytes; expected {}",
                        printable(name), status.st_size, sizeof(ControlBlock)));
    } catch (const std::system_error& error) {
      if (error.code().value() != ENOENT) throw;
    }
    directory.reset();
    ::poll(nullptr, 0, 20);
  }
  throw UsageError(
      fmt::format("--name {}: nobody serves it; expected a running 'ipcbench serve "
                  "TRANSPORT --name {}' of the same user, with the same TMPDIR",
                  printable(name), printable(name)));
}

void add_common_options(CLI::App& command, PairOptions& options) {
  command.add_option("--name", options.name, "The name that the two commands have in common")
      ->required()
      ->type_name("NAME");
  command.add_option("--cpu", options.cpu, "Pin this command's end to a CPU")->type_name("CPU");
}

/// The results of one run, as `ipcbench run` writes them.
int report(const ControlBlock& control, const PairOptions& options,
           const std::vector<std::string>& command_line, const Topology& topology,
           const Outcome& outcome) {
  const Params& params = control.params;
  const PlannedCell cell = cell_of(control);
  const Plan plan{.cells = {cell},
                  .order = {{0, 1}},
                  .repeats = 1,
                  .depth = params.depth,
                  .warmup_ns = params.warmup_ns,
                  .min_time_ns = params.min_time_ns,
                  .timeout_ns = params.timeout_ns,
                  .count = params.count,
                  .seed = 0};
  const Json document = results_json(make_context(command_line, topology, params.tick_rate), plan,
                                     {run_json(cell, 1, 0, outcome)}, true);
  if (!options.output.empty()) write_results(document, options.output);
  if (options.json) write_results(document, "-");
  if (!options.json && options.output != "-")
    fmt::print("{}", render(records_of(document, options.name), TableFormat::text));
  return exit_ok;
}

}  // namespace

void add_serve_options(CLI::App& command, PairOptions& options) {
  const auto add = [&](const char* flag, std::string PairOptions::*value, const char* type,
                       const char* help) {
    command.add_option(flag, options.*value, help)->type_name(type)->capture_default_str();
  };
  command.add_option("transport", options.transport, "One transport whose ends have a name")
      ->required();
  add_common_options(command, options);
  add("-S,--scenario", &PairOptions::scenario, "NAME", "One scenario; the first that fits if none");
  add("-s,--size", &PairOptions::size, "SIZE", "Message size");
  add("--wait", &PairOptions::waiting, "WAY", "How an end waits: block, poll, spin");
  add("--depth", &PairOptions::depth, "N", "Messages that a channel is asked to hold");
  add("--count", &PairOptions::count, "N", "Measure exactly N messages; 0: calibrated");
  add("-w,--warmup", &PairOptions::warmup, "TIME", "Warm-up");
  add("--min-time", &PairOptions::min_time, "TIME", "Measured time that the run aims at");
  add("--timeout", &PairOptions::timeout, "TIME", "After this time together, give up");
}

void add_connect_options(CLI::App& command, PairOptions& options) {
  add_common_options(command, options);
  command.add_option("-o,--output", options.output, "Results file; - is stdout")->type_name("FILE");
  command.add_flag("--json", options.json, "Print the results file instead of the table");
}

int serve_command(const PairOptions& options) {
  check_name(options.name);
  const Topology topology;
  const Row& row = choose_row(options.transport);
  const std::size_t scenario = choose_scenario(row, options.scenario);
  Params params;
  params.size = parse_size(options.size);
  params.depth = parse_number(options.depth, "--depth", 1, 1 << 20);
  params.count = parse_number(options.count, "--count", 0, 1'000'000'000'000);
  params.warmup_ns = parse_duration(options.warmup, "--warmup", 0, 60);
  params.min_time_ns = parse_duration(options.min_time, "--min-time", 0.001, 600);
  params.timeout_ns = parse_duration(options.timeout, "--timeout", 0.01, 86'400);
  params.manner = {.waiting = parse_waiting(options.waiting), .start = Start::exec};
  params.cpus[consumer_end] = parse_cpu(options.cpu, topology);
  const Shape shape{.size = all_scenarios()[scenario].sized ? params.size : 0,
                    .depth = params.depth,
                    .waiting = params.manner.waiting,
                    .variant = row.variant};
  if (const std::string why = row.unavailable(); !why.empty()) {
    fmt::print(stderr, "ipcbench: {} can't run here: {}\n", row.facts.name, why);
    return exit_nothing_ran;
  }
  if (const std::string why = misfit(row, scenario, shape, Start::exec); !why.empty())
    throw UsageError(fmt::format("{}: {}", row.facts.name, why));
  params.tick_rate = measure_tick_rate();

  const RunDirectory directory{options.name};
  Interrupts interrupts;
  // It gets its final name when it is whole.
  const std::string path = control_path(directory);
  const std::string fresh = path + ".new";
  const Fd file(
      check(::open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), "open", fresh));
  check(::ftruncate(file.get(), sizeof(ControlBlock)), "ftruncate", fresh);
  const Mapping memory(sizeof(ControlBlock), file.get());
  auto& control = *new (memory.data()) ControlBlock{};
  fill(control, row, scenario, params);
  control.command_pids[consumer_end].store(::getpid(), std::memory_order_release);
  check(::rename(fresh.c_str(), path.c_str()), "rename", fresh);
  fmt::print(stderr, "serving {} of {} as '{}'; now run: ipcbench connect --name {}\n",
             control.scenario, row.facts.name, options.name, options.name);
  const pid_t end = fork_end(control, directory, consumer_end);
  const Watch seen = watch(control, consumer_end, end, interrupts);
  if (!seen.failure.empty()) return report_failure(seen);
  fmt::print("{}: done, {} messages measured\n", cell_of(control).key(),
             control.ends[consumer_end].count);
  return exit_ok;
}

int connect_command(const PairOptions& options, const std::vector<std::string>& command_line) {
  check_name(options.name);
  const Topology topology;
  std::optional<RunDirectory> directory;
  const Mapping memory = find_control(options.name, directory);
  auto& control = *std::launder(reinterpret_cast<ControlBlock*>(memory.data()));
  if (control.layout != ControlBlock::layout_version)
    throw UsageError(
        fmt::format("--name {}: served by another version of ipcbench (control block "
                    "{}); expected {}",
                    options.name, control.layout, ControlBlock::layout_version));
  cell_of(control);  // throws where this build has no such cell
  std::int32_t nobody = 0;
  Interrupts interrupts;
  if (!control.command_pids[producer_end].compare_exchange_strong(nobody, ::getpid()))
    throw UsageError(fmt::format("--name {}: process {} is connected already; serve another name",
                                 options.name, nobody));
  control.params.cpus[producer_end] = parse_cpu(options.cpu, topology);
  const Surroundings before = look_around(control.params.tick_rate);
  const pid_t end = fork_end(control, *directory, producer_end);
  const Watch seen = watch(control, producer_end, end, interrupts);
  if (!seen.failure.empty()) return report_failure(seen);
  // What the other end has counted is whole when it has got that far.
  const std::int64_t deadline_ns = monotonic_ns() + grace_ms * std::int64_t{1'000'000};
  while (control.ends[consumer_end].phase.load(std::memory_order_acquire) < Phase::closing &&
         monotonic_ns() < deadline_ns)
    ::poll(nullptr, 0, 1);
  return report(control, options, command_line, topology, conclude(control, before));
}

int end_command(const std::vector<std::string>& arguments) {
  if (arguments.size() != 3)
    throw UsageError("end: is for ipcbench itself; see 'ipcbench serve --help'");
  const std::size_t index = parse_number(arguments[2], "end", 0, ControlBlock::ends_max - 1);
  const Fd file(check(::open(arguments[0].c_str(), O_RDWR | O_CLOEXEC), "open", arguments[0]));
  const Mapping memory(sizeof(ControlBlock), file.get());
  auto& control = *std::launder(reinterpret_cast<ControlBlock*>(memory.data()));
  const RunDirectory directory(RunDirectory::Join{}, arguments[1], index == consumer_end);
  const auto live = control.params.manner.start == Start::launch ? keep_end : play_end;
  ::_exit(live(control, directory, index));
}

}  // namespace ipcbench
