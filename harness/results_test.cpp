#include "harness/results.h"

#include <gtest/gtest.h>

#include "harness/text.h"

namespace ipcbench {
namespace {

PlannedCell cell_of(const char* scenario, std::optional<std::uint64_t> size = 64) {
  return {.transport = "pipe",
          .scenario = scenario,
          .size = size,
          .mix = {},
          .place = {.name = "none", .cpus = {-1, -1}, .impossible = ""},
          .manner = {},
          .load = {},
          .skipped = ""};
}

/// 1,000 operations in 2 ms, in two halves.
Outcome outcome_of(Status status = Status::ok) {
  Outcome outcome;
  outcome.status = status;
  outcome.count = 1'000;
  outcome.elapsed_ns = 2'000'000;
  outcome.batch_messages = 500;
  outcome.batch_ns = {900'000, 1'100'000};
  outcome.ends = {{.role = "producer",
                   .cpu = 2,
                   .count = 750,
                   .elapsed_ns = 2'000'000,
                   .user_ns = 300'000,
                   .system_ns = 500'000,
                   .voluntary_switches = 1'000,
                   .involuntary_switches = 2},
                  {.role = "consumer",
                   .cpu = -1,
                   .count = 250,
                   .elapsed_ns = 2'000'000,
                   .user_ns = 100'000,
                   .system_ns = 100'000,
                   .voluntary_switches = 1'000,
                   .involuntary_switches = 0}};
  return outcome;
}

/// The run as it is read back from text.
RunRecord reread(const Json& run) {
  const Json document{{"schema", results_schema},
                      {"context", Json::object()},
                      {"plan", Json::object()},
                      {"runs", Json::array({run})}};
  return records_of(Json::parse(dump(document)), "test").runs.at(0);
}

TEST(Results, WhatALossyChannelLostDoesNotCountAsThroughput) {
  Outcome outcome = outcome_of();
  outcome.losses = {.lost = 100, .reordered = 2, .duplicates = 1};
  const Json run = run_json(cell_of("flood"), 1, 0, outcome);
  EXPECT_EQ(run["count"], 1'000);
  EXPECT_EQ(run["lost"], 100);
  EXPECT_EQ(run["reordered"], 2);
  EXPECT_EQ(run["duplicates"], 1);
  EXPECT_DOUBLE_EQ(run["messages_per_s"].get<double>(), 450'000);
  EXPECT_DOUBLE_EQ(run["bytes_per_s"].get<double>(), 64 * 450'000.0);
  EXPECT_EQ(reread(run).measures.at("lost"), 100);
  EXPECT_FALSE(run_json(cell_of("flood"), 1, 0, outcome_of()).contains("lost"));
}

TEST(Results, ARoundTripIsTwoMessages) {
  Outcome outcome = outcome_of();
  outcome.histogram.emplace();
  for (int i = 0; i < 1'000; ++i) outcome.histogram->record(2'000);
  const Json run = run_json(cell_of("ping_pong"), 3, 17, outcome);
  EXPECT_EQ(run["key"], "ping_pong/pipe/size:64/place:none");
  EXPECT_EQ(run["repeat"], 3);
  EXPECT_EQ(run["order"], 17);
  EXPECT_EQ(run["reason"], nullptr);
  EXPECT_EQ(run["round_trip_source"], "each");
  EXPECT_EQ(run["round_trip_mean_ns"], 2'000);
  EXPECT_NEAR(run["round_trip_p50_ns"], 2'000, 16);
  EXPECT_NEAR(run["round_trip_p99_ns"], 2'000, 16);
  EXPECT_EQ(run["round_trip_p999_ns"], nullptr) << "one value beyond it is no support";
  EXPECT_EQ(run["cpu_ns_per_message"], 500);
  EXPECT_EQ(run["user_ns_per_message"], 200);
  EXPECT_EQ(run["voluntary_switches_per_message"], 1);
  EXPECT_EQ(run["ends"][0]["cpu"], 2);
  EXPECT_EQ(run["ends"][1]["cpu"], nullptr);
  EXPECT_FALSE(run.contains("messages_per_s"));
}

TEST(Results, ABrokersTimeIsPartOfTheCost) {
  Outcome outcome = outcome_of();
  EXPECT_FALSE(run_json(cell_of("ping_pong"), 1, 0, outcome).contains("daemons_ns_per_message"));
  const double ends_ns = run_json(cell_of("ping_pong"), 1, 0, outcome)["cpu_ns_per_message"];
  outcome.daemons_ns = 1'000'000;
  const Json run = run_json(cell_of("ping_pong"), 1, 0, outcome);
  const double daemons_ns = run["daemons_ns_per_message"];
  EXPECT_GT(daemons_ns, 0);
  EXPECT_DOUBLE_EQ(run["cpu_ns_per_message"].get<double>(), ends_ns + daemons_ns);
}

TEST(Results, WhatIsTooFastForAClockComesFromSubBatches) {
  const Json run = run_json(cell_of("ping_pong"), 1, 0, outcome_of());
  EXPECT_EQ(run["round_trip_source"], "sub-batches");
  EXPECT_EQ(run["round_trip_p50_ns"], 2'000);
  EXPECT_EQ(run["round_trip_p99_ns"], nullptr);
  EXPECT_TRUE(reread(run).timed_by_batches);
}

TEST(Results, AFloodCountsMessagesAndBytes) {
  const Json run = run_json(cell_of("flood", 4096), 1, 0, outcome_of());
  EXPECT_EQ(run["messages_per_s"], 500'000);
  EXPECT_EQ(run["bytes_per_s"], 500'000.0 * 4096);
  EXPECT_EQ(run["cpu_ns_per_message"], 1'000);
  EXPECT_FALSE(run.contains("round_trip_p50_ns"));
}

TEST(Results, ContendersHaveTheirShares) {
  Outcome outcome = outcome_of();
  outcome.ends[0].role = "holder_1";
  outcome.ends[1].role = "holder_2";
  const Json run = run_json(cell_of("contend", std::nullopt), 1, 0, outcome);
  EXPECT_EQ(run["key"], "contend/pipe/place:none");
  EXPECT_EQ(run["size"], nullptr);
  EXPECT_EQ(run["acquisitions_per_s"], 500'000);
  EXPECT_DOUBLE_EQ(run["fairness"], 0.8);
}

TEST(Results, ThereIsNoNumberThatJsonLacks) {
  Outcome outcome = outcome_of();
  outcome.elapsed_ns = 0;
  outcome.count = 0;
  for (const char* scenario : {"ping_pong", "flood", "handoff", "contend", "verify"}) {
    const std::string text = dump(run_json(cell_of(scenario), 1, 0, outcome));
    EXPECT_EQ(text.find("nan"), std::string::npos) << text;
    EXPECT_EQ(text.find("inf"), std::string::npos) << text;
    EXPECT_NO_THROW(reread(Json::parse(text))) << text;
  }
}

TEST(Results, AFailedRunHasAReasonAndNoMeasures) {
  Outcome outcome = outcome_of(Status::failed);
  outcome.reason = "producer: it broke \xff";
  const Json run = run_json(cell_of("flood"), 1, 0, outcome);
  EXPECT_FALSE(run.contains("messages_per_s"));
  EXPECT_FALSE(run.contains("count"));
  const RunRecord record = reread(run);
  EXPECT_EQ(record.status, Status::failed);
  EXPECT_EQ(record.reason, "producer: it broke \xef\xbf\xbd") << "what isn't UTF-8 is replaced";
}

TEST(Results, ASkippedCellHasItsReason) {
  PlannedCell cell = cell_of("flood");
  cell.skipped = "65537 bytes; it takes 8192";
  const RunRecord record = reread(skipped_json(cell));
  EXPECT_EQ(record.status, Status::skipped);
  EXPECT_EQ(record.reason, cell.skipped);
  EXPECT_EQ(record.repeat, 0);
}

TEST(Results, ARunIsReadBackAsItWas) {
  Outcome outcome = outcome_of(Status::suspect);
  outcome.reason = "noise";
  outcome.histogram.emplace();
  for (std::uint64_t ns = 1; ns < 1'000'000; ns += 997) outcome.histogram->record(ns);
  outcome.histogram->record(Histogram::value_max);
  const RunRecord record = reread(run_json(cell_of("ping_pong"), 2, 0, outcome));
  EXPECT_EQ(record.transport, "pipe");
  EXPECT_EQ(record.scenario, "ping_pong");
  EXPECT_EQ(record.size, 64U);
  EXPECT_EQ(record.placement, "none");
  EXPECT_EQ(record.repeat, 2);
  EXPECT_EQ(record.status, Status::suspect);
  EXPECT_EQ(record.reason, "noise");
  EXPECT_EQ(record.measures.at("round_trip_mean_ns"), 2'000);
  EXPECT_FALSE(record.timed_by_batches);
  ASSERT_TRUE(record.histogram);
  EXPECT_EQ(record.histogram->sparse(), outcome.histogram->sparse());
}

TEST(Results, SkippedCellsFollowTheRuns) {
  Plan plan;
  plan.cells = {cell_of("ping_pong"), cell_of("flood")};
  plan.cells[0].skipped = "no";
  plan.order = {{1, 1}};
  const Json run = run_json(plan.cells[1], 1, 0, outcome_of());
  const Json document = results_json({{"program", "ipcbench"}}, plan, {run}, true);
  EXPECT_EQ(document["schema"], "ipcbench/1");
  EXPECT_EQ(document["context"]["complete"], true);
  ASSERT_EQ(document["runs"].size(), 2U);
  EXPECT_EQ(document["runs"][0], run);
  EXPECT_EQ(document["runs"][1]["status"], "skipped");
  EXPECT_EQ(records_of(document, "test").runs.size(), 2U) << "as it was made, without a file";
}

}  // namespace
}  // namespace ipcbench
