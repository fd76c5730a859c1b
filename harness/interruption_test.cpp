// What becomes of a run that is ended half-way: by a signal, by SIGKILL, by a full disk. Nothing
// that was finished is lost, and --resume does the rest.
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "harness/program_under_test.h"
#include "harness/results.h"
#include "harness/run.h"

namespace ipcbench {
namespace {

using Words = std::vector<std::string>;

// Enough runs that their lines overflow the pipe that the test doesn't read: so the program can't
// be done before the test has done to it what it wants.
constexpr std::size_t run_count = 320;

Words long_run(const std::string& output) {
  return {"run",        "-v",  "-t",        "fifo", "-S",          "ping_pong,flood",
          "-s",         "64",  "-r",        "160",  "--placement", "none",
          "--min-time", "1ms", "--seed",    "5",    "-o",          output,
          "--warmup",   "0ms", "--retries", "0"};
}

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) break;
    lines.push_back(Json::parse(text.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

/// The runs are the first ones of the plan, in its order, each once.
void expect_runs_in_order(const Json& plan, const Json& runs) {
  ASSERT_LE(runs.size(), plan["order"].size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    EXPECT_EQ(runs[i]["order"], i);
    EXPECT_EQ(runs[i]["repeat"], plan["order"][i][1]);
    const auto cell = plan["order"][i][0].get<std::size_t>();
    EXPECT_EQ(runs[i]["key"], plan["cells"][cell]["key"]);
  }
}

class Interruption : public testing::Test {
 protected:
  std::string output() const { return sandbox_.path(name_); }
  Json results() const { return Json::parse(sandbox_.read(name_)); }
  std::vector<Json> journal() const { return lines_of(sandbox_.read(name_ + ".journal")); }

  /// No process of the program is alive.
  void expect_nobody_left() const {
    const std::int64_t deadline = monotonic_ns() + Program::deadline_ns;
    while (!sandbox_.processes().empty() && monotonic_ns() < deadline) ::sched_yield();
    EXPECT_TRUE(sandbox_.processes().empty());
  }

  /// --resume does the rest, and all is as if nothing had happened.
  void expect_resume_finishes(std::size_t runs = run_count) {
    const std::vector<Json> before = journal();
    ASSERT_FALSE(before.empty());
    const Finished finished = run_program(sandbox_, {"run", "--resume", "-o", output()});
    EXPECT_EQ(finished.status, 0) << finished.err;
    const Json document = results();
    EXPECT_EQ(document["context"]["complete"], true);
    EXPECT_EQ(document["plan"], before[0]["plan"]);
    EXPECT_EQ(document["runs"].size(), runs);
    expect_runs_in_order(document["plan"], document["runs"]);
    for (std::size_t i = 1; i < before.size(); ++i) EXPECT_EQ(document["runs"][i - 1], before[i]);
    EXPECT_FALSE(std::filesystem::exists(output() + ".journal"));
    expect_no_temporary_file();
    EXPECT_EQ(sandbox_.leftovers(), Words());
    expect_nobody_left();
  }

  void expect_no_temporary_file() const {
    const auto directory = std::filesystem::path(output()).parent_path();
    for (const auto& entry : std::filesystem::directory_iterator(directory))
      EXPECT_NE(entry.path().extension(), ".tmp") << entry.path();
  }

  /// A signal between two runs, after at least five of them.
  void expect_interrupted_by(int signal) {
    Program program(sandbox_, {long_run(output()), {}, {}, ""});
    ASSERT_TRUE(program.wait_for("[5/")) << program.err;
    program.send(signal);
    EXPECT_EQ(program.finish(), 128 + signal) << program.err;
    EXPECT_FALSE(program.was_killed) << "it ends itself";
    EXPECT_TRUE(contains(program.err, "go on with --resume -o " + output())) << program.err;
    expect_nobody_left();
    EXPECT_EQ(sandbox_.leftovers(), Words());
    const Json document = results();
    EXPECT_EQ(document["schema"], "ipcbench/1");
    EXPECT_EQ(document["context"]["complete"], false);
    EXPECT_GE(document["runs"].size(), 5U);
    EXPECT_LT(document["runs"].size(), run_count);
    expect_runs_in_order(document["plan"], document["runs"]);
    EXPECT_EQ(journal().size(), document["runs"].size() + 1);
    EXPECT_EQ(run_program(sandbox_, {"table", output()}).status, 0);
    expect_resume_finishes();
  }

  /// A run with one process that has stopped itself, so that the run is in progress for certain.
  void start_a_run_that_hangs(Program& program) {
    ASSERT_TRUE(program.wait_for("runs, about")) << program.err;
    const std::int64_t deadline = monotonic_ns() + Program::deadline_ns;
    while (!has_stopped_process() && monotonic_ns() < deadline) ::sched_yield();
    ASSERT_TRUE(has_stopped_process());
  }
  Command hanging_run() const {
    return {long_run(output()), {{"IPCBENCH_STOP_AT", "consumer:measuring"}}, {}, ""};
  }

  /// It ran into the end of its space, said so, and can be resumed once there is more.
  void expect_kept_without_space(const Finished& finished, std::string_view error) const {
    EXPECT_EQ(finished.status, 3) << finished.err;
    EXPECT_TRUE(contains(finished.err, error)) << finished.err;
    EXPECT_TRUE(contains(finished.err, "--resume -o " + output())) << finished.err;
    EXPECT_FALSE(contains(finished.err, "[320/320]")) << "then this test would test nothing";
    EXPECT_FALSE(std::filesystem::exists(output()));
    EXPECT_GE(journal().size(), 2U);
    EXPECT_EQ(sandbox_.leftovers(), Words());
    expect_no_temporary_file();
    expect_nobody_left();
  }

  Sandbox sandbox_;
  std::string name_ = "x.json";  ///< of the results file

 private:
  bool has_stopped_process() const {
    for (const pid_t pid : sandbox_.processes()) {
      std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
      const std::string stat{std::istreambuf_iterator<char>(file), {}};
      if (contains(stat, ") T ")) return true;
    }
    return false;
  }
};

TEST_F(Interruption, SigintKeepsWhatIsFinished) {
  expect_interrupted_by(SIGINT);
}

TEST_F(Interruption, SigtermKeepsWhatIsFinished) {
  expect_interrupted_by(SIGTERM);
}

TEST_F(Interruption, ASignalEndsTheRunInProgress) {
  Program program(sandbox_, hanging_run());
  start_a_run_that_hangs(program);
  program.send(SIGINT);
  EXPECT_EQ(program.finish(), 130) << program.err;
  expect_nobody_left();
  EXPECT_EQ(results()["context"]["complete"], false);
  EXPECT_TRUE(results()["runs"].empty()) << "a run that was cut short is no result";
  expect_resume_finishes();
}

TEST_F(Interruption, ResultsForStdoutCanBeResumedIntoAFile) {
  Program program(sandbox_, {long_run("-"), {}, {}, ""});
  ASSERT_TRUE(program.wait_for("[5/")) << program.err;
  program.send(SIGINT);
  EXPECT_EQ(program.finish(), 130) << program.err;
  EXPECT_EQ(Json::parse(program.out)["context"]["complete"], false);
  const std::string remedy = "go on with --resume -o ";
  const std::size_t at = program.err.find(remedy);
  ASSERT_NE(at, std::string::npos) << program.err;
  const std::size_t start = at + remedy.size();
  const std::string file = program.err.substr(start, program.err.find('\n', start) - start);
  const Finished finished = run_program(sandbox_, {"run", "-q", "--resume", "-o", file});
  EXPECT_EQ(finished.status, 0) << finished.err;
  std::ifstream stream(file);
  EXPECT_EQ(Json::parse(stream)["runs"].size(), run_count);
}

TEST_F(Interruption, SigkillLosesTheRunInProgressAtMost) {
  Program program(sandbox_, {long_run(output()), {}, {}, ""});
  ASSERT_TRUE(program.wait_for("[5/")) << program.err;
  program.send(SIGKILL);
  EXPECT_EQ(program.finish(), 128 + SIGKILL);
  expect_nobody_left();
  const std::vector<Json> lines = journal();
  EXPECT_GE(lines.size(), 1 + 5U);
  EXPECT_LT(lines.size(), 1 + run_count);
  EXPECT_FALSE(std::filesystem::exists(output()));
  EXPECT_FALSE(sandbox_.leftovers().empty()) << "then this test would test nothing";
  const Finished table = run_program(sandbox_, {"table", output() + ".journal"});
  EXPECT_EQ(table.status, 0) << table.err;
  EXPECT_TRUE(contains(table.out, "\nfifo ")) << table.out;
  expect_resume_finishes();
}

TEST_F(Interruption, SigkillInTheMiddleOfARunLeavesNobody) {
  Program program(sandbox_, hanging_run());
  start_a_run_that_hangs(program);
  program.send(SIGKILL);
  EXPECT_EQ(program.finish(), 128 + SIGKILL);
  expect_nobody_left();
  EXPECT_EQ(journal().size(), 1U);
  expect_resume_finishes();
}

TEST_F(Interruption, ALineThatWasCutInHalfIsRunAgain) {
  Program program(sandbox_, {long_run(output()), {}, {}, ""});
  ASSERT_TRUE(program.wait_for("[5/")) << program.err;
  program.send(SIGKILL);
  program.finish();
  const std::string whole = sandbox_.read("x.json.journal");
  const std::size_t last = whole.rfind('\n', whole.size() - 2);
  sandbox_.write("x.json.journal", whole.substr(0, last + (whole.size() - last) / 2));
  EXPECT_EQ(run_program(sandbox_, {"table", output() + ".journal"}).status, 0);
  expect_resume_finishes();
}

TEST_F(Interruption, AJournalOfAllRunsBecomesTheResults) {
  const Words tiny{"run",      "-q",  "-t",          "pipe", "-S",        "ping_pong",  "-s",
                   "64",       "-r",  "2",           "-o",   output(),    "--min-time", "1ms",
                   "--warmup", "0ms", "--placement", "none", "--retries", "0"};
  ASSERT_EQ(run_program(sandbox_, tiny).status, 0);
  const Json document = results();
  Json head{{"schema", "ipcbench-journal/1"},
            {"context", document["context"]},
            {"plan", document["plan"]}};
  std::string text = head.dump() + "\n";
  for (const Json& run : document["runs"]) text += run.dump() + "\n";
  sandbox_.write("x.json.journal", text);
  std::filesystem::remove(output());
  expect_resume_finishes(2);
  EXPECT_EQ(results()["runs"], document["runs"]);
}

TEST_F(Interruption, WhatWasAddedToThePlanIsResumed) {
  // Two repeats give no interval: whatever the precision, more are added.
  ASSERT_EQ(run_program(sandbox_,
                        {"run",        "-q",   "-t",          "pipe", "-S",          "ping_pong",
                         "-s",         "64",   "-r",          "2",    "-o",          output(),
                         "--min-time", "20ms", "--warmup",    "0ms",  "--placement", "none",
                         "--retries",  "0",    "--precision", "90%",  "--budget",    "60s"})
                .status,
            0);
  const Json document = results();
  ASSERT_GT(document["runs"].size(), 4U) << "then this test would test nothing";
  // A journal of the two planned runs, what was added after them, and one run of that.
  Json plan = document["plan"];
  plan["order"] = Json::array({document["plan"]["order"][0], document["plan"]["order"][1]});
  const Json more{{"more", Json::array({document["plan"]["order"][2]})}};
  ASSERT_EQ(more["more"][0][2], "precision");
  std::string text =
      Json{{"schema", "ipcbench-journal/1"}, {"context", document["context"]}, {"plan", plan}}
          .dump() +
      "\n";
  for (const Json& line : {document["runs"][0], document["runs"][1], more, document["runs"][2]})
    text += line.dump() + "\n";
  sandbox_.write("x.json.journal", text);
  std::filesystem::remove(output());
  EXPECT_EQ(run_program(sandbox_, {"table", output() + ".journal"}).status, 0);
  const Finished finished = run_program(sandbox_, {"run", "--resume", "-o", output()});
  EXPECT_EQ(finished.status, 0) << finished.err;
  const Json again = results();
  EXPECT_EQ(again["context"]["complete"], true);
  EXPECT_GT(again["runs"].size(), 3U);
  expect_runs_in_order(again["plan"], again["runs"]);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(again["plan"]["order"][i], document["plan"]["order"][i]);
    EXPECT_EQ(again["runs"][i], document["runs"][i]);
  }
}

TEST_F(Interruption, AFileSizeLimitKeepsWhatIsFinished) {
  // Enough for the control block, a file in memory to which the limit applies too.
  constexpr rlim_t limit_bytes = sizeof(ControlBlock) + (16 << 10);
  const Finished finished =
      run_program(sandbox_, Command{long_run(output()),
                                    {},
                                    [] {
                                      const rlimit limit{limit_bytes, limit_bytes};
                                      ::setrlimit(RLIMIT_FSIZE, &limit);
                                    },
                                    ""});
  expect_kept_without_space(finished, "File too large");
  expect_resume_finishes();
}

/// A file system of 64 KiB, in a mount namespace that nobody else sees.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    std::filesystem::create_directory(path_);
    is_mounted_ = ::unshare(CLONE_NEWNS) == 0 &&
                  ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                  ::mount("none", path_.c_str(), "tmpfs", 0, "size=64k") == 0;
    if (!is_mounted_) reason_ = std::strerror(errno);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (is_mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }

  /// Why there is none, or "".
  const std::string& reason() const { return reason_; }
  void enlarge() const {
    check(::mount("none", path_.c_str(), "tmpfs", MS_REMOUNT, "size=16m"), "mount", path_);
  }

 private:
  std::string path_;
  std::string reason_;
  bool is_mounted_ = false;
};

TEST_F(Interruption, AFullDiskKeepsWhatIsFinished) {
  const SmallDisk disk(sandbox_.path("disk"));
  if (!disk.reason().empty()) GTEST_SKIP() << "can't mount a small disk here: " << disk.reason();
  name_ = "disk/x.json";
  const Finished finished = run_program(sandbox_, long_run(output()));
  expect_kept_without_space(finished, "No space left on device");
  disk.enlarge();
  expect_resume_finishes();
}

}  // namespace
}  // namespace ipcbench
