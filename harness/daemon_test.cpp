// Brokers of one's own: ready or not, ended or ending by themselves, in a runner and without one.
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include <gtest/gtest.h>

#include "harness/clock.h"
#include "harness/daemon.h"
#include "harness/driver.h"
#include "harness/leftovers_test.h"

namespace ipcbench {
namespace {

using Words = std::vector<std::string>;

bool exists(const std::string& path) {
  return std::filesystem::exists(path);
}

/// What its constructor throws.
std::string failure_of(const Words& command, const std::function<bool()>& is_ready,
                       std::int64_t patience = Daemon::patience_ns) {
  const RunDirectory directory;
  try {
    const Daemon daemon(directory, command, is_ready, patience);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(DaemonTest, IsReadyAndThenGone) {
  const Leftovers before = Leftovers::now();
  {
    const RunDirectory directory;
    const std::string sign = directory.path() + "/sign";
    const Daemon daemon(directory, {"sh", "-c", "touch " + sign + "; exec sleep 100"},
                        [&] { return exists(sign); });
    EXPECT_GT(daemon.pid(), 0);
    EXPECT_EQ(::kill(daemon.pid(), 0), 0);
    EXPECT_EQ(Daemon::obituary(), "");
  }
  EXPECT_EQ(Leftovers::now().text(), before.text());
}

TEST(DaemonTest, ItsCpuTimeIsKnownToTheEnds) {
  EXPECT_EQ(Daemon::cpu_ns(), 0);
  const RunDirectory directory;
  const Daemon daemon(directory, {"sh", "-c", "while :; do :; done"}, [] { return true; });
  const auto is_counted = [] {
    const std::int64_t deadline_ns = monotonic_ns() + 10'000'000'000;
    while (Daemon::cpu_ns() < 20'000'000 && monotonic_ns() < deadline_ns) ::poll(nullptr, 0, 1);
    return Daemon::cpu_ns() >= 20'000'000;
  };
  EXPECT_TRUE(is_counted());
  const pid_t end = ::fork();
  if (end == 0) ::_exit(is_counted() ? 0 : 1);
  int status = -1;
  ::waitpid(end, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(DaemonTest, OneThatIgnoresTheRequestToEndIsKilled) {
  const RunDirectory directory;
  const std::string sign = directory.path() + "/sign";
  auto daemon = std::make_unique<Daemon>(
      directory, Words{"sh", "-c", "trap '' TERM; touch " + sign + "; while :; do sleep 1; done"},
      [&] { return exists(sign); });
  const pid_t pid = daemon->pid();
  daemon.reset();
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(DaemonTest, OneThatHangsIsGivenUpWithTheEndOfItsLog) {
  const std::string why = failure_of(
      {"sh", "-c", "echo waiting for Godot; exec sleep 100"}, [] { return false; }, 300'000'000);
  EXPECT_EQ(why, "sh wasn't ready after 0.3 s; its log ends: waiting for Godot");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "somebody is left";
}

TEST(DaemonTest, OneThatCrashesIsToldWithTheEndOfItsLog) {
  EXPECT_EQ(failure_of({"sh", "-c", "echo bad news >&2; kill -SEGV $$"}, [] { return false; }),
            "sh was ended by signal 11 (Segmentation fault); its log ends: bad news");
  EXPECT_EQ(failure_of({"sh", "-c", "exit 5"}, [] { return false; }), "sh has exited with 5");
}

TEST(DaemonTest, OneThatIsMissingSaysSo) {
  const std::string why = failure_of({"no-such-broker"}, [] { return false; });
  EXPECT_EQ(why, "no-such-broker has exited with 127; its log ends: No such file or directory");
  EXPECT_EQ(Daemon::why_missing("sh", "dash"), "");
  EXPECT_EQ(Daemon::why_missing("no-such-broker", "brokers"),
            "no no-such-broker in PATH: install brokers");
}

/// A row whose link is a daemon that ends by itself, while both ends wait for what never comes.
Row abandoned_row() {
  Row row{.facts = {},
          .variant = nullptr,
          .unavailable = [] { return ""; },
          .message_max = [] { return std::nullopt; },
          .unfit = [](const Shape&) { return std::string(); },
          .cells = {},
          .links = {}};
  row.facts.name = "abandoned";
  row.cells = {[](Runner& runner) {
    const Daemon daemon(*runner.shape().directory,
                        {"sh", "-c", "sleep 0.1; echo no space left; exit 3"}, [] { return true; });
    const auto wait = [](End&) {
      while (true) ::pause();
    };
    runner.run({{"producer", Side::producer, wait}, {"consumer", Side::consumer, wait}});
  }};
  return row;
}

TEST(DaemonTest, OneThatDiesDuringARunIsItsCause) {
  const Leftovers before = Leftovers::now();
  {
    const RunDirectory directory;
    Interrupts interrupts;
    Params params;
    params.tick_rate = measure_tick_rate();
    const Outcome outcome = execute(abandoned_row(), 0, params, directory, interrupts);
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_TRUE(outcome.reason.starts_with(
        "runner: sh has exited with 3; its log ends: no space left (producer opening"))
        << outcome.reason;
  }
  EXPECT_EQ(Leftovers::now().text(), before.text());
}

TEST(DaemonTest, DiesWithWhoHasStartedIt) {
  const RunDirectory directory;
  const std::string note = directory.path() + "/pid";
  const pid_t runner = check(::fork(), "fork");
  if (runner == 0) {
    const Daemon daemon(directory, {"sh", "-c", "echo $$ > " + note + "; exec sleep 100"},
                        [&] { return !read_text(note).empty(); });
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(runner, nullptr, 0);
  const auto daemon = static_cast<pid_t>(read_number(note, 0));
  ASSERT_GT(daemon, 0);
  const std::int64_t deadline_ns = monotonic_ns() + 10'000'000'000;
  const auto is_alive = [&] {
    const std::string status = read_text("/proc/" + std::to_string(daemon) + "/stat");
    return !status.empty() && status.find(") Z ") == std::string::npos;
  };
  while (is_alive() && monotonic_ns() < deadline_ns) ::usleep(1000);
  EXPECT_FALSE(is_alive());
  ::waitpid(-1, nullptr, WNOHANG);  // where this process is its subreaper
}

}  // namespace
}  // namespace ipcbench
