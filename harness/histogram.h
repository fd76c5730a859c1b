// histogram.h: a log-linear histogram of nanoseconds, in HdrHistogram's layout.
//
// Values below 256 ns have a bin each; above, every power of two is split into 128 bins, so that
// a bin is at most 1/128 = 0.78 % wide, up to 68.7 s. A record is a shift and an increment. It is
// standard-layout, lives in the control block, and histograms of several runs add up.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace ipcbench {

class Histogram {
 public:
  static constexpr int sub_bucket_bits = 7;
  static constexpr int value_bits = 36;
  static constexpr std::size_t bin_count = std::size_t{value_bits - sub_bucket_bits + 1}
                                           << sub_bucket_bits;
  static constexpr std::uint64_t value_max = (std::uint64_t{1} << value_bits) - 1;

  /// Adds one value. Larger ones than value_max count as value_max.
  void record(std::uint64_t value_ns) {
    if (value_ns > value_max) [[unlikely]]
      value_ns = value_max;
    ++bins_[bin_of(value_ns)];
  }

  /// Adds `count` to the bin `index`; for merging and for reading results files.
  void add(std::size_t index, std::uint64_t count) { bins_.at(index) += count; }
  void merge(const Histogram& other);
  void clear() { bins_ = {}; }

  std::uint64_t count() const;
  /// The value that the fraction `quantile` (0 to 1) of all values doesn't exceed: the middle of
  /// its bin. Nothing where the histogram is empty.
  std::optional<double> quantile(double quantile) const;
  /// The same, but nothing unless at least `beyond` values lie above it: a percentile without
  /// such support is a guess about the tail.
  std::optional<double> supported_quantile(double quantile, std::uint64_t beyond = 10) const;

  /// How many more values supported_quantile() would need.
  std::uint64_t missing(double quantile, std::uint64_t beyond = 10) const;

  /// The bins that are not empty, as {index, count}.
  std::vector<std::pair<std::size_t, std::uint64_t>> sparse() const;

  static constexpr std::size_t bin_of(std::uint64_t value) {
    const std::uint64_t at_least = value | ((std::uint64_t{2} << sub_bucket_bits) - 1);
    const int shift = static_cast<int>(std::bit_width(at_least)) - sub_bucket_bits - 1;
    return (static_cast<std::size_t>(shift) << sub_bucket_bits) +
           static_cast<std::size_t>(value >> shift);
  }
  /// The smallest value of a bin, and how many values it spans.
  static constexpr std::uint64_t bin_lowest(std::size_t index) {
    const std::size_t half = std::size_t{1} << sub_bucket_bits;
    if (index < 2 * half) return index;
    const std::size_t shift = (index >> sub_bucket_bits) - 1;
    return static_cast<std::uint64_t>((index & (half - 1)) + half) << shift;
  }
  static constexpr std::uint64_t bin_width(std::size_t index) {
    return index < (std::size_t{2} << sub_bucket_bits)
               ? 1
               : std::uint64_t{1} << ((index >> sub_bucket_bits) - 1);
  }

  /// What stands for all values of a bin.
  static constexpr double bin_middle(std::size_t index) {
    return static_cast<double>(bin_lowest(index)) + static_cast<double>(bin_width(index) - 1) / 2;
  }

 private:
  std::array<std::uint64_t, bin_count> bins_{};
};

}  // namespace ipcbench
