#include "harness/latency_target.h"

#include <gtest/gtest.h>

#include "harness/stopping.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

Plan plan_of(int repeats) {
  Selection selection;
  selection.transports = {"pipe"};
  selection.scenarios = {"paced"};
  selection.places = {{.name = "none", .cpus = {-1, -1}, .impossible = ""}};
  selection.repeats = repeats;
  selection.stopping = {.retries_percent = 0, .target = {.percentile = "p99", .limit_ns = 50'000}};
  selection.loads["rate"] = rate_ladder();
  return make_plan(selection);
}

/// Runs the plan to its end: rates up to `knee_per_s` keep the target.
std::vector<Json> execute(Plan& plan, std::int64_t knee_per_s) {
  std::vector<Json> runs;
  while (true) {
    for (; runs.size() < plan.order.size();) {
      const std::int64_t rate = plan.cells[plan.order[runs.size()].cell].load.rate_per_s;
      runs.push_back({{"status", "ok"}, {"latency_p99_ns", rate <= knee_per_s ? 20'000 : 80'000}});
    }
    const std::vector<PlannedRun> more = more_runs(plan, runs);
    if (more.empty()) return runs;
    plan.order.insert(plan.order.end(), more.begin(), more.end());
  }
}

TEST(LatencyTarget, IsAPercentileAndATime) {
  const LatencyTarget target = parse_latency_target("p99<50us");
  EXPECT_EQ(target.percentile, "p99");
  EXPECT_EQ(target.limit_ns, 50'000);
  for (const char* word : {"", "p99", "p99<", "p99<50", "p98<50us", "p99>50us", "50us", "p99<0s"})
    EXPECT_THROW(parse_latency_target(word), UsageError) << word;
}

TEST(LatencyTarget, FindsTheHighestRateThatHolds) {
  for (const std::int64_t knee_per_s : {150, 9'000, 10'000, 11'000, 123'456, 5'000'000}) {
    Plan plan = plan_of(2);
    const std::vector<Json> runs = execute(plan, knee_per_s);
    EXPECT_LT(runs.size(), 60u) << "a search, not a sweep";
    const std::vector<Knee> knees = find_knees(plan, runs);
    ASSERT_EQ(knees.size(), 1u);
    ASSERT_TRUE(knees[0].holds && knees[0].fails) << knee_per_s;
    EXPECT_FALSE(knees[0].next);
    EXPECT_LE(*knees[0].holds, knee_per_s);
    EXPECT_GT(*knees[0].fails, knee_per_s);
    EXPECT_LT(static_cast<double>(*knees[0].fails), 1.27 * static_cast<double>(*knees[0].holds));
  }
}

TEST(LatencyTarget, KnowsWhereThereIsNone) {
  Plan plan = plan_of(1);
  const std::vector<Knee> never = find_knees(plan, execute(plan, 0));
  EXPECT_FALSE(never[0].holds);
  EXPECT_EQ(never[0].fails, rate_ladder().front());
  plan = plan_of(1);
  const std::vector<Knee> always = find_knees(plan, execute(plan, INT64_MAX));
  EXPECT_EQ(always[0].holds, rate_ladder().back());
  EXPECT_FALSE(always[0].fails);
}

TEST(LatencyTarget, ASearchThatWasCutShortSaysSo) {
  const Plan plan = plan_of(1);
  const std::vector<Json> runs{{{"status", "ok"}, {"latency_p99_ns", 20'000}}};
  const std::vector<std::string> lines = knee_lines(plan, runs);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("cut short"), std::string::npos) << lines[0];
  EXPECT_EQ(knees_json(plan, runs)[0]["complete"], false);
}

TEST(LatencyTarget, SurvivesAResultsFile) {
  const Plan plan = plan_of(1);
  const Plan again = plan_from_json(to_json(plan));
  EXPECT_EQ(again.stopping.target.percentile, "p99");
  EXPECT_EQ(again.stopping.target.limit_ns, 50'000);
  EXPECT_EQ(to_json(again), to_json(plan));
}

}  // namespace
}  // namespace ipcbench
