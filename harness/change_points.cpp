#include "harness/change_points.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "harness/plan.h"
#include "harness/stats.h"

namespace ipcbench {
namespace {

constexpr std::size_t part_min = 2;

struct Split {
  std::size_t at = 0;  ///< in the whole series
  double energy = -1;  ///< Q of the paper, (5)
};

/// The best split of values[begin, end). The three sums of distances, within the two parts and
/// between them, are kept up from one split to the next.
Split best_split(std::span<const double> values, std::size_t begin, std::size_t end) {
  Split best;
  const std::size_t count = end - begin;
  if (count < 2 * part_min) return best;
  const auto distances = [&](std::size_t i, std::size_t from, std::size_t to) {
    double sum = 0;
    for (std::size_t j = from; j < to; ++j) sum += std::abs(values[i] - values[j]);
    return sum;
  };
  double left = 0;
  double right = 0;
  double between = 0;
  for (std::size_t i = begin; i < end; ++i) right += distances(i, begin, i);
  for (std::size_t at = begin; at < end; ++at) {
    if (at >= begin + part_min && at + part_min <= end) {
      const auto n = static_cast<double>(at - begin);
      const auto m = static_cast<double>(end - at);
      const double energy =
          n * m / (n + m) *
          (2 / (n * m) * between - 2 / (n * (n - 1)) * left - 2 / (m * (m - 1)) * right);
      if (energy > best.energy) best = {at, energy};
    }
    // values[at] goes from the right part to the left one.
    const double to_left = distances(at, begin, at);
    const double to_right = distances(at, at + 1, end);
    left += to_left;
    right -= to_right;
    between += to_right - to_left;
  }
  return best;
}

/// The best split of all segments, whose ends are `ends`.
Split best_split(std::span<const double> values, const std::vector<std::size_t>& ends) {
  Split best;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    const Split split = best_split(values, begin, end);
    if (split.energy > best.energy) best = split;
    begin = end;
  }
  return best;
}

/// How often shuffled segments have a split as good. Stops where that is too often already.
double chance(std::span<const double> values, const std::vector<std::size_t>& ends, double energy,
              const ChangePointOptions& options, std::mt19937_64& random) {
  int as_good = 0;
  for (int i = 0; i < options.permutations; ++i) {
    std::vector<double> shuffled;
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
      std::vector<std::size_t> order;
      for (std::size_t j = begin; j < end; ++j) order.push_back(j);
      shuffle(order, random);
      for (const std::size_t j : order) shuffled.push_back(values[j]);
      begin = end;
    }
    if (best_split(shuffled, ends).energy >= energy) ++as_good;
    if (as_good + 1 > options.level * (options.permutations + 1)) return 1;
  }
  return (as_good + 1.0) / (options.permutations + 1);
}

double median(std::span<const double> values) {
  return quantile(values, 0.5).value_or(0);
}

}  // namespace

std::vector<ChangePoint> change_points(std::span<const double> values,
                                       const ChangePointOptions& options) {
  std::mt19937_64 random(options.seed);
  std::vector<std::size_t> ends{values.size()};
  std::vector<ChangePoint> found;
  while (true) {
    const Split split = best_split(values, ends);
    if (split.energy <= 0) break;
    const double p = chance(values, ends, split.energy, options, random);
    if (p > options.level) break;
    ends.push_back(split.at);
    std::sort(ends.begin(), ends.end());
    found.push_back({.at = split.at, .p = p, .before = 0, .after = 0});
  }
  std::sort(found.begin(), found.end(),
            [](const ChangePoint& a, const ChangePoint& b) { return a.at < b.at; });
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::size_t begin = i == 0 ? 0 : found[i - 1].at;
    const std::size_t end = i + 1 == found.size() ? values.size() : found[i + 1].at;
    found[i].before = median(values.subspan(begin, found[i].at - begin));
    found[i].after = median(values.subspan(found[i].at, end - found[i].at));
  }
  return found;
}

}  // namespace ipcbench
