#include "harness/stats.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace ipcbench {
namespace {

/// P(X = i) for X ~ Binomial(n, p), p strictly between 0 and 1.
double binomial_probability(int n, double p, int i) {
  return std::exp(std::lgamma(n + 1) - std::lgamma(i + 1) - std::lgamma(n - i + 1) +
                  i * std::log(p) + (n - i) * std::log1p(-p));
}

/// The coverage of [k-th smallest, k-th largest] of n for the median.
double coverage(int n, int k) {
  double below = 0;
  for (int i = 0; i < k; ++i) below += binomial_probability(n, 0.5, i);
  return std::max(0.0, 1 - 2 * below);
}

std::vector<double> sorted(std::span<const double> values) {
  std::vector<double> result(values.begin(), values.end());
  std::sort(result.begin(), result.end());
  return result;
}

double quantile_of_sorted(const std::vector<double>& values, double quantile) {
  const double rank = quantile * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (rank - static_cast<double>(below)) * (values[above] - values[below]);
}

/// A whole number below `count`, by the same steps with every standard library.
std::size_t draw(std::mt19937_64& random, std::size_t count) {
  return static_cast<std::size_t>(random() % count);
}

double normal_cdf(double z) {
  return std::erfc(-z / std::sqrt(2.0)) / 2;
}

/// The z that has `beyond` (below a half) of the normal distribution above it.
double normal_quantile(double beyond) {
  double low = 0;
  double high = 40;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (1 - normal_cdf(middle) > beyond ? low : high) = middle;
  }
  return low;
}

/// Student's t for the same: the Cornish-Fisher series (Abramowitz and Stegun 26.7.5), to a per
/// cent from four degrees of freedom on.
double student_quantile(double beyond, double degrees) {
  const double z = normal_quantile(beyond);
  const double z3 = z * z * z;
  const double z5 = z3 * z * z;
  const double z7 = z5 * z * z;
  return z + (z3 + z) / (4 * degrees) + (5 * z5 + 16 * z3 + 3 * z) / (96 * degrees * degrees) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * degrees * degrees * degrees);
}

/// A resample scatters less than the values did, by (n - 1) / n, and knows nothing of how uncertain
/// that scatter is: what must lie beyond an end so that the interval covers as often as it says.
double expanded(double beyond, std::size_t count) {
  if (count < 2) return beyond;
  const auto n = static_cast<double>(count);
  return normal_cdf(-std::sqrt(n / (n - 1)) * student_quantile(beyond, n - 1));
}

/// How many values of each repeat lie in a bin or below it.
using Cumulative = std::vector<std::vector<std::uint64_t>>;

Cumulative cumulate(std::span<const Histogram* const> repeats) {
  Cumulative all;
  for (const Histogram* repeat : repeats) {
    std::vector<std::uint64_t>& sums = all.emplace_back(Histogram::bin_count, 0);
    for (const auto& [index, count] : repeat->sparse()) sums[index] = count;
    std::partial_sum(sums.begin(), sums.end(), sums.begin());
  }
  return all;
}

/// The percentile of the drawn repeats together, as Histogram::quantile has it.
double merged_percentile(const Cumulative& repeats, std::span<const std::size_t> drawn,
                         double percentile) {
  const auto values_up_to = [&](std::size_t bin) {
    std::uint64_t sum = 0;
    for (const std::size_t repeat : drawn) sum += repeats[repeat][bin];
    return sum;
  };
  const auto total = static_cast<double>(values_up_to(Histogram::bin_count - 1));
  const auto rank =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(percentile * total)));
  std::size_t first = 0;
  std::size_t last = Histogram::bin_count - 1;
  while (first < last) {
    const std::size_t middle = (first + last) / 2;
    if (values_up_to(middle) >= rank)
      last = middle;
    else
      first = middle + 1;
  }
  return Histogram::bin_middle(first);
}

/// Sums over the first k of sorted values: what the means and variances of two parts are made of.
struct Moments {
  double count = 0;
  double sum = 0;
  double squares = 0;

  double mean() const { return sum / count; }
  double variance() const { return std::max(0.0, squares / count - mean() * mean()); }
};

}  // namespace

std::optional<double> quantile(std::span<const double> values, double quantile) {
  if (values.empty()) return std::nullopt;
  return quantile_of_sorted(sorted(values), quantile);
}

std::optional<Estimate> estimate_median(std::span<const double> values, double confidence) {
  if (values.empty()) return std::nullopt;
  const std::vector<double> ordered = sorted(values);
  const int n = static_cast<int>(ordered.size());
  int k = 1;
  while (k + 1 <= n / 2 && coverage(n, k + 1) >= confidence) ++k;
  Estimate estimate{.median = quantile_of_sorted(ordered, 0.5),
                    .low = ordered[static_cast<std::size_t>(k - 1)],
                    .high = ordered[static_cast<std::size_t>(n - k)],
                    .confidence = coverage(n, k),
                    .count = n};
  if (k + 1 > n / 2 || estimate.confidence < confidence) return estimate;
  // How far inwards, from the k-th towards the next one: 0 to 1.
  const double share =
      (estimate.confidence - confidence) / (estimate.confidence - coverage(n, k + 1));
  const double inwards = (n - k) * share / (k + (n - 2 * k) * share);
  estimate.low += inwards * (ordered[static_cast<std::size_t>(k)] - estimate.low);
  estimate.high += inwards * (ordered[static_cast<std::size_t>(n - k - 1)] - estimate.high);
  estimate.confidence = confidence;
  return estimate;
}

std::optional<Estimate> estimate_quantile(std::span<const double> values, double quantile,
                                          double confidence) {
  const int n = static_cast<int>(values.size());
  const double beyond = (1 - confidence) / 2;
  // The quantile lies below the r-th smallest value as often as fewer than r values lie below it:
  // the ends are the first ranks for which that is no longer at most `beyond`, and at least all but
  // it.
  int low = 0;
  int high = 0;
  double low_share = 0;
  double fewer = 0;  // P(X < rank) for X ~ Binomial(n, quantile)
  for (int rank = 1; rank <= n && high == 0; ++rank) {
    fewer += binomial_probability(n, quantile, rank - 1);
    if (fewer <= beyond) {
      low = rank;
      low_share = fewer;
    }
    if (fewer >= 1 - beyond) high = rank;
  }
  if (low == 0 || high == 0) return std::nullopt;
  const std::vector<double> ordered = sorted(values);
  return Estimate{.median = quantile_of_sorted(ordered, quantile),
                  .low = ordered[static_cast<std::size_t>(low - 1)],
                  .high = ordered[static_cast<std::size_t>(high - 1)],
                  .confidence = fewer - low_share,
                  .count = n};
}

Interval bootstrap(std::size_t count,
                   const std::function<double(std::span<const std::size_t>)>& statistic,
                   double confidence, int resamples, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::size_t> drawn(count);
  std::vector<double> results;
  for (int i = 0; i < resamples; ++i) {
    for (std::size_t& repeat : drawn) repeat = draw(random, count);
    results.push_back(statistic(drawn));
  }
  std::sort(results.begin(), results.end());
  const double beyond = expanded((1 - confidence) / 2, count);
  return {quantile_of_sorted(results, beyond), quantile_of_sorted(results, 1 - beyond)};
}

std::optional<Estimate> estimate_percentile(std::span<const Histogram* const> repeats,
                                            double percentile, double confidence) {
  Histogram merged;
  for (const Histogram* repeat : repeats) merged.merge(*repeat);
  const std::optional<double> value = merged.supported_quantile(percentile);
  if (!value) return std::nullopt;
  const int count = static_cast<int>(repeats.size());
  if (count < 2) return Estimate{*value, *value, *value, 0, count};
  const Cumulative cumulative = cumulate(repeats);
  const Interval interval = bootstrap(
      repeats.size(),
      [&](std::span<const std::size_t> drawn) {
        return merged_percentile(cumulative, drawn, percentile);
      },
      confidence);
  return Estimate{*value, interval.low, interval.high, confidence, count};
}

int repeats_to_settle(const Estimate& so_far, double precision) {
  const double wider = so_far.half_width() / precision;
  const double wanted = std::ceil(so_far.count * std::max(1.0, wider * wider));
  return std::max(repeats_for_interval, static_cast<int>(std::min(wanted, 1e9)));
}

std::optional<Clusters> two_clusters(std::span<const double> values) {
  const std::size_t n = values.size();
  if (n < 8) return std::nullopt;
  std::vector<double> logs = sorted(values);
  if (logs.front() <= 0) return std::nullopt;
  const double origin = std::log(logs[n / 2]);  // keeps the sums of squares small
  Moments all;
  for (double& value : logs) {
    value = std::log(value) - origin;
    all = {all.count + 1, all.sum + value, all.squares + value * value};
  }
  const std::size_t least = std::max<std::size_t>(3, (n + 9) / 10);
  Moments below;
  Moments best;
  double best_between = -1;
  for (std::size_t i = 0; i + least < n; ++i) {
    below = {below.count + 1, below.sum + logs[i], below.squares + logs[i] * logs[i]};
    if (i + 1 < least) continue;
    const double rest = all.count - below.count;
    const double distance = (all.sum - below.sum) / rest - below.mean();
    const double between = below.count * rest * distance * distance;
    if (between > best_between) {
      best_between = between;
      best = below;
    }
  }
  const Moments above{all.count - best.count, all.sum - best.sum, all.squares - best.squares};
  const double distance = above.mean() - best.mean();
  // Groups without any scatter are as far apart as can be said.
  const double scatter = std::sqrt((best.variance() + above.variance()) / 2);
  const double separation = std::min(1000.0, distance / std::max(scatter, 1e-9));
  if (distance < std::log(1.25) || separation < 4.5 + 40 / all.count) return std::nullopt;
  return Clusters{.low = std::exp(origin + best.mean()),
                  .high = std::exp(origin + above.mean()),
                  .high_share = above.count / all.count,
                  .separation = separation};
}

double fairness(std::span<const double> shares) {
  double sum = 0;
  double squares = 0;
  for (const double share : shares) {
    sum += share;
    squares += share * share;
  }
  if (squares == 0) return 1;
  return sum * sum / (static_cast<double>(shares.size()) * squares);
}

}  // namespace ipcbench
