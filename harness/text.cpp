#include "harness/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

namespace ipcbench {
namespace {

struct Unit {
  double factor;
  std::string_view name;
};

/// Three significant digits without an exponent: 4.31, 43.1, 431, 4310.
std::string three_digits(double value) {
  const double magnitude = std::abs(value);
  const int decimals = magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}", value, decimals);
}

/// The bytes of the UTF-8 character that the text begins with; 0 where that is a control character
/// (of ASCII or, in two bytes, of ISO 6429's second set) or no UTF-8.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  if (byte(0) < 0x80) return byte(0) < 0x20 || byte(0) == 0x7f ? 0 : 1;
  const std::size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || (byte(0) == 0xc2 && byte(1) < 0xa0)) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  return length;
}

std::string scaled(double value, std::span<const Unit> units) {
  const Unit* unit = units.data();
  for (const Unit& larger : units)
    if (std::abs(value) >= larger.factor * 0.9995) unit = &larger;
  return fmt::format("{} {}", three_digits(value / unit->factor), unit->name);
}

}  // namespace

std::string time_text(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", seconds);
  if (seconds < 5400) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::string duration_text(double ns) {
  static constexpr std::array units{Unit{1, "ns"}, Unit{1e3, "µs"}, Unit{1e6, "ms"},
                                    Unit{1e9, "s"}};
  return scaled(ns, units);
}

std::string rate_text(double per_second) {
  static constexpr std::array units{Unit{1, "/s"}, Unit{1e3, "k/s"}, Unit{1e6, "M/s"},
                                    Unit{1e9, "G/s"}};
  return scaled(per_second, units);
}

std::string bandwidth_text(double bytes_per_second) {
  static constexpr std::array units{Unit{1, "B/s"}, Unit{1e3, "kB/s"}, Unit{1e6, "MB/s"},
                                    Unit{1e9, "GB/s"}};
  return scaled(bytes_per_second, units);
}

std::string size_text(std::uint64_t bytes) {
  if (bytes >= 1 << 20 && bytes % (1 << 20) == 0) return fmt::format("{} MiB", bytes >> 20);
  if (bytes >= 1 << 10 && bytes % (1 << 10) == 0) return fmt::format("{} KiB", bytes >> 10);
  return fmt::format("{} B", bytes);
}

std::string half_width_text(double fraction) {
  const double percent = 100 * fraction;
  if (percent > 999) return ">±999 %";
  return percent < 0.95 ? fmt::format("±{:.1f} %", percent) : fmt::format("±{:.0f} %", percent);
}

std::uint64_t parse_size(const std::string& text) {
  constexpr std::uint64_t size_max = 16 << 20;
  std::string number = text;
  std::uint64_t size = 0;
  // Not 0: CLI11 would take what follows as octal or hexadecimal.
  const bool starts_well = !text.empty() && text[0] >= '1' && text[0] <= '9';
  bool understood = false;
  if (starts_well) {
    try {
      // AsSizeValue(false) takes KB and KiB alike as 1024 bytes.
      understood = CLI::AsSizeValue(false)(number).empty();
    } catch (const CLI::Error&) {
      understood = false;
    }
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), size);
    understood = understood && error == std::errc() && end == number.data() + number.size();
  }
  if (!understood || size < 1 || size > size_max)
    throw UsageError(
        fmt::format("size '{}': expected 1 to 16MiB, such as 64, 4KiB or 1MiB", printable(text)));
  return size;
}

std::uint64_t parse_number(const std::string& text, std::string_view what, std::uint64_t low,
                           std::uint64_t high) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < low || number > high)
    throw UsageError(fmt::format("{} '{}': expected a whole number from {} to {}", what,
                                 printable(text), low, high));
  return number;
}

std::vector<std::string> split_list(std::string_view text, std::string_view what) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    if (part.empty())
      throw UsageError(fmt::format("{}: an empty item; expected items between commas", what));
    parts.emplace_back(part);
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates) {
  // Levenshtein's distance, with two letters swapped as one change; what is further than a third
  // of the word away is another word.
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::optional<std::string> result;
  if (word.size() > 100) return result;
  for (const std::string& candidate : candidates) {
    std::vector<std::size_t> row(candidate.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    std::vector<std::size_t> above;  // of one letter less, and of two
    std::vector<std::size_t> above_that;
    for (std::size_t i = 0; i < word.size(); ++i) {
      above_that = std::exchange(above, row);
      row[0] = i + 1;
      for (std::size_t j = 0; j < candidate.size(); ++j) {
        const std::size_t changed = above[j] + (word[i] == candidate[j] ? 0 : 1);
        row[j + 1] = std::min({changed, row[j] + 1, above[j + 1] + 1});
        if (i > 0 && j > 0 && word[i] == candidate[j - 1] && word[i - 1] == candidate[j])
          row[j + 1] = std::min(row[j + 1], above_that[j - 1] + 1);
      }
    }
    if (row.back() < best) {
      best = row.back();
      result = candidate;
    }
  }
  return result;
}

std::string suggestion(std::string_view word, std::span<const std::string> candidates) {
  const std::optional<std::string> candidate = closest(word, candidates);
  return candidate ? fmt::format("; did you mean '{}'?", *candidate) : "";
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text.substr(at));
    if (at + std::max<std::size_t>(1, length) > limit) return result + "…";
    if (length == 0)
      result += '?';
    else
      result += text.substr(at, length);
    at += std::max<std::size_t>(1, length);
  }
  return result;
}

}  // namespace ipcbench
