// stats.h: medians, quantiles and distribution-free intervals over repeats.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace ipcbench {

/// A median with its interval, and the confidence that the interval really has.
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

/// The median of the values and its interval by order statistics: the narrowest symmetric pair
/// (k-th smallest, k-th largest) whose binomial coverage is at least `confidence`; the whole range
/// where no pair reaches it, which is so below six values at 95 %. (Hollander and Wolfe,
/// Nonparametric Statistical Methods, 3.5.) Nothing where there are no values.
std::optional<Estimate> estimate_median(std::span<const double> values, double confidence = 0.95);

/// Jain's index of fairness: 1 where all shares are equal, 1/n where one takes everything.
double fairness(std::span<const double> shares);

}  // namespace ipcbench
