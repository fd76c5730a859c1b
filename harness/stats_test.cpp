#include "harness/stats.h"

#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <tuple>
#include <vector>

#include <fmt/format.h>
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

/// 1, 2 … count: a value is its rank.
std::vector<double> ranks(int count) {
  std::vector<double> values;
  for (int i = 1; i <= count; ++i) values.push_back(i);
  return values;
}

TEST(Stats, TheSignTestsIntervalTakesTheTablesRanks) {
  // Tables of the sign test: at 95 %, n = 6 uses ranks 1 and 6, n = 10 ranks 2 and 9,
  // n = 20 ranks 6 and 15, n = 30 ranks 10 and 21.
  for (const auto& [count, rank] : {std::pair{6, 1}, {10, 2}, {20, 6}, {30, 10}}) {
    const Estimate estimate = estimate_quantile(ranks(count), 0.5).value();
    EXPECT_EQ(estimate.low, rank) << count;
    EXPECT_EQ(estimate.high, count + 1 - rank) << count;
    EXPECT_GE(estimate.confidence, 0.95) << count;
    // Interpolation lies between these ranks and the next ones.
    const Estimate interpolated = estimate_median(ranks(count)).value();
    EXPECT_GE(interpolated.low, rank) << count;
    EXPECT_LT(interpolated.low, rank + 1) << count;
    EXPECT_DOUBLE_EQ(interpolated.high, count + 1 - interpolated.low) << count;
    EXPECT_DOUBLE_EQ(interpolated.confidence, 0.95) << count;
  }
  EXPECT_FALSE(estimate_quantile(ranks(5), 0.5).has_value());
}

TEST(Stats, APercentileNeedsEnoughValuesOnBothSides) {
  // P(X = 0) for X ~ Binomial(n, 1/10) must be below 2.5 %: so from 36 values on, and its 36 are
  // 0.9^36 = 2.25 %.
  EXPECT_FALSE(estimate_quantile(ranks(35), 0.9).has_value());
  EXPECT_TRUE(estimate_quantile(ranks(36), 0.9).has_value());
  EXPECT_FALSE(estimate_quantile({}, 0.9).has_value());
  // n = 100, p = 0.9: R's qbinom(c(.025, .975), 100, .9) are 84 and 95.
  const Estimate p90 = estimate_quantile(ranks(100), 0.9).value();
  EXPECT_EQ(p90.low, 84);
  EXPECT_EQ(p90.high, 96);
}

TEST(Stats, BelowSixRepeatsTheConfidenceIsSaidAsItIs) {
  const std::vector<double> values{3, 1, 2};
  const Estimate estimate = estimate_median(values).value();
  EXPECT_EQ(estimate.low, 1);
  EXPECT_EQ(estimate.high, 3);
  EXPECT_DOUBLE_EQ(estimate.confidence, 0.75);
}

using Random = std::mt19937_64;
using Draw = std::function<double(Random&)>;

struct Known {
  const char* name;
  double median;
  Draw draw;
};

/// Distributions of all kinds whose median is known.
std::vector<Known> known_distributions() {
  const auto normal = [](Random& random) { return std::normal_distribution<double>()(random); };
  return {{"normal", 10, [=](Random& random) { return 10 + normal(random); }},
          {"exponential", std::log(2),
           [](Random& random) { return std::exponential_distribution<double>(1)(random); }},
          {"log-normal", 1, [=](Random& random) { return std::exp(normal(random)); }},
          {"uniform", 1.5,
           [](Random& random) { return std::uniform_real_distribution<double>(1, 2)(random); }},
          {"Cauchy", 0, [](Random& random) { return std::cauchy_distribution<double>()(random); }}};
}

std::vector<double> sample(const Draw& draw, int count, Random& random) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(draw(random));
  return values;
}

/// How often an interval covers the truth, in `trials` samples.
double coverage_of(int trials, const std::function<bool(Random&)>& covers) {
  Random random(11);
  int covered = 0;
  for (int trial = 0; trial < trials; ++trial) covered += covers(random) ? 1 : 0;
  return static_cast<double>(covered) / trials;
}

bool holds(const Estimate& estimate, double truth) {
  return estimate.low <= truth && truth <= estimate.high;
}

TEST(Stats, TheMediansIntervalCovers95Per100) {
  double sum = 0;
  int cases = 0;
  for (const Known& known : known_distributions())
    for (const int count : {6, 10, 20, 30}) {
      const double coverage = coverage_of(4'000, [&](Random& random) {
        return holds(estimate_median(sample(known.draw, count, random)).value(), known.median);
      });
      fmt::print("median, {} of {}: {:.1f} %\n", count, known.name, 100 * coverage);
      // 94 to 96 %, and three standard errors of 4,000 trials.
      EXPECT_NEAR(coverage, 0.95, 0.01 + 0.003) << known.name << count;
      sum += coverage;
      ++cases;
    }
  EXPECT_NEAR(sum / cases, 0.95, 0.01);
}

TEST(Stats, OrderStatisticsCoverAsOftenAsTheySay) {
  const Known log_normal = known_distributions()[2];
  // Quantiles of the normal distribution: 0 and 1.2815515655446.
  for (const auto& [quantile, truth, count] :
       {std::tuple{0.5, 1.0, 10}, {0.5, 1.0, 20}, {0.9, 3.6022245, 60}, {0.9, 3.6022245, 300}}) {
    double said = 0;
    const double coverage =
        coverage_of(2'500, [&, quantile = quantile, truth = truth, count = count](Random& random) {
          const Estimate estimate =
              estimate_quantile(sample(log_normal.draw, count, random), quantile).value();
          said = estimate.confidence;
          return holds(estimate, truth);
        });
    fmt::print("quantile {}, {} values: {:.1f} %, said {:.1f} %\n", quantile, count, 100 * coverage,
               100 * said);
    EXPECT_GE(said, 0.95) << "ranks are whole numbers: never less than what was asked for";
    EXPECT_NEAR(coverage, said, 0.013) << quantile << " " << count;
  }
}

TEST(Stats, TheBootstrapIsSeededAndKnowsTheMean) {
  Random random(5);
  const std::vector<double> values = sample(known_distributions()[0].draw, 50, random);
  const auto mean = [&](std::span<const std::size_t> drawn) {
    double sum = 0;
    for (const std::size_t i : drawn) sum += values[i];
    return sum / static_cast<double>(drawn.size());
  };
  const Interval interval = bootstrap(values.size(), mean, 0.95, 4000, 1);
  const Interval again = bootstrap(values.size(), mean, 0.95, 4000, 1);
  EXPECT_EQ(interval.low, again.low);
  EXPECT_EQ(interval.high, again.high);
  EXPECT_NE(interval.low, bootstrap(values.size(), mean, 0.95, 4000, 2).low);
  // The normal approximation of the same: ±1.96 standard errors.
  std::vector<std::size_t> all(values.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  double squares = 0;
  for (const double value : values) squares += (value - mean(all)) * (value - mean(all));
  const double error = std::sqrt(squares) / static_cast<double>(values.size());
  EXPECT_NEAR(interval.low, mean(all) - 1.96 * error, 0.15 * error);
  EXPECT_NEAR(interval.high, mean(all) + 1.96 * error, 0.15 * error);
}

TEST(Stats, TheBootstrapOfTheMedianAgreesWithOrderStatistics) {
  for (const int count : {10, 20}) {
    const Known known = known_distributions()[1];
    const double coverage = coverage_of(500, [&](Random& random) {
      const std::vector<double> values = sample(known.draw, count, random);
      std::vector<double> drawn_values(values.size());
      const Interval interval = bootstrap(
          values.size(),
          [&](std::span<const std::size_t> drawn) {
            for (std::size_t i = 0; i < drawn.size(); ++i) drawn_values[i] = values[drawn[i]];
            return quantile(drawn_values, 0.5).value();
          },
          0.95, 300, random());
      return interval.low <= known.median && known.median <= interval.high;
    });
    fmt::print("bootstrap of the median, {} values: {:.1f} %\n", count, 100 * coverage);
    // Resampled medians take few values: somewhat wide, never narrow.
    EXPECT_GE(coverage, 0.93) << count;
    EXPECT_LE(coverage, 0.99) << count;
  }
}

/// Repeats that differ from each other (by 10 %) more than the values in one of them by chance.
std::vector<std::unique_ptr<Histogram>> repeats_of(int count, Random& random) {
  std::vector<std::unique_ptr<Histogram>> repeats;
  for (int i = 0; i < count; ++i) {
    std::normal_distribution<double> level(9, 0.1);
    std::lognormal_distribution<double> values(level(random), 0.3);
    auto& repeat = *repeats.emplace_back(std::make_unique<Histogram>());
    for (int value = 0; value < 300; ++value)
      repeat.record(static_cast<std::uint64_t>(values(random)));
  }
  return repeats;
}

std::vector<const Histogram*> pointers(const std::vector<std::unique_ptr<Histogram>>& repeats) {
  std::vector<const Histogram*> all;
  for (const auto& repeat : repeats) all.push_back(repeat.get());
  return all;
}

TEST(Stats, PercentilesAreOfTheMergedHistogramWithAnIntervalOverRepeats) {
  // All values together are log-normal with the scatter of both: sqrt(0.1² + 0.3²).
  const double scatter = std::sqrt(0.1);
  for (const int count : {10, 20}) {
    const auto coverage = [&](double percentile, double truth) {
      const double covered = coverage_of(300, [&](Random& random) {
        const auto repeats = repeats_of(count, random);
        return holds(estimate_percentile(pointers(repeats), percentile).value(), truth);
      });
      fmt::print("percentile {} of {} repeats: {:.1f} %\n", percentile, count, 100 * covered);
      return covered;
    };
    // 94 to 96 %, and two and a half standard errors of 300 trials.
    EXPECT_NEAR(coverage(0.5, std::exp(9)), 0.95, 0.01 + 0.03) << count;
    // The slowest repeats make the tail, and ten needn't have one of them.
    const double tail = coverage(0.9, std::exp(9 + 1.2815515655446 * scatter));
    EXPECT_GE(tail, 0.87) << count;
    EXPECT_LE(tail, 0.98) << count;
  }
}

TEST(Stats, APercentileIsTheMergedHistogramsOwn) {
  Random random(3);
  const auto repeats = repeats_of(7, random);
  const auto merged = std::make_unique<Histogram>();
  for (const auto& repeat : repeats) merged->merge(*repeat);
  for (const double percentile : {0.5, 0.9, 0.99}) {
    const Estimate estimate = estimate_percentile(pointers(repeats), percentile).value();
    EXPECT_EQ(estimate.median, merged->quantile(percentile).value());
    EXPECT_LE(estimate.low, estimate.median);
    EXPECT_GE(estimate.high, estimate.median);
    EXPECT_EQ(estimate.count, 7);
  }
  EXPECT_FALSE(estimate_percentile(pointers(repeats), 0.999).has_value()) << "2,100 values";
  const auto one = pointers(repeats);
  EXPECT_EQ(estimate_percentile(std::span(one).first(1), 0.5).value().confidence, 0);
}

TEST(Stats, HowManyRepeatsWouldSettleIt) {
  const Estimate wide{.median = 100, .low = 94, .high = 106, .confidence = 0.95, .count = 10};
  EXPECT_EQ(repeats_to_settle(wide, 0.03), 40) << "half as wide needs four times as many";
  EXPECT_EQ(repeats_to_settle(wide, 0.06), 10);
  EXPECT_EQ(repeats_to_settle({100, 99, 101, 0.75, 3}, 0.5), 6) << "fewer have no 95 %";
}

/// How many of 500 samples have two clusters.
int bimodal_of_500(const Draw& draw, int count) {
  Random random(17);
  int found = 0;
  for (int trial = 0; trial < 500; ++trial)
    found += two_clusters(sample(draw, count, random)).has_value() ? 1 : 0;
  return found;
}

TEST(Stats, OneGroupIsHardlyEverTakenForTwo) {
  const auto normal = [](Random& random) { return std::normal_distribution<double>()(random); };
  const std::vector<std::pair<const char*, Draw>> unimodal{
      {"normal", [=](Random& random) { return std::exp(0.3 * normal(random)); }},
      {"uniform",
       [](Random& random) { return std::uniform_real_distribution<double>(1, 3)(random); }},
      {"shifted exponential",
       [](Random& random) { return 1 + std::exponential_distribution<double>(1)(random); }},
      {"Pareto", [](Random& random) {
         return 1 / std::sqrt(std::uniform_real_distribution<double>(1e-9, 1)(random));
       }}};
  for (const auto& [name, draw] : unimodal)
    for (const int count : {8, 16, 64}) {
      const int alarms = bimodal_of_500(draw, count);
      fmt::print("false alarms, {} of {}: {} of 500\n", count, name, alarms);
      EXPECT_LE(alarms, 10) << name << " " << count;
    }
}

TEST(Stats, TwoGroupsAreFound) {
  const auto mixture = [](double factor, double share, double scatter) {
    return [=](Random& random) {
      const double mode = std::uniform_real_distribution<double>(0, 1)(random) < share ? factor : 1;
      return mode * std::exp(scatter * std::normal_distribution<double>()(random));
    };
  };
  const std::vector<std::tuple<const char*, Draw, int, int>> bimodal{
      {"10 times as slow, half of them, ±20 %", mixture(10, 0.5, 0.2), 16, 475},
      {"3 times as slow, half of them, ±10 %", mixture(3, 0.5, 0.1), 16, 475},
      {"3 times as slow, a third of them, ±10 %", mixture(3, 0.33, 0.1), 32, 475},
      {"twice as slow, a fifth of them, ±5 %", mixture(2, 0.2, 0.05), 64, 475}};
  for (const auto& [name, draw, count, least] : bimodal) {
    const int hits = bimodal_of_500(draw, count);
    fmt::print("hits, {} values, {}: {} of 500\n", count, name, hits);
    EXPECT_GE(hits, least) << name;
  }
  const Clusters clusters =
      two_clusters(std::vector<double>{10, 10, 10, 11, 11, 10, 10, 100, 101, 100}).value();
  EXPECT_NEAR(clusters.low, 10.3, 0.1);
  EXPECT_NEAR(clusters.high, 100.3, 0.1);
  EXPECT_NEAR(clusters.high_share, 0.3, 1e-9);
}

TEST(Stats, FewOrEqualOrOutlyingValuesAreOneGroup) {
  EXPECT_FALSE(two_clusters(std::vector<double>{1, 1, 1, 9, 9, 9, 9}).has_value());
  EXPECT_FALSE(two_clusters(std::vector<double>(50, 4)).has_value());
  EXPECT_FALSE(two_clusters(std::vector<double>(50, 0)).has_value());
  std::vector<double> outlier(50, 4);
  outlier[7] = 400;
  EXPECT_FALSE(two_clusters(outlier).has_value());
  std::vector<double> near(50, 4);  // significant, and no matter
  for (std::size_t i = 0; i < 25; ++i) near[i] = 4.4;
  EXPECT_FALSE(two_clusters(near).has_value());
}

TEST(Stats, FairnessIsOneForEqualSharesAndAPartForOneTaker) {
  EXPECT_DOUBLE_EQ(fairness(std::vector<double>{5, 5}), 1);
  EXPECT_DOUBLE_EQ(fairness(std::vector<double>{10, 0}), 0.5);
  EXPECT_DOUBLE_EQ(fairness(std::vector<double>{1, 3}), 0.8);
}

}  // namespace
}  // namespace ipcbench
