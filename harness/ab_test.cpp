// ab: builds that work, and builds that don't.
#include "harness/ab.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include <fmt/format.h>

#include "harness/program_under_test.h"

namespace ipcbench {
namespace {

std::string script(const Sandbox& sandbox, const std::string& name, const std::string& text) {
  const std::string path = sandbox.write(name, "#!/bin/sh\n" + text);
  ::chmod(path.c_str(), 0755);
  return path;
}

/// One quick cell, as few pairs as there may be.
Finished ab(const Sandbox& sandbox, const std::string& old_build, const std::string& new_build,
            const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{
      "ab",   old_build, new_build, "-t",         "pipe",     "-S",     "ping_pong",
      "-s",   "64",      "-r",      "6",          "--screen", "6",      "--placement",
      "none", "-w",      "1ms",     "--min-time", "1ms",      "--seed", "1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program(sandbox, arguments);
}

TEST(Ab, MeasuresInPairsAndKeepsBothSides) {
  const Sandbox sandbox;
  const std::string file = sandbox.path("ab.json");
  const Finished done =
      ab(sandbox, IPCBENCH_PROGRAM, IPCBENCH_PROGRAM, {"-o", file, "--settle", "--format", "json"});
  EXPECT_TRUE(done.status == 0 || done.status == 1) << done.status << done.err;
  const Json shown = Json::parse(done.out);
  EXPECT_TRUE(shown["in_pairs"]);
  EXPECT_EQ(shown["changes"].size(), 1u);
  const Json document = Json::parse(sandbox.read("ab.json"));
  EXPECT_EQ(document["schema"], "ipcbench-ab/1");
  EXPECT_EQ(document["context"]["seed"], 1);
  ASSERT_GE(document["old"]["runs"].size(), 6u);
  EXPECT_EQ(document["old"]["runs"].size(), document["new"]["runs"].size());
  std::set<std::uint64_t> orders;
  bool new_was_first = false;
  bool old_was_first = false;
  for (std::size_t i = 0; i < document["old"]["runs"].size(); ++i) {
    const auto first = document["old"]["runs"][i]["order"].get<std::uint64_t>();
    const auto second = document["new"]["runs"][i]["order"].get<std::uint64_t>();
    EXPECT_EQ(first / 2, second / 2) << "the two of a pair follow each other";
    (first < second ? old_was_first : new_was_first) = true;
    orders.insert({first, second});
  }
  EXPECT_EQ(orders.size(), 2 * document["old"]["runs"].size());
  EXPECT_TRUE(new_was_first && old_was_first);
  EXPECT_TRUE(sandbox.leftovers().empty());

  // The file is one for compare, table, and for pages.
  const Finished compared = run_program(sandbox, {"compare", file, "--format", "json"});
  EXPECT_EQ(compared.status, done.status) << compared.err;
  EXPECT_EQ(Json::parse(compared.out)["changes"], shown["changes"]);
  const Finished table = run_program(sandbox, {"table", file});
  EXPECT_EQ(table.status, 0) << table.err;
  EXPECT_NE(table.out.find("ab.json#2"), std::string::npos) << table.out;
}

TEST(Ab, SaysWhatIsWrongWithABuild) {
  const Sandbox sandbox;
  const Finished missing = ab(sandbox, IPCBENCH_PROGRAM, sandbox.path("none"));
  EXPECT_EQ(missing.status, 2);
  EXPECT_NE(missing.err.find("NEW"), std::string::npos) << missing.err;
  EXPECT_EQ(ab(sandbox, sandbox.write("text", "no program"), IPCBENCH_PROGRAM).status, 2);

  const Finished silent = ab(sandbox, script(sandbox, "true", "exit 0\n"), IPCBENCH_PROGRAM);
  EXPECT_EQ(silent.status, 3);
  EXPECT_NE(silent.err.find("OLD"), std::string::npos) << silent.err;
  EXPECT_NE(silent.err.find("is it ipcbench?"), std::string::npos) << silent.err;

  const Finished refuses =
      ab(sandbox, IPCBENCH_PROGRAM, script(sandbox, "older", "echo 'unknown flag' >&2; exit 2\n"));
  EXPECT_EQ(refuses.status, 3);
  EXPECT_NE(refuses.err.find("unknown flag"), std::string::npos) << refuses.err;
}

TEST(Ab, MeasuresTwoBuildsOfAPlugin) {
  namespace fs = std::filesystem;
  const Sandbox sandbox;
  std::vector<std::string> builds;
  for (const std::string side : {"old", "new"}) {
    fs::create_directory(sandbox.path(side));
    builds.push_back(sandbox.path(side + "/idle.so"));
    for (const std::string type : {".so", ".json"})
      fs::copy_file(IPCBENCH_TEST_MODULES "/idle" + type, sandbox.path(side + "/idle" + type));
  }
  const std::vector<std::string> flags{"-r", "6",   "--screen",   "6",   "--placement", "none",
                                       "-w", "1ms", "--min-time", "1ms", "--format",    "json"};
  std::vector<std::string> arguments{"ab", builds[0], builds[1], "-o", sandbox.path("ab.json")};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const Finished done = run_program(sandbox, arguments);
  EXPECT_TRUE(done.status == 0 || done.status == 1) << done.status << done.err;
  const Json document = Json::parse(sandbox.read("ab.json"), nullptr, false);
  ASSERT_TRUE(document.contains("new")) << done.err;
  for (const char* side : {"old", "new"}) {
    ASSERT_GE(document[side]["runs"].size(), 6u);
    EXPECT_EQ(document[side]["runs"][0]["transport"], "idle");
    EXPECT_NE(document[side]["runs"][0]["status"], "failed");
  }
  const Finished plan = run_program(sandbox, {"ab", builds[0], builds[1], "-S", "ping_pong", "-n"});
  EXPECT_NE(plan.out.find("ping_pong/idle/"), std::string::npos) << plan.out << plan.err;
  EXPECT_EQ(plan.out.find("/pipe/"), std::string::npos) << plan.out;
  EXPECT_EQ(ab(sandbox, IPCBENCH_PROGRAM, builds[1]).status, 2);
  EXPECT_TRUE(sandbox.leftovers().empty());
}

TEST(Ab, MixesTheEndsOfTwoBuilds) {
  const Sandbox sandbox;
  for (const std::string end : {"producer", "consumer"}) {
    const Finished done = run_program(sandbox, {"ab",
                                                IPCBENCH_PROGRAM,
                                                IPCBENCH_PROGRAM,
                                                "-t",
                                                "fifo,futex",
                                                "-S",
                                                "ping_pong,handoff",
                                                "-s",
                                                "64",
                                                "-r",
                                                "6",
                                                "--screen",
                                                "6",
                                                "--placement",
                                                "none",
                                                "-w",
                                                "1ms",
                                                "--min-time",
                                                "1ms",
                                                "--mixed",
                                                end,
                                                "--format",
                                                "json"});
    EXPECT_TRUE(done.status == 0 || done.status == 1) << done.status << done.err;
    EXPECT_NE(done.out.find("ping_pong/fifo/size:64/place:none/start:exec"), std::string::npos)
        << done.out;
  }
  EXPECT_EQ(ab(sandbox, IPCBENCH_PROGRAM, IPCBENCH_PROGRAM, {"--mixed", "both"}).status, 2);
  EXPECT_TRUE(sandbox.leftovers().empty());
}

/// Plans as ipcbench does, and comes to grief in its third run.
std::string stumbling(const Sandbox& sandbox, const std::string& how) {
  return script(sandbox, "stumbling",
                fmt::format("case \"$*\" in *--dry-run*) exec {0} \"$@\";; esac\n"
                            "echo x >> {1}\n"
                            "[ $(wc -l < {1}) -lt 3 ] || {2}\n"
                            "exec {0} \"$@\"\n",
                            IPCBENCH_PROGRAM, sandbox.path("count"), how));
}

TEST(Ab, KeepsWhatWasMeasuredUntilABuildCrashed) {
  const Sandbox sandbox;
  const Finished done = ab(sandbox, IPCBENCH_PROGRAM, stumbling(sandbox, "kill -SEGV $$"),
                           {"-o", sandbox.path("ab.json")});
  EXPECT_EQ(done.status, 3);
  EXPECT_NE(done.err.find("was killed by signal 11"), std::string::npos) << done.err;
  const Json document = Json::parse(sandbox.read("ab.json"));
  EXPECT_EQ(document["context"]["complete"], false);
  EXPECT_EQ(document["new"]["runs"].size(), 2u);
  EXPECT_TRUE(sandbox.leftovers().empty());
}

TEST(Ab, EndsABuildThatHangs) {
  const Sandbox sandbox;
  const RunDirectory directory;
  Interrupts interrupts;
  // It ignores what it is asked, and has a child.
  const Build build("NEW", script(sandbox, "hangs", "trap '' TERM\nsleep 1000 &\nsleep 1000\n"),
                    directory, interrupts);
  const Build::Output output = build.execute({}, {}, 0.2);
  EXPECT_TRUE(output.is_late);
}

TEST(Ab, WritesWhatItHasWhenInterrupted) {
  const Sandbox sandbox;
  Program program(sandbox,
                  {{"ab", IPCBENCH_PROGRAM, IPCBENCH_PROGRAM, "-t", "pipe", "-S", "ping_pong", "-s",
                    "64", "--placement", "none", "--screen", "500", "--min-time", "10ms", "-o",
                    sandbox.path("ab.json"), "--budget", "60min"},
                   {},
                   {},
                   ""});
  ASSERT_TRUE(program.wait_for("screening"));
  program.send(SIGINT);
  EXPECT_EQ(program.finish(), 130) << program.err;
  EXPECT_EQ(Json::parse(sandbox.read("ab.json"))["context"]["complete"], false);
  EXPECT_TRUE(sandbox.leftovers().empty());
  EXPECT_TRUE(sandbox.processes().empty());
}

TEST(Ab, RefusesCellsThatTheBudgetCannotHold) {
  const Sandbox sandbox;
  const Finished done = ab(sandbox, IPCBENCH_PROGRAM, IPCBENCH_PROGRAM, {"--budget", "100ms"});
  EXPECT_EQ(done.status, 2);
  EXPECT_NE(done.err.find("--budget"), std::string::npos) << done.err;
}

PlannedCell cell(const std::string& transport, const std::string& skipped) {
  PlannedCell cell;
  cell.transport = transport;
  cell.scenario = "ping_pong";
  cell.size = 64;
  cell.place = {.name = "none", .cpus = {-1, -1}, .impossible = ""};
  cell.skipped = skipped;
  return cell;
}

TEST(Ab, ComparesWhatBothBuildsHave) {
  const Plan before{.cells = {cell("a", ""), cell("b", ""), cell("c", ""), cell("d", "not here")},
                    .order = {}};
  const Plan after{.cells = {cell("a", ""), cell("b", "too large"), cell("d", ""), cell("e", "")},
                   .order = {}};
  const CommonPlan common = common_plan(before, after);
  ASSERT_EQ(common.plan.cells.size(), 1u);
  EXPECT_EQ(common.plan.cells[0].transport, "a");
  ASSERT_EQ(common.others.size(), 4u);
  EXPECT_EQ(common.others[0].reason, "skipped in NEW: too large");
  EXPECT_EQ(common.others[1].reason, "skipped in OLD: not here");
  EXPECT_EQ(common.others[2].reason, "only in NEW");
  EXPECT_EQ(common.others[3].reason, "only in BASE");
}

TEST(Ab, AsksABuildForOneCell) {
  Plan plan;
  plan.warmup_ns = 1'000'000;
  plan.min_time_ns = 2'000'000;
  plan.timeout_ns = 3'000'000;
  PlannedCell one = cell("shm_posix.spin", "");
  one.manner.waiting = Waiting::poll;
  const std::vector<std::string> flags = flags_of(plan, one);
  const auto value = [&](const std::string& flag) {
    const auto at = std::find(flags.begin(), flags.end(), flag);
    return at == flags.end() ? "" : *(at + 1);
  };
  EXPECT_EQ(value("-t"), "shm_posix.spin");
  EXPECT_EQ(value("--wait"), "poll");
  EXPECT_EQ(value("--start"), "") << "older builds don't know what is as usual";
  EXPECT_EQ(value("--min-time"), "2000000ns");
  EXPECT_EQ(value("--filter"), "^ping_pong/shm_posix\\.spin/size:64/place:none/wait:poll$");
}

}  // namespace
}  // namespace ipcbench
