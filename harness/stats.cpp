#include "harness/stats.h"

#include <algorithm>
#include <cmath>

namespace ipcbench {
namespace {

/// P(k <= X <= n - k) for X ~ Binomial(n, 1/2): the coverage of [k-th smallest, k-th largest].
double coverage(int n, int k) {
  double below = 0;
  for (int i = 0; i < k; ++i)
    below += std::exp(std::lgamma(n + 1) - std::lgamma(i + 1) - std::lgamma(n - i + 1) -
                      n * std::log(2.0));
  return 1 - 2 * below;
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
  const auto index = static_cast<std::size_t>(k - 1);
  return Estimate{quantile_of_sorted(ordered, 0.5), ordered[index],
                  ordered[ordered.size() - 1 - index], std::max(0.0, coverage(n, k)), n};
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
