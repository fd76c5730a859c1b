// stats.h: medians, quantiles and percentiles with intervals over repeats; two clusters.
//
// Nothing here assumes a distribution: intervals come from order statistics, or from resampling
// where a value is made of several repeats together. The unit of inference is the repeat.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "harness/histogram.h"

namespace ipcbench {

/// A median, or another quantile, with its interval and the confidence that the interval has.
struct Estimate {
  double median = 0;
  double low = 0;
  double high = 0;
  double confidence = 0;  ///< 0 to 1: the probability that such an interval covers the median
  int count = 0;          ///< repeats behind it

  /// Half the interval's width as a fraction of the median; 0 where the median is 0.
  double half_width() const { return median == 0 ? 0 : (high - low) / 2 / median; }
};

/// The quantile (0 to 1) of the values, interpolated linearly between order statistics (type 7 of
/// Hyndman and Fan, 1996). Nothing where there are no values.
std::optional<double> quantile(std::span<const double> values, double quantile);

/// Repeats from which on estimate_median() reaches 95 %.
inline constexpr int repeats_for_interval = 6;

/// The median of the values and its interval by interpolated order statistics (Hettmansperger and
/// Sheather, Statistics & Probability Letters 4, 1986): between the two symmetric pairs (k-th
/// smallest, k-th largest) whose binomial coverages enclose `confidence`, so that the interval has
/// it nearly exactly, whatever the distribution. The whole range, with the confidence that it has,
/// where that is less: below six values at 95 %. Nothing where there are no values.
std::optional<Estimate> estimate_median(std::span<const double> values, double confidence = 0.95);

/// A quantile of the values and its interval between two of them: the innermost pair of order
/// statistics with at most (1 - confidence) / 2 beyond either end (David and Nagaraja, Order
/// Statistics, 7.1). For the median that is the sign test turned round. Exact, and as ranks are
/// whole numbers, more than `confidence` by some per cent where there are few values; `confidence`
/// in the estimate is what it really has. Nothing where the values are too few for it.
std::optional<Estimate> estimate_quantile(std::span<const double> values, double quantile,
                                          double confidence = 0.95);

/// The percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, 13.3)
/// with ends expanded for few repeats (Hesterberg, The American Statistician 69, 2015, 4.3): the
/// interval in which `statistic` lies for that share of resamples. It is given which of the
/// `count` repeats were drawn, by index. The same seed gives the same interval everywhere.
struct Interval {
  double low = 0;
  double high = 0;
};
Interval bootstrap(std::size_t count,
                   const std::function<double(std::span<const std::size_t>)>& statistic,
                   double confidence = 0.95, int resamples = 1000, std::uint64_t seed = 1);

/// A percentile (0 to 1) of the histograms of all repeats together, with the interval that
/// resampling whole repeats gives: values within a process resemble each other, so that an interval
/// made of them as if they were independent is far too narrow. Simulated, the median's covers 92 to
/// 95 % with 6 to 20 repeats; the 90th percentile's 90 to 94 % where repeats differ by 10 %, and 82
/// to 90 % where they differ by 30 %: the slowest repeats make the tail, and few repeats may have
/// none of them. Nothing where fewer than ten values lie beyond it; with one repeat, an interval of
/// no width and no confidence.
std::optional<Estimate> estimate_percentile(std::span<const Histogram* const> repeats,
                                            double percentile, double confidence = 0.95);

/// How many repeats in all would bring the half width of the median's interval down to `precision`
/// (a fraction), if they scatter as those so far: the width goes with the root of their number.
int repeats_to_settle(const Estimate& so_far, double precision);

/// Values that fall into two groups with a gap between them.
struct Clusters {
  double low = 0;         ///< the lower group's centre (geometric mean)
  double high = 0;        ///< the upper one's
  double high_share = 0;  ///< of all values, 0 to 1
  /// The distance of the centres in standard deviations of the groups (Ashman, Bird and Zepf, The
  /// Astronomical Journal 108, 1994), on logarithms.
  double separation = 0;
};

/// Whether the values are bimodal. The logarithms are split where the variance within the two parts
/// is smallest (Otsu, IEEE Transactions SMC 9, 1979); what comes of it are two groups if each has a
/// tenth of the values and three of them, the upper centre is at least 25 % higher, and they are
/// 4.5 + 40 / n standard deviations apart. A uniform distribution, the worst of the unimodal ones,
/// is split into parts that are 3.5 apart; the rest allows for small samples. The tests print how
/// often it is wrong. Nothing where there is one group, or fewer than eight values.
std::optional<Clusters> two_clusters(std::span<const double> values);

/// Jain's index of fairness: 1 where all shares are equal, 1/n where one takes everything.
double fairness(std::span<const double> shares);

}  // namespace ipcbench
