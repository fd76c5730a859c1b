#include "harness/replan.h"

#include <gtest/gtest.h>

#include "harness/page.h"
#include "harness/program_under_test.h"
#include "harness/results.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

using Words = std::vector<std::string>;

Plan recorded() {
  Selection selection;
  selection.transports = {"pipe", "fifo", "posix_mq"};
  selection.scenarios = {"ping_pong", "flood", "paced"};
  selection.sizes = {64, 65536};
  selection.places = {{.name = "none", .cpus = {-1, -1}, .impossible = ""}};
  selection.loads["rate"] = {1'000, 10'000};
  selection.repeats = 3;
  selection.seed = 7;
  return make_plan(selection);
}

TEST(Replan, IsTheSamePlan) {
  const Topology topology;
  const Plan plan = recorded();
  EXPECT_EQ(to_json(replan(plan, topology, "")), to_json(plan));
  EXPECT_EQ(to_json(replan(plan_from_json(to_json(plan)), topology, "")), to_json(plan));
}

TEST(Replan, LeavesOutWhatWasAddedWhileItRan) {
  Plan plan = recorded();
  const Json before = to_json(plan);
  plan.order.push_back({0, 4, Why::suspect});
  plan.order.push_back({1, 4, Why::precision});
  EXPECT_EQ(to_json(replan(plan, Topology(), "")), before);
}

TEST(Replan, ChoosesByKeyAndSeesWhatFitsHere) {
  Plan plan = recorded();
  plan.cells[0].transport = "carrier_pigeon";
  plan.cells[1].place = {.name = "pin:0,99999", .cpus = {0, 99'999}, .impossible = ""};
  plan.cells[2].place = {.name = "on-the-moon", .cpus = {0, 1}, .impossible = ""};
  plan.cells[3].scenario = "sing";
  const Plan here = replan(plan, Topology(), "");
  ASSERT_EQ(here.cells.size(), plan.cells.size() - 1) << "no such scenario";
  EXPECT_EQ(here.cells[0].skipped, "this ipcbench has no such transport");
  EXPECT_NE(here.cells[1].skipped.find("no CPU 99999"), std::string::npos);
  EXPECT_NE(here.cells[2].skipped.find("'on-the-moon'"), std::string::npos);
  for (const PlannedRun& run : here.order) EXPECT_EQ(here.cells[run.cell].skipped, "");
  for (const PlannedCell& cell : replan(recorded(), Topology(), "flood/fifo").cells)
    EXPECT_NE(cell.key().find("flood/fifo"), std::string::npos);
}

TEST(Replan, RefusesWhatRunWouldNotTake) {
  const auto expect_refused = [](auto change) {
    Plan plan = recorded();
    change(plan);
    EXPECT_THROW(replan(plan, Topology(), ""), UsageError);
  };
  expect_refused([](Plan& plan) { plan.repeats = 2'000'000'000; });
  expect_refused([](Plan& plan) { plan.repeats = 0; });
  expect_refused([](Plan& plan) { plan.depth = 0; });
  expect_refused([](Plan& plan) { plan.min_time_ns = INT64_MAX; });
  expect_refused([](Plan& plan) { plan.timeout_ns = 0; });
  expect_refused([](Plan& plan) { plan.cells[0].size = std::uint64_t{1} << 40; });
}

TEST(Replan, RunsAFileOrAPageAgain) {
  const Sandbox sandbox;
  const auto run = [&](Words arguments) {
    return run_program(sandbox, Command{std::move(arguments), {}, {}, ""});
  };
  const std::string first = sandbox.path("first.json");
  const Finished made =
      run({"run",         "-t",        "pipe,fifo", "-S", "ping_pong",  "-s",  "64",
           "--placement", "none",      "-r",        "2",  "--min-time", "1ms", "--warmup",
           "0s",          "--retries", "0",         "-q", "-o",         first});
  ASSERT_EQ(made.status, 0) << made.err;
  const std::string page = sandbox.write(
      "page.html", "<!doctype html>" + json_block(results_class, sandbox.read("first.json")));
  const Json plan = Json::parse(sandbox.read("first.json"))["plan"];
  for (const std::string& from : {first, page}) {
    const std::string second = sandbox.path("second.json");
    const Finished again = run({"run", "--from", from, "-q", "-o", second});
    ASSERT_EQ(again.status, 0) << again.err;
    EXPECT_EQ(Json::parse(sandbox.read("second.json"))["plan"], plan);
  }
  const Finished fewer = run({"run", "--from", first, "-f", "fifo", "-r", "9", "-n", "--json"});
  EXPECT_EQ(Json::parse(fewer.out)["order"].size(), 9U) << fewer.err;
}

TEST(Replan, SaysWhatItCannotUse) {
  const Sandbox sandbox;
  const std::string none = sandbox.write("none.json", R"({"schema":"ipcbench/1","runs":[]})");
  const std::string odd = sandbox.write(
      "odd.json", R"({"schema":"ipcbench/1","plan":{"seed":-1},"context":{},"runs":[]})");
  const std::pair<Words, std::string> cases[] = {
      {{"--from", sandbox.path("missing.json")}, "No such file"},
      {{"--from", none}, "no plan that this ipcbench understands"},
      {{"--from", odd}, "the plan's seed is -1"},
      {{"--from", none, "-t", "pipe"}, "leave out --transport"},
      {{"--from", none, "--resume", "-o", sandbox.path("x.json")}, "give one of them"},
  };
  for (const auto& [arguments, words] : cases) {
    Words all{"run", "-n"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Finished finished = run_program(sandbox, Command{all, {}, {}, ""});
    EXPECT_EQ(finished.status, 2) << finished.err;
    EXPECT_NE(finished.err.find(words), std::string::npos) << finished.err;
  }
}

}  // namespace
}  // namespace ipcbench
