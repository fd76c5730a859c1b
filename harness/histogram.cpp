#include "harness/histogram.h"

#include <cmath>
#include <numeric>
#include <type_traits>

namespace ipcbench {

static_assert(std::is_standard_layout_v<Histogram>);
static_assert(Histogram::bin_of(Histogram::value_max) == Histogram::bin_count - 1);

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < bin_count; ++i) bins_[i] += other.bins_[i];
}

std::uint64_t Histogram::count() const {
  return std::accumulate(bins_.begin(), bins_.end(), std::uint64_t{0});
}

std::optional<double> Histogram::quantile(double quantile) const {
  const std::uint64_t total = count();
  if (total == 0) return std::nullopt;
  const auto rank = static_cast<std::uint64_t>(std::ceil(quantile * static_cast<double>(total)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bin_count; ++i) {
    seen += bins_[i];
    if (seen >= rank && bins_[i] != 0) return bin_middle(i);
  }
  return std::nullopt;
}

std::optional<double> Histogram::supported_quantile(double quantile, std::uint64_t beyond) const {
  const double above = (1 - quantile) * static_cast<double>(count());
  if (above + 1e-9 < static_cast<double>(beyond)) return std::nullopt;
  return this->quantile(quantile);
}

std::uint64_t Histogram::missing(double quantile, std::uint64_t beyond) const {
  const double wanted = std::ceil(static_cast<double>(beyond) / (1 - quantile) - 1e-6);
  const auto have = static_cast<double>(count());
  return wanted > have ? static_cast<std::uint64_t>(wanted - have) : 0;
}

std::vector<std::pair<std::size_t, std::uint64_t>> Histogram::sparse() const {
  std::vector<std::pair<std::size_t, std::uint64_t>> result;
  for (std::size_t i = 0; i < bin_count; ++i)
    if (bins_[i] != 0) result.emplace_back(i, bins_[i]);
  return result;
}

}  // namespace ipcbench
