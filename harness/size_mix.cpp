#include "harness/size_mix.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>

#include <fmt/format.h>

#include "harness/text.h"

namespace ipcbench {
namespace {

constexpr std::size_t sizes_drawn = 1024;

std::uint32_t parse_one(const std::string& word) {
  return static_cast<std::uint32_t>(parse_size(word));
}

SizeMix uniform(const std::string& word, const std::string& bounds) {
  const std::size_t dash = bounds.find('-');
  if (dash == std::string::npos)
    throw UsageError(fmt::format("--size-dist '{}': expected two sizes, such as uniform:64-4KiB",
                                 printable(word)));
  const std::uint32_t low = parse_one(bounds.substr(0, dash));
  const std::uint32_t high = parse_one(bounds.substr(dash + 1));
  if (low > high)
    throw UsageError(
        fmt::format("--size-dist '{}': expected the smaller size first", printable(word)));
  SizeMix mix{.name = fmt::format("uniform:{}-{}", low, high), .sizes = {}};
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i != sizes_drawn; ++i)
    mix.sizes.push_back(low + static_cast<std::uint32_t>(random() % (high - low + 1)));
  return mix;
}

SizeMix trace(const std::string& path) {
  std::ifstream file(path);
  if (!file)
    throw UsageError(
        fmt::format("--size-dist trace:{}: can't be read; expected a file of sizes, "
                    "one a line",
                    printable(path)));
  SizeMix mix{.name = "trace:" + std::filesystem::path(path).filename().string(), .sizes = {}};
  for (char& c : mix.name)  // it stands in keys
    if (c == '/' || c == ' ' || static_cast<unsigned char>(c) < 0x20) c = '_';
  std::size_t number = 1;
  for (std::string line; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    if (mix.sizes.size() == SizeMix::sizes_max)
      throw UsageError(fmt::format("--size-dist trace:{}: expected at most {} sizes, got more",
                                   printable(path), SizeMix::sizes_max));
    try {
      mix.sizes.push_back(parse_one(line));
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("{}:{}: {}", printable(path), number, error.what()));
    }
  }
  if (mix.sizes.empty())
    throw UsageError(fmt::format("--size-dist trace:{}: holds no size", printable(path)));
  return mix;
}

}  // namespace

std::uint32_t SizeMix::largest() const {
  return sizes.empty() ? 0 : *std::max_element(sizes.begin(), sizes.end());
}

double SizeMix::mean() const {
  if (sizes.empty()) return 0;
  return std::accumulate(sizes.begin(), sizes.end(), 0.0) / static_cast<double>(sizes.size());
}

SizeMix parse_size_mix(const std::string& word) {
  if (word == "fixed") return {};
  if (word.starts_with("uniform:")) return uniform(word, word.substr(8));
  if (word.starts_with("trace:")) return trace(word.substr(6));
  throw UsageError(fmt::format("--size-dist '{}': expected fixed, uniform:64-4KiB or trace:FILE",
                               printable(word)));
}

}  // namespace ipcbench
