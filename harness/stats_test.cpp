#include "harness/stats.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace ipcbench {
namespace {

TEST(Stats, QuantilesOfKnownValues) {
  const std::vector<double> values{4, 1, 3, 2};
  EXPECT_DOUBLE_EQ(quantile(values, 0.5).value(), 2.5);
  EXPECT_DOUBLE_EQ(quantile(values, 0).value(), 1);
  EXPECT_DOUBLE_EQ(quantile(values, 1).value(), 4);
  EXPECT_DOUBLE_EQ(quantile(values, 0.25).value(), 1.75);
  EXPECT_FALSE(quantile({}, 0.5).has_value());
}

TEST(Stats, MedianIntervalTakesTheTablesRanks) {
  // Tables of the sign test: at 95 %, n = 6 uses ranks 1 and 6, n = 10 ranks 2 and 9,
  // n = 20 ranks 6 and 15, n = 30 ranks 10 and 21.
  for (const auto& [count, rank] : {std::pair{6, 1}, {10, 2}, {20, 6}, {30, 10}}) {
    std::vector<double> values;
    for (int i = 1; i <= count; ++i) values.push_back(i);
    const Estimate estimate = estimate_median(values).value();
    EXPECT_EQ(estimate.low, rank) << count;
    EXPECT_EQ(estimate.high, count + 1 - rank) << count;
    EXPECT_GE(estimate.confidence, 0.95) << count;
  }
}

TEST(Stats, BelowSixRepeatsTheConfidenceIsSaidAsItIs) {
  const std::vector<double> values{3, 1, 2};
  const Estimate estimate = estimate_median(values).value();
  EXPECT_EQ(estimate.low, 1);
  EXPECT_EQ(estimate.high, 3);
  EXPECT_DOUBLE_EQ(estimate.confidence, 0.75);
}

TEST(Stats, MedianIntervalCoversAsOftenAsItSays) {
  std::mt19937_64 random(11);
  std::exponential_distribution<double> values_of(1);
  const double true_median = 0.693147180559945;
  for (const int count : {6, 11, 20}) {
    int covered = 0;
    double promised = 0;
    constexpr int trials = 20'000;
    for (int trial = 0; trial < trials; ++trial) {
      std::vector<double> values(static_cast<std::size_t>(count));
      for (double& value : values) value = values_of(random);
      const Estimate estimate = estimate_median(values).value();
      covered += estimate.low <= true_median && true_median <= estimate.high ? 1 : 0;
      promised = estimate.confidence;
    }
    EXPECT_NEAR(static_cast<double>(covered) / trials, promised, 0.006) << count;
  }
}

TEST(Stats, FairnessIsOneForEqualSharesAndAPartForOneTaker) {
  EXPECT_DOUBLE_EQ(fairness(std::vector<double>{5, 5}), 1);
  EXPECT_DOUBLE_EQ(fairness(std::vector<double>{10, 0}), 0.5);
  EXPECT_DOUBLE_EQ(fairness(std::vector<double>{1, 3}), 0.8);
}

}  // namespace
}  // namespace ipcbench
