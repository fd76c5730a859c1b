// text.h: numbers and words as people read them, and as they write them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbench {

/// Wrong usage or an unreadable file: what was seen, what was expected, what to do. Exit status 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// "45 s", "12 min", "1.5 h": how long something takes, roughly.
std::string time_text(double seconds);

/// Three significant digits with the unit that suits: "4.31 µs", "1.20 ms", "231 ns".
std::string duration_text(double ns);
/// "48.1 M/s", "812 /s".
std::string rate_text(double per_second);
/// Decimal units, as bandwidth is quoted: "3.08 GB/s".
std::string bandwidth_text(double bytes_per_second);
/// Binary units where they are exact: "64 B", "4 KiB", "1 MiB", "8193 B".
std::string size_text(std::uint64_t bytes);
/// "±2 %"; "±0.4 %" below one per cent, ">±999 %" where a number would say nothing.
std::string half_width_text(double fraction);

/// "64", "4KiB", "1MiB", "64kb": bytes, in binary units. Throws UsageError.
std::uint64_t parse_size(const std::string& text);
/// A whole number between the bounds. Throws UsageError, which names `what`.
std::uint64_t parse_number(const std::string& text, std::string_view what, std::uint64_t low,
                           std::uint64_t high);

/// The parts between commas, without white space around them. Throws UsageError on an empty part.
std::vector<std::string> split_list(std::string_view text, std::string_view what);

/// The candidate that is most like the word, if any is like it at all.
std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates);
/// "; did you mean 'pipe'?", or "" where nothing is like it.
std::string suggestion(std::string_view word, std::span<const std::string> candidates);

/// The width in columns of a UTF-8 text whose characters are all one column wide.
std::size_t width_of(std::string_view text);

/// Text that nobody has vetted, for one line of a message or a table: control characters and bytes
/// that aren't UTF-8 become '?', and what is over the limit (in bytes) is cut.
std::string printable(std::string_view text, std::size_t limit = 120);

}  // namespace ipcbench
