// Any process of a run may be killed at any phase: nothing hangs, the dead one is named with its
// phase, and nothing is left. For every transport; and for one of each kind of name, of pairs that
// start as two programs and of mailboxes. A mechanism may leave its survivor waiting for ever: the
// runner watches the ends by pidfd and ends it.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/driver.h"
#include "harness/leftovers_test.h"
#include "harness/plan.h"
#include "transports/rows_test.h"

namespace ipcbench {
namespace {

namespace fs = std::filesystem;

/// Asks until the answer is yes, for at most ten seconds.
bool eventually(const std::function<bool()>& question) {
  const std::int64_t deadline_ns = monotonic_ns() + 10'000'000'000;
  while (!question()) {
    if (monotonic_ns() > deadline_ns) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

bool is_alive(pid_t pid) {
  // A zombie whose parent is slow to reap it is dead enough.
  const std::string status = read_text(fmt::format("/proc/{}/stat", pid));
  const std::size_t name_end = status.rfind(')');
  return name_end != std::string::npos && status.size() > name_end + 2 &&
         status[name_end + 2] != 'Z' && status[name_end + 2] != 'X';
}

pid_t parent_of(pid_t pid) {
  const std::string status = read_text(fmt::format("/proc/{}/status", pid));
  const std::size_t at = status.find("\nPPid:");
  return at == std::string::npos ? -1 : std::stoi(status.substr(at + 6));
}

/// A run that doesn't end by itself, in a small size.
Params endless(const Row& row, const Manner& manner, const std::string& stop_at) {
  static const TickRate rate = measure_tick_rate();
  Params params;
  params.size = std::min(params.size, row.message_max().value_or(params.size));
  params.count = std::uint64_t{1} << 40;
  params.manner = manner;
  params.warmup_ns = 1'000'000;
  params.tick_rate = rate;
  stop_at.copy(params.stop_at, sizeof params.stop_at - 1);
  return params;
}

/// The first scenario that the row fits and that warms up; of a mailbox, the one that is for
/// mailboxes.
std::size_t scenario_for(const Row& row, const Manner& manner) {
  if (manner.is_mailbox()) return find_scenario("flood").value();
  std::size_t scenario = 0;
  while (row.cells.at(scenario) == nullptr || all_scenarios()[scenario].only_forks) ++scenario;
  return scenario;
}

/// A driver in a process of its own, with one run that doesn't end by itself. What it says of the
/// run comes back through a pipe.
class Driver {
 public:
  Driver(const Row& row, const Manner& manner, const std::string& stop_at)
      : Driver(row, scenario_for(row, manner), manner, stop_at) {}
  Driver(const Row& row, std::size_t scenario, const Manner& manner, const std::string& stop_at) {
    Params params = endless(row, manner, stop_at);
    if (all_scenarios()[scenario].only_forks) {  // some keep a reading for each message
      params.count = 0;
      params.min_time_ns = 60'000'000'000;
    }
    int fds[2];
    check(::pipe2(fds, O_CLOEXEC), "pipe2");
    answer_ = Fd(fds[0]);
    Fd answer_end(fds[1]);
    pid_ = check(::fork(), "fork");
    if (pid_ == 0) be_driver(row, scenario, params, answer_end.get());
  }
  ~Driver() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  pid_t pid() const { return pid_; }

  /// Maps the control block of its run, once there is one.
  ControlBlock* control() {
    if (control_.size() == 0) {
      eventually([&] { return map_control(); });
    }
    return reinterpret_cast<ControlBlock*>(control_.data());
  }

  /// What the driver said, or "" if it didn't say anything within ten seconds.
  std::string answer() {
    pollfd waiting{answer_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, 10'000) != 1) return "";
    char text[1024];
    const ssize_t size = ::read(answer_.get(), text, sizeof text);
    return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "";
  }
  void kill() {
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }
  /// Waits for it to end by itself.
  int join() {
    int status = -1;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return status;
  }

 private:
  [[noreturn]] static void be_driver(const Row& row, std::size_t scenario, const Params& params,
                                     int answer) {
    std::string text;
    try {
      const RunDirectory directory;
      Interrupts interrupts;
      const Outcome outcome = execute(row, scenario, params, directory, interrupts);
      text = std::string(ipcbench::text(outcome.status)) + " " + outcome.reason;
    } catch (const std::exception& error) {
      text = error.what();
    }
    ::_exit(::write(answer, text.data(), text.size()) > 0 ? 0 : 1);
  }

  bool map_control() {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", pid_), error)) {
      const std::string target = fs::read_symlink(entry.path(), error).string();
      if (target.find("ipcbench-control") == std::string::npos) continue;
      const Fd fd(::open(entry.path().c_str(), O_RDWR | O_CLOEXEC));
      struct stat status;
      if (!fd || ::fstat(fd.get(), &status) != 0 ||
          status.st_size < static_cast<off_t>(sizeof(ControlBlock)))
        continue;
      control_ = Mapping(sizeof(ControlBlock), fd.get());
      return true;
    }
    return false;
  }

  pid_t pid_ = -1;
  Fd answer_;
  Mapping control_;
};

bool is_at(const EndRecord& record, Phase phase) {
  return record.phase.load(std::memory_order_acquire) >= phase &&
         record.pid.load(std::memory_order_acquire) > 0;
}

/// Kills a process of a run. Number 0 would be this process's whole group, with ctest and all.
void kill_one(const EndRecord& record) {
  const pid_t pid = record.pid.load(std::memory_order_acquire);
  ASSERT_GT(pid, 0);
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
}

/// The processes of a run that has begun.
std::vector<pid_t> processes(const ControlBlock& control) {
  std::vector<pid_t> pids{control.runner.pid.load()};
  for (const EndRecord& end : control.ends)
    if (end.pid.load() > 0) pids.push_back(end.pid.load());
  return pids;
}

void expect_all_gone(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) EXPECT_TRUE(eventually([&] { return !is_alive(pid); })) << pid;
}

/// A row, and the manner in which its runs are killed.
struct Victim {
  std::size_t row;
  Manner manner;
};

class Kill : public testing::TestWithParam<Victim> {
 protected:
  void SetUp() override {
    if (const std::string why = why_unavailable(row()); !why.empty()) GTEST_SKIP() << why;
    before_ = Leftovers::now();
  }
  /// After the next command, which begins with a sweep.
  void TearDown() override {
    if (IsSkipped()) return;
    // An end that was forked in the very moment of the kill may take a little longer to be gone.
    EXPECT_TRUE(eventually([] {
      sweep();
      return fs::is_empty(temporary_directory());
    }));
    EXPECT_EQ(Leftovers::now().text(), before_.text());
  }

  const Row& row() const { return all_rows()[GetParam().row]; }
  const Manner& manner() const { return GetParam().manner; }

  /// How many ends the row's run has, and what they are called: from a run that gets that far.
  std::vector<std::string> roles() const {
    Driver driver(row(), manner(), "");
    ControlBlock* control = driver.control();
    EXPECT_TRUE(eventually([&] { return is_at(control->ends[0], Phase::measuring); }));
    std::vector<std::string> names;
    for (const EndRecord& end : control->ends)
      if (end.role[0] != '\0') names.emplace_back(end.role);
    return names;
  }

 private:
  Leftovers before_;
};

TEST_P(Kill, AnEndAtEveryPhase) {
  const std::vector<std::string> ends = roles();
  ASSERT_FALSE(ends.empty());
  for (std::size_t index = 0; index < ends.size(); ++index)
    for (const Phase phase :
         {Phase::starting, Phase::opening, Phase::warming_up, Phase::measuring}) {
      Driver driver(row(), manner(), fmt::format("{}:{}", ends[index], text(phase)));
      ControlBlock* control = driver.control();
      ASSERT_NE(control, nullptr);
      ASSERT_TRUE(eventually([&] { return is_at(control->ends[index], phase); }))
          << ends[index] << " " << text(phase);
      ASSERT_NO_FATAL_FAILURE(kill_one(control->ends[index]));
      const std::string answer = driver.answer();
      EXPECT_TRUE(answer.starts_with("failed " + ends[index] + " killed by signal 9")) << answer;
      EXPECT_NE(answer.find(text(phase)), std::string::npos) << answer;
      EXPECT_EQ(driver.join(), 0);
      expect_all_gone(processes(*control));
    }
}

TEST_P(Kill, TheRunner) {
  for (const bool early : {true, false}) {
    Driver driver(row(), manner(), early ? "runner:starting" : "");
    ControlBlock* control = driver.control();
    ASSERT_NE(control, nullptr);
    // The driver may be slower to note the runner's number than the ends to measure.
    ASSERT_TRUE(eventually([&] {
      return is_at(control->runner, Phase::starting) &&
             (early || is_at(control->ends[0], Phase::measuring));
    }));
    ASSERT_NO_FATAL_FAILURE(kill_one(control->runner));
    const std::string answer = driver.answer();
    EXPECT_TRUE(answer.starts_with("failed runner killed by signal 9")) << answer;
    EXPECT_NE(answer.find(early ? "starting" : "measuring"), std::string::npos) << answer;
    EXPECT_EQ(driver.join(), 0);
    expect_all_gone(processes(*control));
  }
}

TEST_P(Kill, TheDriver) {
  for (const char* stop_at : {"runner:starting", "producer:opening", "holder_1:opening", ""}) {
    Driver driver(row(), manner(), stop_at);
    ControlBlock* control = driver.control();
    ASSERT_NE(control, nullptr);
    const bool early = std::string_view(stop_at).starts_with("runner");
    ASSERT_TRUE(eventually([&] {
      return is_at(control->runner, Phase::starting) &&
             (early || is_at(control->ends[0], Phase::opening));
    }));
    driver.kill();
    expect_all_gone(processes(*control));
  }
}

/// Those that are started by their library's launcher.
class KillLaunched : public Kill {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(KillLaunched);  // where there are none

TEST_P(KillLaunched, TheLauncher) {
  Driver driver(row(), manner(), "");
  ControlBlock* control = driver.control();
  ASSERT_NE(control, nullptr);
  ASSERT_TRUE(eventually([&] { return is_at(control->ends[0], Phase::measuring); }));
  const pid_t launcher = parent_of(parent_of(control->ends[0].pid.load()));
  ASSERT_EQ(parent_of(launcher), control->runner.pid.load());
  ASSERT_EQ(::kill(launcher, SIGKILL), 0);
  const std::string answer = driver.answer();
  EXPECT_TRUE(answer.starts_with("failed runner: ")) << answer;
  EXPECT_NE(answer.find(" was ended by signal 9"), std::string::npos) << answer;
  EXPECT_EQ(driver.join(), 0);
  expect_all_gone(processes(*control));
}

/// The processes beside this one in its IPC namespace, where that is its own.
std::vector<pid_t> neighbours() {
  std::error_code error;
  const auto namespace_of = [&](const std::string& pid) {
    return fs::read_symlink(fmt::format("/proc/{}/ns/ipc", pid), error).string();
  };
  const std::string own = namespace_of("self");
  std::vector<pid_t> pids;
  if (own == namespace_of("1")) return pids;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto pid = static_cast<pid_t>(std::stol(name));
    if (pid != ::getpid() && namespace_of(name) == own && is_alive(pid)) pids.push_back(pid);
  }
  return pids;
}

/// Some scenarios fork, and kill, processes of their own.
TEST(KillOfWhatForks, LeavesNobody) {
  const Leftovers before = Leftovers::now();
  for (const char* name : {"pipe", "sysv_msg", "shm_posix.futex", "unix_stream"})
    for (std::size_t scenario = 0; scenario < all_scenarios().size(); ++scenario) {
      const Row& row = *find_row(name);
      if (!all_scenarios()[scenario].only_forks || row.cells[scenario] == nullptr) continue;
      for (const bool kill_driver : {true, false}) {
        SCOPED_TRACE(fmt::format("{} of {}", all_scenarios()[scenario].name, name));
        Driver driver(row, scenario, {}, "");
        ControlBlock* control = driver.control();
        ASSERT_NE(control, nullptr);
        ASSERT_TRUE(eventually([&] { return is_at(control->ends[0], Phase::opening); }));
        if (kill_driver) {
          driver.kill();
        } else {
          ASSERT_NO_FATAL_FAILURE(kill_one(control->ends[0]));
          EXPECT_NE(driver.answer(), "");
          driver.join();
        }
        EXPECT_TRUE(eventually([] { return neighbours().empty(); })) << kill_driver;
      }
      sweep();
    }
  EXPECT_TRUE(fs::is_empty(temporary_directory()));
  EXPECT_EQ(Leftovers::now().text(), before.text());
}

std::vector<Victim> all_forked() {
  std::vector<Victim> victims;
  for (std::size_t row = 0; row < all_rows().size(); ++row) victims.push_back({row, {}});
  return victims;
}

std::vector<Victim> launchable() {
  std::vector<Victim> victims;
  for (std::size_t row = 0; row < all_rows().size(); ++row)
    if (all_rows()[row].launch != nullptr) victims.push_back({row, {.start = Start::launch}});
  return victims;
}

std::vector<Victim> some(const std::vector<std::string>& names, const Manner& manner) {
  std::vector<Victim> victims;
  for (const std::string& name : names)
    if (const Row* const row = find_row(name); row != nullptr)  // some builds link few of them
      victims.push_back({static_cast<std::size_t>(row - all_rows().data()), manner});
  return victims;
}

std::string name_of(const testing::TestParamInfo<Victim>& victim) {
  return row_name({victim.param.row, victim.index});
}

INSTANTIATE_TEST_SUITE_P(Forked, Kill, testing::ValuesIn(all_forked()), name_of);

INSTANTIATE_TEST_SUITE_P(TwoPrograms, Kill,
                         testing::ValuesIn(some({"fifo", "unix_stream", "unix_stream.abstract",
                                                 "tcp", "posix_mq", "sysv_msg", "shm_posix.futex",
                                                 "mmap_file", "signal_rt", "flock"},
                                                {.start = Start::exec})),
                         name_of);

INSTANTIATE_TEST_SUITE_P(Launched, Kill, testing::ValuesIn(launchable()), name_of);
INSTANTIATE_TEST_SUITE_P(Launched, KillLaunched, testing::ValuesIn(launchable()), name_of);

INSTANTIATE_TEST_SUITE_P(Mailbox, Kill,
                         testing::ValuesIn(some({"pipe", "posix_mq", "shm_mpmc.futex"},
                                                {.producers = 2, .consumers = 2})),
                         name_of);

}  // namespace
}  // namespace ipcbench
