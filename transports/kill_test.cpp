// Any process of a run may be killed at any phase: nothing hangs, the dead one is named with its
// phase, and nothing is left. For every transport.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/driver.h"
#include "harness/plan.h"
#include "transports/leftovers_test.h"

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

/// A driver in a process of its own, with one run that doesn't end by itself. What it says of the
/// run comes back through a pipe.
class Driver {
 public:
  Driver(const Row& row, const std::string& stop_at, std::int64_t timeout_ns = 20'000'000'000) {
    int fds[2];
    check(::pipe2(fds, O_CLOEXEC), "pipe2");
    answer_ = Fd(fds[0]);
    Fd answer_end(fds[1]);
    pid_ = check(::fork(), "fork");
    if (pid_ == 0) be_driver(row, stop_at, timeout_ns, answer_end.get());
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
  [[noreturn]] static void be_driver(const Row& row, const std::string& stop_at,
                                     std::int64_t timeout_ns, int answer) {
    std::string text;
    try {
      const RunDirectory directory;
      Interrupts interrupts;
      Params params;
      params.size = std::min(params.size, row.message_max().value_or(params.size));
      params.count = std::uint64_t{1} << 40;
      params.warmup_ns = 1'000'000;
      params.timeout_ns = timeout_ns;
      params.tick_rate = measure_tick_rate();
      stop_at.copy(params.stop_at, sizeof params.stop_at - 1);
      std::size_t scenario = 0;
      while (row.cells.at(scenario) == nullptr) ++scenario;
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

class Kill : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    if (const std::string why = row().unavailable(); !why.empty()) GTEST_SKIP() << why;
  }
  const Row& row() const { return all_rows()[GetParam()]; }

  /// The processes of a run that has begun.
  static std::vector<pid_t> processes(const ControlBlock& control) {
    std::vector<pid_t> pids{control.runner.pid.load()};
    for (const EndRecord& end : control.ends)
      if (end.pid.load() > 0) pids.push_back(end.pid.load());
    return pids;
  }

  static void expect_all_gone(const std::vector<pid_t>& pids) {
    for (const pid_t pid : pids) EXPECT_TRUE(eventually([&] { return !is_alive(pid); })) << pid;
  }

  /// After the next command, which begins with a sweep.
  static void expect_nothing_left(const Leftovers& before) {
    // An end that was forked in the very moment of the kill may take a little longer to be gone.
    EXPECT_TRUE(eventually([] {
      sweep();
      return fs::is_empty(temporary_directory());
    }));
    EXPECT_EQ(Leftovers::now().text(), before.text());
  }

  /// How many ends the row's run has, and what they are called: from a run that gets that far.
  std::vector<std::string> roles() const {
    Driver driver(row(), "");
    ControlBlock* control = driver.control();
    EXPECT_TRUE(eventually([&] { return is_at(control->ends[0], Phase::measuring); }));
    std::vector<std::string> names;
    for (const EndRecord& end : control->ends)
      if (end.role[0] != '\0') names.emplace_back(end.role);
    return names;
  }
};

TEST_P(Kill, AnEndAtEveryPhase) {
  const Leftovers before = Leftovers::now();
  const std::vector<std::string> ends = roles();
  ASSERT_FALSE(ends.empty());
  for (std::size_t index = 0; index < ends.size(); ++index)
    for (const Phase phase :
         {Phase::starting, Phase::opening, Phase::warming_up, Phase::measuring}) {
      Driver driver(row(), fmt::format("{}:{}", ends[index], text(phase)));
      ControlBlock* control = driver.control();
      ASSERT_NE(control, nullptr);
      ASSERT_TRUE(eventually([&] { return is_at(control->ends[index], phase); }))
          << ends[index] << " " << text(phase);
      ASSERT_EQ(::kill(control->ends[index].pid.load(), SIGKILL), 0);
      const std::string answer = driver.answer();
      EXPECT_TRUE(answer.starts_with("failed " + ends[index] + " killed by signal 9")) << answer;
      EXPECT_NE(answer.find(text(phase)), std::string::npos) << answer;
      EXPECT_EQ(driver.join(), 0);
      expect_all_gone(processes(*control));
    }
  expect_nothing_left(before);
}

TEST_P(Kill, TheRunner) {
  const Leftovers before = Leftovers::now();
  for (const bool early : {true, false}) {
    Driver driver(row(), early ? "runner:starting" : "");
    ControlBlock* control = driver.control();
    ASSERT_NE(control, nullptr);
    ASSERT_TRUE(eventually([&] {
      return early ? is_at(control->runner, Phase::starting)
                   : is_at(control->ends[0], Phase::measuring);
    }));
    ASSERT_EQ(::kill(control->runner.pid.load(), SIGKILL), 0);
    const std::string answer = driver.answer();
    EXPECT_TRUE(answer.starts_with("failed runner killed by signal 9")) << answer;
    EXPECT_NE(answer.find(early ? "starting" : "measuring"), std::string::npos) << answer;
    EXPECT_EQ(driver.join(), 0);
    expect_all_gone(processes(*control));
  }
  expect_nothing_left(before);
}

TEST_P(Kill, TheDriver) {
  const Leftovers before = Leftovers::now();
  for (const char* stop_at : {"runner:starting", "producer:opening", "holder_1:opening", ""}) {
    Driver driver(row(), stop_at);
    ControlBlock* control = driver.control();
    ASSERT_NE(control, nullptr);
    const bool early = std::string_view(stop_at).starts_with("runner");
    ASSERT_TRUE(eventually([&] {
      return early ? is_at(control->runner, Phase::starting)
                   : is_at(control->ends[0], Phase::opening);
    }));
    driver.kill();
    expect_all_gone(processes(*control));
  }
  expect_nothing_left(before);
}

TEST_P(Kill, ARunThatDoesNotEndIsEndedAndSaysWhereItWas) {
  const std::vector<std::string> ends = roles();
  Driver driver(row(), ends.front() + ":measuring", 300'000'000);
  const std::string answer = driver.answer();
  EXPECT_TRUE(answer.starts_with("failed not done after 0.3 s (")) << answer;
  EXPECT_NE(answer.find(ends.front() + " measuring, at message "), std::string::npos) << answer;
  EXPECT_EQ(driver.join(), 0);
}

std::vector<std::size_t> row_indices() {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < all_rows().size(); ++i) indices.push_back(i);
  return indices;
}

INSTANTIATE_TEST_SUITE_P(All, Kill, testing::ValuesIn(row_indices()), [](const auto& row) {
  std::string name(all_rows()[row.param].facts.name);
  for (char& c : name)
    if (c == '.') c = '_';
  return name;
});

/// A directory of its own for the names of these tests, so that it can be seen to be empty.
class PrivateDirectory : public testing::Environment {
 public:
  void SetUp() override {
    path_ = fs::path(temporary_directory()) / fmt::format("ipcbench_kill_test.{}", ::getpid());
    fs::create_directory(path_);
    ::setenv("TMPDIR", path_.c_str(), 1);
  }
  void TearDown() override {
    sweep();
    ::unsetenv("TMPDIR");
    fs::remove_all(path_);
  }

 private:
  fs::path path_;
};

[[maybe_unused]] const auto* const environment =
    testing::AddGlobalTestEnvironment(new PrivateDirectory);

}  // namespace
}  // namespace ipcbench
