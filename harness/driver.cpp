#include "harness/driver.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/modules.h"
#include "harness/plan.h"

namespace ipcbench {
namespace {

sigset_t interrupt_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&signals, signal);
  return signals;
}

/// The control block is a memory file that stays open during the run, so that a debugger or a test
/// finds it as /proc/PID/fd/N.
Fd make_control_file() {
  Fd fd(check(::memfd_create("ipcbench-control", MFD_CLOEXEC), "memfd_create"));
  check(::ftruncate(fd.get(), sizeof(ControlBlock)), "ftruncate", "memfd");
  return fd;
}

/// Starts the ends of a run as programs of their own, which get at the control block through the
/// descriptor that they inherit (see end_command). The last one makes the link.
void spawn_ends(ControlBlock& control, const Fd& control_file, const RunDirectory& directory) {
  const pid_t runner = ::getpid();
  const std::string block = fmt::format("/proc/self/fd/{}", control_file.get());
  for (const char* index : {"1", "0"}) {
    EndRecord& record = control.ends[*index - '0'];
    const pid_t pid = check(::fork(), "fork");
    if (pid != 0) {
      record.pid.store(pid, std::memory_order_release);
      continue;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // outlives the exec
    if (::getppid() != runner) ::_exit(1);
    ::fcntl(control_file.get(), F_SETFD, 0);
    ::execl("/proc/self/exe", "ipcbench", "end", block.c_str(), directory.path().c_str(), index,
            static_cast<char*>(nullptr));
    note_error(record, fmt::format("execl: {}", std::strerror(errno)));
    ::_exit(1);
  }
}

/// The same, started by the library's launcher: they inherit nothing of the runner's.
void launch_ends(const Row& row, Runner& runner, const ControlBlock& control,
                 const Fd& control_file, const RunDirectory& directory) {
  const std::string own = fmt::format("/proc/{}", ::getpid());
  const auto program = [&](const char* index) -> std::vector<std::string> {
    return {own + "/exe", "end", fmt::format("{}/fd/{}", own, control_file.get()), directory.path(),
            index};
  };
  const auto is_there = [&](std::size_t end) {
    return control.ends[end].pid.load(std::memory_order_acquire) != 0;
  };
  const auto launcher = row.launch(
      runner.shape(), {{program("0"), program("1")}, [&] { return is_there(0) && is_there(1); }});
  runner.await_launcher(2);
}

/// The runner's exit status where its module says that the run can't be made here.
constexpr int exit_skipped = 77;

/// A manifest doesn't know what depends on the machine: the module itself is asked, too.
void leave_if_unfit(const Row& row, std::size_t scenario, const Runner& runner, EndRecord& record) {
  const Manner& manner = runner.params().manner;
  const bool is_shared = all_scenarios()[scenario].shareable;
  const Shape shape = is_shared ? runner.shape() : runner.shape(1, 1);
  const std::string why = misfit(row, scenario, shape, manner.start);
  if (why.empty()) return;
  note_error(record, why);
  ::_exit(exit_skipped);
}

/// The runner's process: makes the link, forks the ends, reaps them, and is gone.
[[noreturn]] void be_runner(const Row& row, std::size_t scenario, ControlBlock& control,
                            const Fd& control_file, const RunDirectory& directory, pid_t driver) {
  const Params& params = control.params;
  EndRecord& record = control.runner;
  std::string_view("runner").copy(record.role, sizeof record.role - 1);
  try {
    check(::setpgid(0, 0), "setpgid");
    check(::prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
    if (::getppid() != driver) ::_exit(1);
    Interrupts::restore();
    ::signal(SIGPIPE, SIG_IGN);  // a dead peer is an error to report, in the ends too
    enter(record, Phase::starting, params);
    const Row& real = loaded(row);
    Runner runner(control, params, directory, real.variant);
    if (row.module != nullptr) leave_if_unfit(real, scenario, runner, record);
    if (params.manner.start == Start::exec) {
      spawn_ends(control, control_file, directory);
      runner.reap(2);
    } else if (params.manner.start == Start::launch) {
      launch_ends(real, runner, control, control_file, directory);
    } else {
      real.cells[scenario](runner);
    }
    enter(record, Phase::done, params);
  } catch (const std::exception& error) {
    note_error(record, error.what());
    ::_exit(1);
  }
  ::_exit(0);
}

/// "producer: measuring, at message 512"
std::string whereabouts(const EndRecord& record) {
  const Phase phase = record.phase.load(std::memory_order_acquire);
  const std::uint64_t message = record.message.load(std::memory_order_relaxed);
  if (phase == Phase::warming_up || phase == Phase::measuring)
    return fmt::format("{} {}, at message {}", record.role, text(phase), message);
  return fmt::format("{} {}", record.role, text(phase));
}

}  // namespace

std::string whereabouts(const ControlBlock& control) {
  std::string all;
  for (const EndRecord& record : control.ends)
    if (record.role[0] != '\0') all += (all.empty() ? "" : "; ") + whereabouts(record);
  return all.empty() ? whereabouts(control.runner) : all;
}

std::string cause(const ControlBlock& control, int runner_status) {
  for (const EndRecord& record : control.ends) {
    if (!record.reaped || record.ended_by_runner || !WIFSIGNALED(record.exit_status)) continue;
    return fmt::format("{} killed by {} ({})", record.role,
                       signal_text(WTERMSIG(record.exit_status)), whereabouts(record));
  }
  if (WIFSIGNALED(runner_status))
    return fmt::format("runner killed by {} ({})", signal_text(WTERMSIG(runner_status)),
                       whereabouts(control));
  if (control.runner.error[0] != '\0' && control.runner.error != end_failed) {
    const bool has_ends = control.ends[0].role[0] != '\0';
    return fmt::format("runner: {}{}", control.runner.error,
                       has_ends ? fmt::format(" ({})", whereabouts(control)) : "");
  }
  for (const EndRecord& record : control.ends)
    if (record.error[0] != '\0')
      return fmt::format("{}: {} ({})", record.role, record.error, whereabouts(record));
  return fmt::format("runner exited with {} ({})", WEXITSTATUS(runner_status),
                     whereabouts(control));
}

namespace {

/// Ends what is left of a run. The driver is a subreaper, so orphaned ends become its children.
void reap_leftovers(pid_t runner) {
  ::kill(-runner, SIGKILL);
  while (retry([&] { return ::waitpid(-runner, nullptr, 0); }) > 0) {
  }
}

/// Whether no two ends share a CPU, whatever the scheduler does.
bool have_own_cpus(const std::vector<EndOutcome>& ends) {
  for (const EndOutcome& end : ends)
    for (const EndOutcome& other : ends)
      if (end.cpu < 0 || (&end != &other && end.cpu == other.cpu)) return false;
  return true;
}

/// What an end wrote, unless it couldn't read it.
template <class Number>
std::optional<Number> known(std::int64_t value) {
  return value < 0 ? std::nullopt : std::optional(static_cast<Number>(value));
}

void read_measures(const ControlBlock& control, Outcome& outcome) {
  for (const EndRecord& record : control.ends) {
    if (record.role[0] == '\0') continue;
    outcome.ends.push_back({.role = record.role,
                            .cpu = record.cpu,
                            .count = record.count,
                            .elapsed_ns = record.elapsed_ns,
                            .user_ns = record.user_ns,
                            .system_ns = record.system_ns,
                            .threads_ns = std::max<std::int64_t>(record.threads_ns, 0),
                            .voluntary_switches = record.voluntary_switches,
                            .involuntary_switches = record.involuntary_switches,
                            .page_faults = record.page_faults,
                            .migrations = known<std::uint64_t>(record.migrations),
                            .kept_waiting_ns = known<std::int64_t>(record.kept_waiting_ns),
                            .is_fifo = record.is_fifo,
                            .counters = record.counters,
                            .life_user_ns = record.life_user_ns,
                            .life_system_ns = record.life_system_ns,
                            .resident_max_bytes = record.resident_max_bytes});
    outcome.daemons_ns += record.daemons_ns;
    if (record.is_lossy) {
      if (!outcome.losses) outcome.losses.emplace();
      outcome.losses->lost += record.losses.lost;
      outcome.losses->reordered += record.losses.reordered;
      outcome.losses->duplicates += record.losses.duplicates;
    }
    // The end that finishes last has seen everything: in a flood that is the consumer.
    outcome.elapsed_ns = std::max(outcome.elapsed_ns, record.elapsed_ns);
  }
  outcome.batch_messages = control.batch_messages;
  outcome.count = control.batch_count * control.batch_messages;
  if (control.batch_count == 0)
    for (const EndOutcome& end : outcome.ends) outcome.count = std::max(outcome.count, end.count);
  outcome.count *= std::max<std::uint64_t>(control.multiplicity, 1);
  if (control.batch_ns[0] != 0)  // somebody kept them
    outcome.batch_ns.assign(control.batch_ns, control.batch_ns + control.batch_count);
  if (control.histogram.count() > 0) outcome.histogram = control.histogram;
  if (control.second_histogram.count() > 0) outcome.second_histogram = control.second_histogram;
  for (const NamedValue& value : control.values)
    if (value.name[0] != '\0') outcome.values.push_back({value.name, value.value, value.note});
  if (control.depth != 0) outcome.depth = control.depth;
  outcome.verified_bytes = control.verified_bytes;
}

}  // namespace

Outcome conclude(const ControlBlock& control, const Surroundings& before) {
  Outcome outcome;
  const TickRate rate = control.params.tick_rate;
  const Surroundings after = look_around(rate);
  outcome.took_ns = after.clocks.monotonic_ns - before.clocks.monotonic_ns;
  read_measures(control, outcome);
  const auto scenario = find_scenario(control.scenario);
  outcome.noise = judge(before, after,
                        {.ends = outcome.ends,
                         .batch_ns = outcome.batch_ns,
                         .daemons_ns = outcome.daemons_ns,
                         .makes_processes = scenario && all_scenarios()[*scenario].only_forks,
                         .own_cpus = have_own_cpus(outcome.ends),
                         .rate = rate});
  if (std::string_view(control.scenario) != "verify")
    outcome.reason = fmt::format("{}", fmt::join(outcome.noise.reasons, "; "));
  else if (outcome.losses && outcome.losses->lost > 0)  // a proof isn't timed
    outcome.reason =
        fmt::format("{} messages were lost though their sender was paced", outcome.losses->lost);
  outcome.status = outcome.reason.empty() ? Status::ok : Status::suspect;
  return outcome;
}

void fill(ControlBlock& control, const Row& row, std::size_t scenario, const Params& params) {
  row.facts.name.copy(control.transport, sizeof control.transport - 1);
  all_scenarios()[scenario].name.copy(control.scenario, sizeof control.scenario - 1);
  control.params = params;
  control.layout = ControlBlock::layout_version;
}

std::string_view text(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::skipped:
      return "skipped";
    case Status::failed:
      return "failed";
    case Status::suspect:
      return "suspect";
  }
  return "?";
}

Interrupts::Interrupts() {
  const sigset_t signals = interrupt_signals();
  check(::sigprocmask(SIG_BLOCK, &signals, nullptr), "sigprocmask");
  fd_ = Fd(check(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd"));
  check(::prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl", "PR_SET_CHILD_SUBREAPER");
}

Interrupts::~Interrupts() {
  restore();
}

void Interrupts::restore() {
  const sigset_t signals = interrupt_signals();
  ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
}

int Interrupts::arrived() {
  signalfd_siginfo info;
  if (signal_ == 0 && ::read(fd_.get(), &info, sizeof info) == sizeof info)
    signal_ = static_cast<int>(info.ssi_signo);
  return signal_;
}

Outcome execute(const Row& row, std::size_t scenario, const Params& params,
                const RunDirectory& directory, Interrupts& interrupts) {
  const Fd control_file = make_control_file();
  const Mapping memory(sizeof(ControlBlock), control_file.get());
  auto& control = *new (memory.data()) ControlBlock{};
  fill(control, row, scenario, params);
  const Surroundings before = look_around(params.tick_rate);
  const pid_t driver = ::getpid();
  const pid_t runner = check(::fork(), "fork");
  if (runner == 0) be_runner(row, scenario, control, control_file, directory, driver);
  control.runner.pid.store(runner, std::memory_order_release);
  ::setpgid(runner, runner);  // the runner does it too: whoever comes first

  const Fd pidfd = open_pidfd(runner);
  const std::int64_t deadline_ns = monotonic_ns() + params.timeout_ns;
  std::string ended;
  while (ended.empty()) {
    std::array<pollfd, 2> fds{{{pidfd.get(), POLLIN, 0}, {interrupts.fd(), POLLIN, 0}}};
    const std::int64_t left_ms = (deadline_ns - monotonic_ns() + 999'999) / 1'000'000;
    const auto wait_ms = static_cast<int>(std::clamp<std::int64_t>(left_ms, 0, 1'000'000'000));
    const int ready = ::poll(fds.data(), fds.size(), wait_ms);
    if (ready > 0 && fds[0].revents != 0) break;
    if (interrupts.arrived() != 0)
      ended = fmt::format("interrupted by {}", signal_text(interrupts.arrived()));
    else if (monotonic_ns() >= deadline_ns)
      ended = fmt::format("not done after {:.3g} s ({})",
                          static_cast<double>(params.timeout_ns) / 1e9, whereabouts(control));
  }
  if (!ended.empty()) ::kill(-runner, SIGKILL);
  int status = 0;
  retry([&] { return ::waitpid(runner, &status, 0); });
  reap_leftovers(runner);
  directory.clear();

  if (ended.empty() && status == 0) return conclude(control, before);
  Outcome outcome;
  outcome.took_ns = monotonic_ns() - before.clocks.monotonic_ns;
  if (ended.empty() && WIFEXITED(status) && WEXITSTATUS(status) == exit_skipped) {
    outcome.status = Status::skipped;
    outcome.reason = control.runner.error;
    return outcome;
  }
  outcome.reason = ended.empty() ? cause(control, status) : ended;
  return outcome;
}

}  // namespace ipcbench
