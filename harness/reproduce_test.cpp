#include "harness/reproduce.h"

#include <gtest/gtest.h>

#include "harness/program_under_test.h"
#include "harness/results_for_test.h"

namespace ipcbench {
namespace {

ResultsFile sample(double pipe_ns, double tcp_ns, double fifo_ns) {
  ResultsFile file{.path = "a.json", .context = Json::object(), .runs = {}};
  add_trips(file, "pipe", pipe_ns, 1'000);
  add_trips(file, "tcp", tcp_ns, 1'000);
  add_trips(file, "fifo", fifo_ns, 1'000);
  add_trips(file, "memcpy", 20, 10);
  return file;
}

const Ratio& ratio_of(const Reproduction& reproduction, const std::string& transport) {
  for (const Ratio& one : reproduction.ratios)
    if (one.key.find("/" + transport + "/") != std::string::npos) return one;
  throw std::out_of_range(transport);
}

TEST(Reproduce, AMachineThatIsTwiceAsFastKeepsTheRanking) {
  const Reproduction result = reproduce(sample(4'000, 9'000, 5'000), sample(2'000, 4'500, 2'500));
  EXPECT_TRUE(result.holds());
  EXPECT_NEAR(ratio_of(result, "pipe").ratio, 0.5, 1e-4);
  EXPECT_LE(ratio_of(result, "pipe").low, 0.5001);
  EXPECT_GE(ratio_of(result, "pipe").high, 0.4999);
  ASSERT_EQ(result.rankings.size(), 1U);
  EXPECT_EQ(result.rankings[0].where, "ping_pong/size:64/place:cross-core");
  EXPECT_EQ(result.rankings[0].transports, 3U) << "a roofline is no rival";
  EXPECT_DOUBLE_EQ(result.rankings[0].tau, 1);
  EXPECT_EQ(result.rankings[0].decided_there, 3);
  EXPECT_EQ(result.rankings[0].same, 3);
  EXPECT_STREQ(result.rankings[0].verdict(), "holds");
}

TEST(Reproduce, SaysWhereTheRankingDoesNotHold) {
  const Reproduction result = reproduce(sample(4'000, 9'000, 5'000), sample(4'000, 3'000, 5'000));
  EXPECT_FALSE(result.holds());
  EXPECT_EQ(result.reversed(), 2);
  EXPECT_STREQ(result.rankings[0].verdict(), "does not hold");
  EXPECT_NEAR(result.rankings[0].tau, -1.0 / 3, 1e-9) << "one of three pairs is as it was";
  ASSERT_EQ(result.rankings[0].reversals.size(), 2U);
  EXPECT_NE(result.rankings[0].reversals[1].find("pipe beats tcp there, by 125 %; here tcp is "
                                                 "better, by 33 %"),
            std::string::npos)
      << result.rankings[0].reversals[0] << "\n"
      << result.rankings[0].reversals[1];
}

TEST(Reproduce, WhatIsNotApartDecidesNothing) {
  ResultsFile there = sample(4'000, 9'000, 5'000);
  ResultsFile here = sample(4'000, 9'000, 5'000);
  // Here fifo's repeats scatter on both sides of pipe's.
  for (RunRecord& run : here.runs)
    if (run.transport == "fifo") run.measures["round_trip_p50_ns"] = run.repeat * 1'100.0;
  const Reproduction result = reproduce(there, here);
  EXPECT_TRUE(result.holds());
  EXPECT_LT(result.rankings[0].same, 3);
  EXPECT_LT(ratio_of(result, "fifo").low, 0.9);
  EXPECT_GT(ratio_of(result, "fifo").high, 1.0);
}

TEST(Reproduce, WhatIsMissingHasItsReason) {
  ResultsFile here = sample(4'000, 9'000, 5'000);
  std::erase_if(here.runs, [](const RunRecord& run) { return run.transport == "tcp"; });
  std::erase_if(here.runs, [](const RunRecord& run) { return run.transport == "fifo"; });
  add_unmeasured(here, "fifo", "ping_pong", Status::skipped, "not here");
  const Reproduction result = reproduce(sample(4'000, 9'000, 5'000), here);
  EXPECT_EQ(ratio_of(result, "tcp").note, "here not in the file");
  EXPECT_EQ(ratio_of(result, "fifo").note, "here skipped: not here");
  EXPECT_TRUE(result.rankings.empty());
}

TEST(Reproduce, KendallsTau) {
  EXPECT_DOUBLE_EQ(kendall_tau({1, 2, 3}, {10, 20, 30}), 1);
  EXPECT_DOUBLE_EQ(kendall_tau({1, 2, 3}, {3, 2, 1}), -1);
  // Kendall (1970), chapter 3: ties in one of them. 4 pairs agree, 1 differs, 1 is tied.
  EXPECT_NEAR(kendall_tau({1, 2, 3, 4}, {1, 3, 2, 3}), 3 / std::sqrt(30.0), 1e-12);
  EXPECT_DOUBLE_EQ(kendall_tau({1, 2}, {5, 5}), 0);
}

TEST(Reproduce, MeasuresHereAndCompares) {
  const Sandbox sandbox;
  const std::string there = sandbox.path("there.json");
  const Finished run = run_program(
      sandbox, {"run", "-t", "pipe,fifo", "-S", "ping_pong", "-s", "64", "--placement", "none",
                "-r", "2", "--min-time", "2ms", "--warmup", "1ms", "-q", "-o", there});
  ASSERT_EQ(run.status, 0) << run.err;
  const Finished finished =
      run_program(sandbox, {"reproduce", there, "-q", "-r", "2", "-o", sandbox.path("here.json")});
  EXPECT_TRUE(finished.status == 0 || finished.status == 1) << finished.err;
  EXPECT_NE(finished.out.find("ping_pong/pipe/size:64/place:none"), std::string::npos)
      << finished.out;
  EXPECT_NE(finished.out.find("here:  "), std::string::npos) << finished.out;
  const Finished again =
      run_program(sandbox, {"reproduce", there, "--here", sandbox.path("here.json")});
  EXPECT_EQ(again.status, finished.status);
  EXPECT_EQ(again.out, finished.out);
  const Finished self =
      run_program(sandbox, {"reproduce", there, "--here", there, "--format", "json"});
  EXPECT_EQ(self.status, 0);
  EXPECT_EQ(Json::parse(self.out)["cells"][0]["ratio"], 1);
}

}  // namespace
}  // namespace ipcbench
