#include "harness/histogram.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace ipcbench {
namespace {

using Large = std::unique_ptr<Histogram>;  // 30 KiB are too much for a test's stack to be proud of

TEST(Histogram, BinsCoverEveryValueOnceAndInOrder) {
  std::uint64_t next = 0;
  for (std::size_t bin = 0; bin < Histogram::bin_count; ++bin) {
    EXPECT_EQ(Histogram::bin_lowest(bin), next);
    EXPECT_EQ(Histogram::bin_of(next), bin);
    next += Histogram::bin_width(bin);
    EXPECT_EQ(Histogram::bin_of(next - 1), bin);
  }
  EXPECT_EQ(next, Histogram::value_max + 1);
}

TEST(Histogram, RelativeErrorIsBelowOnePercentFromOneNanosecondToSixtySeconds) {
  const Large histogram = std::make_unique<Histogram>();
  for (double value = 1; value <= 60e9; value *= 1.013) {
    const auto exact = static_cast<std::uint64_t>(value);
    histogram->clear();
    histogram->record(exact);
    const double read = histogram->quantile(0.5).value();
    EXPECT_LE(std::abs(read - static_cast<double>(exact)), 0.01 * static_cast<double>(exact))
        << exact;
  }
}

TEST(Histogram, QuantilesOfKnownValues) {
  const Large histogram = std::make_unique<Histogram>();
  for (std::uint64_t value = 1; value <= 200; ++value) histogram->record(value);
  EXPECT_EQ(histogram->quantile(0.5), 100);
  EXPECT_EQ(histogram->quantile(0.99), 198);
  EXPECT_EQ(histogram->quantile(1), 200);
  EXPECT_EQ(histogram->quantile(0), 1);
}

TEST(Histogram, AnEmptyOneHasNoQuantile) {
  EXPECT_FALSE(std::make_unique<Histogram>()->quantile(0.5).has_value());
}

TEST(Histogram, APercentileNeedsTenValuesBeyondIt) {
  const Large histogram = std::make_unique<Histogram>();
  for (int i = 0; i < 999; ++i) histogram->record(100);
  EXPECT_FALSE(histogram->supported_quantile(0.99).has_value());
  histogram->record(100);
  EXPECT_EQ(histogram->supported_quantile(0.99), 100);
  EXPECT_FALSE(histogram->supported_quantile(0.999).has_value());
}

TEST(Histogram, SaysHowManyMoreAPercentileNeeds) {
  const Large histogram = std::make_unique<Histogram>();
  EXPECT_EQ(histogram->missing(0.5), 20u);
  EXPECT_EQ(histogram->missing(0.999), 10'000u);
  for (std::uint64_t have = 0; have < 1000; ++have) {
    EXPECT_EQ(histogram->missing(0.99), 1000 - have);
    EXPECT_FALSE(histogram->supported_quantile(0.99).has_value());
    histogram->record(100);
  }
  EXPECT_EQ(histogram->missing(0.99), 0u);
  EXPECT_TRUE(histogram->supported_quantile(0.99).has_value());
}

TEST(Histogram, ValuesBeyondTheLargestCountAsTheLargest) {
  const Large histogram = std::make_unique<Histogram>();
  histogram->record(Histogram::value_max + 5);
  EXPECT_EQ(histogram->count(), 1u);
  EXPECT_EQ(histogram->sparse().front().first, Histogram::bin_count - 1);
}

TEST(Histogram, MergedHistogramsEqualOneBigOne) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> times(8, 2);
  const Large one = std::make_unique<Histogram>();
  const Large merged = std::make_unique<Histogram>();
  for (int part = 0; part < 5; ++part) {
    const Large own = std::make_unique<Histogram>();
    for (int i = 0; i < 2000; ++i) {
      const auto value = static_cast<std::uint64_t>(times(random));
      one->record(value);
      own->record(value);
    }
    merged->merge(*own);
  }
  EXPECT_EQ(one->sparse(), merged->sparse());
  EXPECT_EQ(one->quantile(0.999), merged->quantile(0.999));
}

TEST(Histogram, SparseBinsGiveItBack) {
  const Large histogram = std::make_unique<Histogram>();
  for (const std::uint64_t value : {1, 1, 300, 5'000'000}) histogram->record(value);
  const Large copy = std::make_unique<Histogram>();
  for (const auto& [index, count] : histogram->sparse()) copy->add(index, count);
  EXPECT_EQ(copy->sparse(), histogram->sparse());
  EXPECT_THROW(copy->add(Histogram::bin_count, 1), std::out_of_range);
}

}  // namespace
}  // namespace ipcbench
