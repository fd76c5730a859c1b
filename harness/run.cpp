#include "harness/run.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "harness/daemon.h"
#include "harness/scheduling.h"

namespace ipcbench {
namespace {

constexpr std::uint64_t warmup_messages_min = 100;
constexpr double batch_target_ns = 1'500'000;
constexpr int grace_ms = 200;

std::int64_t to_ns(const timeval& time) {
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_usec * std::int64_t{1'000};
}

template <class Field>
void copy_text(Field& field, std::string_view text) {
  const std::size_t size = std::min(text.size(), sizeof field - 1);
  std::memcpy(field, text.data(), size);
  field[size] = '\0';
}

}  // namespace

std::string_view text(Phase phase) {
  switch (phase) {
    case Phase::none:
      return "not started";
    case Phase::starting:
      return "starting";
    case Phase::opening:
      return "opening";
    case Phase::warming_up:
      return "warming up";
    case Phase::measuring:
      return "measuring";
    case Phase::closing:
      return "closing";
    case Phase::done:
      return "done";
  }
  return "?";
}

std::string_view text(Start start) {
  switch (start) {
    case Start::fork:
      return "fork";
    case Start::exec:
      return "exec";
    case Start::launch:
      return "launch";
  }
  return "?";
}

std::vector<std::string> Manner::words() const {
  std::vector<std::string> words;
  if (waiting != Waiting::block) words.push_back(fmt::format("wait:{}", text(waiting)));
  if (start != Start::fork) words.push_back(fmt::format("start:{}", text(start)));
  if (is_mailbox()) words.push_back(fmt::format("peers:{}x{}", producers, consumers));
  if (peer != Peer::process) words.push_back(fmt::format("peer:{}", text(peer)));
  return words;
}

void pin(int cpu) {
  if (cpu < 0) return;
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<std::size_t>(cpu), &cpus);
  check(::sched_setaffinity(0, sizeof cpus, &cpus), "sched_setaffinity", std::to_string(cpu));
}

void enter(EndRecord& record, Phase phase, const Params& params) {
  record.phase.store(phase, std::memory_order_release);
  if (params.stop_at[0] != '\0' && params.stop_at == fmt::format("{}:{}", record.role, text(phase)))
    ::raise(SIGSTOP);
}

void reap_end(EndRecord& record) {
  int status = 0;
  rusage usage;
  const pid_t pid = record.pid.load(std::memory_order_relaxed);
  check(retry([&] { return ::wait4(pid, &status, 0, &usage); }), "wait4");
  record.exit_status = status;
  record.reaped = true;
  record.life_user_ns = to_ns(usage.ru_utime);
  record.life_system_ns = to_ns(usage.ru_stime);
  record.resident_max_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

void note_error(EndRecord& record, std::string_view error) {
  copy_text(record.error, error);
}

void End::enter(Phase phase) {
  ipcbench::enter(record_, phase, params_);
}

void End::meet() {
  const std::uint32_t meeting = control_.meetings.load(std::memory_order_acquire);
  if (control_.arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == control_.meeting_size) {
    control_.arrived.store(0, std::memory_order_relaxed);
    control_.meetings.store(meeting + 1, std::memory_order_release);
    futex_wake(control_.meetings, INT_MAX);
    return;
  }
  while (control_.meetings.load(std::memory_order_acquire) == meeting)
    futex_wait(control_.meetings, meeting);
}

std::uint64_t End::warm_up(const std::function<void(std::uint64_t, std::uint64_t)>& loop) {
  enter(Phase::warming_up);
  const bool leads = index_ == 0;
  const auto warmup_ns = static_cast<double>(params_.warmup_ns);
  std::uint64_t first = 0;
  double total_ns = 0;
  if (leads) control_.round_count = 1;
  while (true) {
    meet();
    const std::uint64_t count = control_.round_count;
    if (count == 0) return first;
    const std::int64_t start_ns = monotonic_ns();
    loop(first, count);
    meet();
    first += count;
    if (!leads) continue;
    const auto round_ns = static_cast<double>(monotonic_ns() - start_ns);
    total_ns += round_ns;
    const bool warm =
        (total_ns >= warmup_ns && first >= warmup_messages_min) || total_ns >= 10 * warmup_ns;
    control_.round_count = warm ? 0 : 2 * count;
    if (warm) plan_batches(round_ns / static_cast<double>(count));
  }
}

/// Splits the measured time into sub-batches of about 1.5 ms.
void End::plan_batches(double message_ns) {
  constexpr auto batches_max = static_cast<double>(ControlBlock::batches_max);
  const auto min_time_ns = static_cast<double>(params_.min_time_ns);
  const double wanted = params_.count != 0 ? static_cast<double>(params_.count)
                                           : std::max(1.0, min_time_ns / std::max(message_ns, 0.1));
  const double batch_ns = std::max(batch_target_ns, wanted * message_ns / batches_max);
  const double batches =
      std::clamp(std::round(wanted * message_ns / batch_ns), std::min(wanted, 8.0), batches_max);
  control_.batch_messages = static_cast<std::uint64_t>(std::ceil(wanted / batches));
  control_.batch_count =
      static_cast<std::uint64_t>(std::ceil(wanted / static_cast<double>(control_.batch_messages)));
}

void End::add_usage(int sign) {
  // Of two ends that are programs, the last one has started the daemon.
  if (index_ + 1 == control_.meeting_size) record_.daemons_ns += sign * Daemon::cpu_ns();
  // rusage knows of a thread what it was at the last tick.
  record_.threads_ns +=
      sign * (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - clock_ns(CLOCK_THREAD_CPUTIME_ID));
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  record_.user_ns += sign * to_ns(usage.ru_utime);
  record_.system_ns += sign * to_ns(usage.ru_stime);
  const auto add = [&](std::uint64_t& sum, long count) {
    sum += static_cast<std::uint64_t>(sign * count);
  };
  add(record_.voluntary_switches, usage.ru_nvcsw);
  add(record_.involuntary_switches, usage.ru_nivcsw);
  add(record_.page_faults, usage.ru_minflt + usage.ru_majflt);
}

void End::start_measuring(bool timekeeper) {
  const SchedulerCounts before = scheduler_counts();  // reading it isn't measured
  record_.migrations = -before.migrations;
  record_.kept_waiting_ns = -before.kept_waiting_ns;
  if (timekeeper) {
    control_.histogram.clear();
    control_.second_histogram.clear();
  }
  meet();
  enter(Phase::measuring);
  measuring_ = true;
  record_.user_ns = record_.system_ns = record_.threads_ns = record_.daemons_ns = 0;
  record_.voluntary_switches = record_.involuntary_switches = record_.page_faults = 0;
  add_usage(-1);
  counters_.start();
  start_ns_ = monotonic_ns();
}

void End::stop_measuring(std::uint64_t count) {
  record_.elapsed_ns = monotonic_ns() - start_ns_;
  record_.counters = counters_.stop();
  add_usage(1);
  const SchedulerCounts after = scheduler_counts();
  record_.migrations = after.migrations < 0 ? -1 : record_.migrations + after.migrations;
  record_.kept_waiting_ns =
      after.kept_waiting_ns < 0 ? -1 : record_.kept_waiting_ns + after.kept_waiting_ns;
  record_.count = count;
  enter(Phase::closing);
}

NamedValue& End::value(std::string_view name) {
  for (NamedValue& value : control_.values)
    if (value.name[0] == '\0' || name == value.name) {
      copy_text(value.name, name);
      return value;
    }
  throw std::logic_error("a scenario has too many measures of its own");
}

void End::set_value(std::string_view name, double number, std::string_view note) {
  value(name).value = number;
  copy_text(value(name).note, note);
}

void End::set_no_value(std::string_view name, std::string_view why) {
  value(name).value = std::nan("");
  copy_text(value(name).note, why);
}

Shape Runner::shape(int producers, int consumers) const {
  return {.size = params_.size,
          .depth = params_.depth,
          .shares_core = params_.is_crowded || producers > 1 || consumers > 1 ||
                         (params_.cpus[0] >= 0 && params_.cpus[0] == params_.cpus[1]),
          .waiting = params_.manner.waiting,
          .peer = params_.manner.peer,
          .is_launched = params_.manner.start == Start::launch,
          .producers = producers,
          .consumers = consumers,
          .directory = &directory_,
          .variant = variant_};
}

void Runner::run(const std::vector<EndPlan>& ends) {
  if (ends.size() > ControlBlock::ends_max)
    throw std::runtime_error(
        fmt::format("{} ends; a run has at most {}", ends.size(), ControlBlock::ends_max));
  if (!only_) {
    control_.meeting_size = static_cast<std::uint32_t>(ends.size());
    for (std::size_t index = 0; index < ends.size(); ++index) fork_end(index, ends[index]);
    reap(ends.size());
    return;
  }
  copy_text(control_.ends[*only_].role, ends.at(*only_).role);
  if (directory_.is_ours()) {
    control_.meeting_size = static_cast<std::uint32_t>(ends.size());
    control_.link_made.store(1, std::memory_order_release);
    futex_wake(control_.link_made, INT_MAX);
  }
  play(*only_, ends[*only_]);
}

/// An end's whole life in its own process, except what its exit status is made of.
void Runner::play(std::size_t index, const EndPlan& plan) {
  const int cpu = params_.cpus[static_cast<std::size_t>(plan.side)];
  End end(control_, index, params_);
  end.enter(Phase::starting);
  pin(cpu);
  const bool own_cpu = cpu >= 0 && params_.cpus[0] != params_.cpus[1] && !params_.is_crowded &&
                       !params_.manner.is_mailbox();
  if (params_.fifo && own_cpu) control_.ends[index].is_fifo = run_by_fifo();
  control_.ends[index].cpu = cpu;
  end.enter(Phase::opening);
  plan.body(end);
  // Who made the link takes it away when it returns: not before the others are done with it.
  if (only_) end.meet();
  end.enter(Phase::done);
}

void Runner::fork_end(std::size_t index, const EndPlan& plan) {
  EndRecord& record = control_.ends[index];
  copy_text(record.role, plan.role);
  const pid_t runner = ::getpid();
  const pid_t pid = check(::fork(), "fork");
  if (pid != 0) {
    record.pid.store(pid, std::memory_order_release);
    return;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != runner) ::_exit(1);
  try {
    play(index, plan);
  } catch (const std::exception& error) {
    note_error(record, error.what());
    ::_exit(1);
  }
  ::_exit(0);
}

void Runner::reap(std::size_t count) {
  const std::span<EndRecord> ends(control_.ends, count);
  std::vector<Fd> pidfds;
  std::vector<pollfd> waiting;
  for (const EndRecord& end : ends) {
    pidfds.push_back(open_pidfd(end.pid.load(std::memory_order_relaxed)));
    waiting.push_back({pidfds.back().get(), POLLIN, 0});
  }
  for (Fd& daemon : Daemon::watch()) {  // its clients may wait for ever
    waiting.push_back({daemon.get(), POLLIN, 0});
    pidfds.push_back(std::move(daemon));
  }
  bool failed = false;
  int wait_ms = -1;
  for (std::size_t left = count; left > 0;) {
    const int ready =
        check(retry([&] { return ::poll(waiting.data(), waiting.size(), wait_ms); }), "poll");
    if (ready == 0) {
      for (EndRecord& end : ends) {
        if (end.reaped) continue;
        end.ended_by_runner = true;
        ::kill(end.pid.load(std::memory_order_relaxed), SIGKILL);
      }
      wait_ms = -1;
    }
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      waiting[i].fd = -1;
      if (i >= count) {
        failed = true;
        wait_ms = grace_ms;
        continue;
      }
      reap_end(ends[i]);
      --left;
      if (failed || ends[i].exit_status == 0) continue;
      // An end that reports an error may do so because the other one is dying: that one gets the
      // time to be dead by itself, so that the cause is told from its consequence.
      failed = true;
      wait_ms = WIFSIGNALED(ends[i].exit_status) ? 0 : grace_ms;
    }
  }
  if (!failed) return;
  const std::string obituary = Daemon::obituary();
  throw std::runtime_error(obituary.empty() ? std::string(end_failed) : obituary);
}

void Runner::await_launcher(std::size_t count) {
  for (const Fd& launcher : Daemon::watch()) {
    pollfd waiting{launcher.get(), POLLIN, 0};
    check(retry([&] { return ::poll(&waiting, 1, -1); }), "poll");
  }
  bool are_done = true;
  bool has_failed = false;
  for (const EndRecord& end : std::span(control_.ends, count)) {
    are_done &= end.reaped && end.exit_status == 0;
    has_failed |= end.reaped && end.exit_status != 0;
  }
  if (!are_done)
    throw std::runtime_error(has_failed ? std::string(end_failed) : Daemon::obituary());
}

}  // namespace ipcbench
