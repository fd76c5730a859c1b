#include "harness/summary.h"

#include <gtest/gtest.h>

namespace ipcbench {
namespace {

RunRecord run_of(const char* transport, const char* scenario, Status status = Status::ok) {
  RunRecord run;
  run.transport = transport;
  run.scenario = scenario;
  run.size = 64;
  run.placement = "none";
  run.status = status;
  return run;
}

RunRecord flood_of(double messages_per_s, Status status = Status::ok) {
  RunRecord run = run_of("pipe", "flood", status);
  run.measures["messages_per_s"] = messages_per_s;
  return run;
}

/// So many round trips of each duration, which is below 256 ns, where a bin is 1 ns.
RunRecord round_trips_of(std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> counts) {
  RunRecord run = run_of("pipe", "ping_pong");
  run.histogram.emplace();
  for (const auto& [ns, count] : counts) run.histogram->add(Histogram::bin_of(ns), count);
  if (const auto p50 = run.histogram->supported_quantile(0.5))
    run.measures["round_trip_p50_ns"] = *p50;
  if (const auto p99 = run.histogram->supported_quantile(0.99))
    run.measures["round_trip_p99_ns"] = *p99;
  return run;
}

TEST(Summary, PercentilesAreOfAllRoundTripsTogether) {
  // Two of three repeats have a tail: their p99s are 10, 200 and 200, a mean of 137. Of all 30,000
  // round trips 2 % took 200 ns.
  const CellSummary tail =
      summarise({round_trips_of({{10, 10'000}}), round_trips_of({{10, 9'700}, {200, 300}}),
                 round_trips_of({{10, 9'700}, {200, 300}})})
          .at(0);
  EXPECT_EQ(tail.round_trips, 30'000U);
  EXPECT_EQ(tail.p50_ns.value().median, 10);
  EXPECT_EQ(tail.p99_ns.value().median, 200);
  EXPECT_EQ(tail.p99_ns.value().low, 10) << "the interval is over the repeats";
  EXPECT_EQ(tail.p99_ns.value().high, 200);
  // One repeat of three has one: of all, 0.7 % took 200 ns, though the mean of the p99s is 73.
  const CellSummary none =
      summarise({round_trips_of({{10, 10'000}}), round_trips_of({{10, 10'000}}),
                 round_trips_of({{10, 9'800}, {200, 200}})})
          .at(0);
  EXPECT_EQ(none.p99_ns.value().median, 10);
  EXPECT_EQ(none.p999_ns.value(), 200);
}

TEST(Summary, MergingGivesPercentilesThatSingleRepeatsCannot) {
  const std::vector<RunRecord> runs(3, round_trips_of({{10, 490}, {100, 10}}));
  EXPECT_FALSE(runs[0].measures.contains("round_trip_p99_ns"));
  const CellSummary cell = summarise(runs).at(0);
  EXPECT_EQ(cell.p99_ns.value().median, 100);
  EXPECT_FALSE(cell.p999_ns);
  EXPECT_FALSE(summarise({runs[0]}).at(0).p99_ns) << "five round trips beyond it are no support";
}

TEST(Summary, RatesAreMediansOverTheRepeats) {
  const CellSummary cell = summarise({flood_of(30), flood_of(10), flood_of(20)}).at(0);
  EXPECT_EQ(cell.messages_per_s.value().median, 20);
  EXPECT_EQ(cell.messages_per_s.value().low, 10);
  EXPECT_EQ(cell.messages_per_s.value().high, 30);
  EXPECT_EQ(cell.ok, 3);
  EXPECT_FALSE(cell.p50_ns);
}

TEST(Summary, FailedRunsAreCountedAndLeftOutSuspectOnesKept) {
  RunRecord failed = flood_of(1'000'000, Status::failed);
  failed.reason = "it broke";
  RunRecord suspect = flood_of(40, Status::suspect);
  suspect.reason = "noise";
  const CellSummary cell = summarise({flood_of(20), failed, suspect}).at(0);
  EXPECT_EQ(cell.ok, 1);
  EXPECT_EQ(cell.failed, 1);
  EXPECT_EQ(cell.suspect, 1);
  EXPECT_EQ(cell.measured(), 2);
  EXPECT_EQ(cell.messages_per_s.value().median, 30);
  EXPECT_EQ(cell.reason, "it broke");
}

TEST(Summary, CellsDifferByTransportScenarioSizeAndPlacement) {
  std::vector<RunRecord> runs(6, flood_of(1));
  runs[1].transport = "tcp";
  runs[2].size = 128;
  runs[3].size = std::nullopt;
  runs[4].placement = "same-core";
  const std::vector<CellSummary> cells = summarise(runs);
  ASSERT_EQ(cells.size(), 5U);
  EXPECT_EQ(cells[0].ok, 2);
  EXPECT_EQ(cells[1].transport, "tcp") << "in the order of their first appearance";
  EXPECT_TRUE(summarise(std::vector<RunRecord>{}).empty());
}

}  // namespace
}  // namespace ipcbench
