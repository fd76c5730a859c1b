#include "harness/calibration.h"

#include <cmath>
#include <cstdlib>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/program_under_test.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

std::vector<double> pairs_of(int count, double scatter, std::mt19937_64& random,
                             double change = 0) {
  std::normal_distribution<double> noise(std::log1p(change), scatter);
  std::vector<double> pairs;
  for (int i = 0; i < count; ++i) pairs.push_back(noise(random));
  return pairs;
}

TEST(Calibration, QuieterPairsResolveMore) {
  std::mt19937_64 random(2);
  const Resolution quiet = resolve_pairs(pairs_of(20, 0.01, random)).value();
  const Resolution noisy = resolve_pairs(pairs_of(20, 0.2, random)).value();
  EXPECT_LT(quiet.smallest_change, 0.03);
  EXPECT_GT(noisy.smallest_change, 0.1);
  EXPECT_NEAR(quiet.spread, 0.0067, 0.005);
  EXPECT_EQ(quiet.pairs, 20);
  EXPECT_LE(noisy.false_alarms, 0.05);
  EXPECT_GE(resolve_pairs(std::vector<double>(20, 0)).value().smallest_change, 0.01 - 1e-12)
      << "never less than the gate's margin";
  EXPECT_FALSE(resolve_pairs(std::vector<double>(5, 0)).has_value());
}

TEST(Calibration, AChangeOfThatSizeIsFoundInFourOfFiveCases) {
  std::mt19937_64 random(4);
  int found = 0;
  int alarms = 0;
  constexpr int trials = 200;
  for (int trial = 0; trial < trials; ++trial) {
    const double change = resolve_pairs(pairs_of(20, 0.05, random)).value().smallest_change;
    const auto is_found = [&](double by) {
      return estimate_quantile(pairs_of(20, 0.05, random, by), 0.5).value().low > std::log1p(0.01);
    };
    found += is_found(change) ? 1 : 0;
    alarms += is_found(0) ? 1 : 0;
  }
  fmt::print("found {} of {}, false alarms {}\n", found, trials, alarms);
  EXPECT_NEAR(static_cast<double>(found) / trials, 0.8, 0.1);
  EXPECT_LE(alarms, 5);
}

TEST(Calibration, TheProgramKeepsItAndAddsToIt) {
  const Sandbox sandbox;
  const auto calibrate = [&](const char* transport) {
    return run_program(sandbox, {"calibrate", "-t", transport, "-S", "ping_pong", "-s", "64", "-r",
                                 "6", "--placement", "none", "--count", "4000", "--warmup", "1ms",
                                 "-o", sandbox.path("x.json")});
  };
  const Finished first = calibrate("pipe");
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_NE(first.out.find("ping_pong/pipe/size:64/place:none"), std::string::npos) << first.out;
  ASSERT_EQ(calibrate("fifo").status, 0);
  const Json results = Json::parse(sandbox.read("x.json"));
  EXPECT_EQ(results["plan"]["in_pairs"], true);
  EXPECT_EQ(results["runs"].size(), 12U);

  ::setenv("XDG_STATE_HOME", sandbox.state().c_str(), 1);
  const std::string path = calibration_path(results["context"]["machine"]);
  const std::optional<Json> document = read_calibration(path);
  ::unsetenv("XDG_STATE_HOME");
  ASSERT_TRUE(document) << path;
  for (const char* transport : {"pipe", "fifo"}) {
    const std::string key = fmt::format("ping_pong/{}/size:64/place:none", transport);
    for (const char* metric : {"batch_q10_ns", "batch_q25_ns", "round_trip_p50_ns"})
      EXPECT_GE(smallest_change(*document, key, metric).value_or(0), 0.0099) << key << metric;
    EXPECT_FALSE(smallest_change(*document, key, "beauty"));
  }
  EXPECT_FALSE(smallest_change(*document, "flood/pipe", "batch_q10_ns"));
}

TEST(Calibration, AFileOfAnotherKindIsRefused) {
  const Sandbox sandbox;
  EXPECT_FALSE(read_calibration(sandbox.path("missing.json")));
  for (const char* text : {"", "[]", "{\"schema\": \"ipcbench/1\"}",
                           "{\"schema\": \"ipcbench-calibration/1\", \"cells\": 3}"}) {
    sandbox.write("broken.json", text);
    EXPECT_THROW(read_calibration(sandbox.path("broken.json")), UsageError) << text;
  }
}

}  // namespace
}  // namespace ipcbench
