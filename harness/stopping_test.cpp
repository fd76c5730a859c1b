#include "harness/stopping.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "harness/text.h"

namespace ipcbench {
namespace {

/// Floods of pipe and fifo at several sizes.
Plan plan_of(int repeats, const Stopping& stopping) {
  Selection selection;
  selection.transports = {"pipe", "fifo"};
  selection.scenarios = {"flood"};
  selection.sizes = {8, 64, 512, 4096, 32768};
  selection.places = {{.name = "none", .cpus = {-1, -1}, .impossible = ""}};
  selection.repeats = repeats;
  selection.seed = 3;
  selection.stopping = stopping;
  return make_plan(selection);
}

Json run_of(double messages_per_s, Status status = Status::ok) {
  return {{"status", text(status)},
          {"scenario", "flood"},
          {"messages_per_s", messages_per_s},
          {"took_ns", 100'000'000}};
}

/// Runs the plan to its end; `run` says what comes of the run with that index.
template <class Run>
std::vector<Json> execute(Plan& plan, Run run) {
  std::vector<Json> runs;
  while (true) {
    while (runs.size() < plan.order.size()) runs.push_back(run(plan.order[runs.size()]));
    const std::vector<PlannedRun> more = more_runs(plan, runs);
    if (more.empty()) return runs;
    plan.order.insert(plan.order.end(), more.begin(), more.end());
  }
}

TEST(Stopping, AQuietPlanEndsWithItsOrder) {
  Plan plan = plan_of(3, {});
  EXPECT_EQ(execute(plan, [](const PlannedRun&) { return run_of(1); }).size(), 30U);
}

TEST(Stopping, ASuspectRunGetsOneMore) {
  Plan plan = plan_of(3, {.retries_percent = 100});
  execute(plan, [](const PlannedRun& run) {
    const bool suspect = run.cell == 4 && (run.repeat == 2 || run.why == Why::suspect);
    return run_of(1, suspect ? Status::suspect : Status::ok);
  });
  ASSERT_EQ(plan.order.size(), 31U) << "one more, and no more where that is suspect, too";
  EXPECT_EQ(plan.order.back().cell, 4U);
  EXPECT_EQ(plan.order.back().repeat, 4);
  EXPECT_EQ(plan.order.back().why, Why::suspect);
}

TEST(Stopping, RunsForSuspectOnesAreBounded) {
  for (const auto& [percent, runs] : {std::pair{20, 36U}, {0, 30U}, {100, 60U}}) {
    Plan plan = plan_of(3, {.retries_percent = percent});
    execute(plan, [](const PlannedRun&) { return run_of(1, Status::suspect); });
    EXPECT_EQ(plan.order.size(), runs) << percent;
    std::set<std::pair<std::size_t, int>> different;
    for (const PlannedRun& run : plan.order) different.insert({run.cell, run.repeat});
    EXPECT_EQ(different.size(), runs) << "every repeat has its own number";
  }
}

TEST(Stopping, AnInterruptedPlanGoesOnAsItWouldHave) {
  const auto made = [](const PlannedRun& run) {
    return run_of(100 + 40.0 * run.repeat * (run.cell == 2),
                  run.cell % 3 == 0 ? Status::suspect : Status::ok);
  };
  const Stopping stopping{
      .retries_percent = 20, .precision = 0.05, .metric = "", .budget_ns = 9'000'000'000};
  Plan whole = plan_of(6, stopping);
  const std::vector<Json> runs = execute(whole, made);
  ASSERT_GT(whole.order.size(), 72U);
  const Plan fresh = plan_of(6, stopping);
  for (const std::size_t cut : {std::size_t{60}, std::size_t{65}, std::size_t{75}}) {
    // The journal's runs, and the order as far as it was known by then.
    Plan plan = fresh;
    std::vector<Json> done;
    while (done.size() < cut) {
      if (done.size() == plan.order.size()) {
        const auto more = more_runs(plan, done);
        plan.order.insert(plan.order.end(), more.begin(), more.end());
      }
      done.push_back(made(plan.order[done.size()]));
    }
    plan = plan_from_json(to_json(plan));
    while (true) {
      while (done.size() < plan.order.size()) done.push_back(made(plan.order[done.size()]));
      const auto more = more_runs(plan, done);
      if (more.empty()) break;
      plan.order.insert(plan.order.end(), more.begin(), more.end());
    }
    EXPECT_EQ(to_json(plan), to_json(whole)) << cut;
  }
}

TEST(Stopping, OnlyOpenCellsGoOnUntilTheyAreSettled) {
  Plan plan = plan_of(
      6, {.retries_percent = 0, .precision = 0.03, .metric = "", .budget_ns = 3'600'000'000'000});
  // Cell 1 scatters by 20 %, so that ±3 % takes many repeats; the others are quiet.
  const std::vector<Json> runs = execute(plan, [](const PlannedRun& run) {
    return run_of(run.cell == 1 ? 100 + 10 * ((run.repeat * 7) % 5 - 2) : 100 + run.repeat % 2);
  });
  for (std::size_t i = 60; i < plan.order.size(); ++i) {
    EXPECT_EQ(plan.order[i].cell, 1U);
    EXPECT_EQ(plan.order[i].why, Why::precision);
  }
  EXPECT_GT(plan.order.size(), 70U);
  EXPECT_TRUE(open_cells(plan, runs).empty());
  EXPECT_TRUE(stopping_json(plan, runs)["open"].empty());
}

TEST(Stopping, TheBudgetEndsItAndSaysWhatIsOpen) {
  // A run takes 0.1 s: the planned ones 6 s, so that there is time for 10 more.
  Plan plan = plan_of(6, {.retries_percent = 0,
                          .precision = 0.01,
                          .metric = "messages_per_s",
                          .budget_ns = 7'050'000'000});
  const std::vector<Json> runs = execute(
      plan, [](const PlannedRun& run) { return run_of(run.cell == 0 ? 50 * run.repeat : 7); });
  EXPECT_EQ(runs.size(), 70U);
  const std::vector<OpenCell> open = open_cells(plan, runs);
  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(open[0].cell, 0U);
  EXPECT_EQ(open[0].metric, "messages_per_s");
  EXPECT_GT(open[0].repeats_to_go, 100);
  EXPECT_NEAR(open[0].seconds, 0.1 * open[0].repeats_to_go, 1e-6);
  const Json json = stopping_json(plan, runs);
  EXPECT_EQ(json["open"][0]["key"], plan.cells[0].key());
  EXPECT_EQ(json["runs_for_precision"], 10);
  const std::string lines = stopping_lines(plan, runs).at(0);
  EXPECT_NE(lines.find("more would settle it"), std::string::npos) << lines;
}

TEST(Stopping, WhatHasNoSuchMetricIsNeverOpen) {
  Plan plan = plan_of(
      6, {.retries_percent = 0, .precision = 0.01, .metric = "p99", .budget_ns = 60'000'000'000});
  EXPECT_EQ(execute(plan, [](const PlannedRun& run) { return run_of(run.repeat); }).size(), 60U);
  EXPECT_EQ(metric_name("p99", "ping_pong"), "round_trip_p99_ns");
  EXPECT_EQ(metric_name("", "ping_pong"), "round_trip_p50_ns");
  EXPECT_EQ(metric_name("", "flood"), "messages_per_s");
  EXPECT_EQ(metric_name("p99", "flood"), "");
  EXPECT_EQ(metric_name("cpu_ns_per_message", "flood"), "cpu_ns_per_message");
}

TEST(Stopping, APlanOfAnOlderFileAddsNothing) {
  nlohmann::ordered_json json = to_json(plan_of(2, {}));
  for (const char* key : {"retries_percent", "precision", "metric", "budget_ns", "in_pairs"})
    json.erase(key);
  const Plan plan = plan_from_json(json);
  EXPECT_EQ(plan.stopping.retries_percent, 0);
  EXPECT_FALSE(plan.in_pairs);
  json["order"].push_back({0, 3, "whim"});
  EXPECT_THROW(plan_from_json(json), UsageError);
}

}  // namespace
}  // namespace ipcbench
