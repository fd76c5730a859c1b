#include "harness/load.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "harness/options.h"
#include "harness/row.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

std::string flag_of(const Axis& axis) {
  return fmt::format("--{}", axis.name);
}

std::int64_t parse_word(const std::string& word, const Axis& axis) {
  const auto found = std::find(axis.words.begin(), axis.words.end(), word);
  if (found == axis.words.end())
    throw UsageError(fmt::format("{} '{}': expected {}", flag_of(axis), printable(word),
                                 fmt::join(axis.words, ", ")));
  return found - axis.words.begin();
}
std::int64_t parse_count(const std::string& word, const Axis& axis) {
  return static_cast<std::int64_t>(parse_number(word, flag_of(axis),
                                                static_cast<std::uint64_t>(axis.low),
                                                static_cast<std::uint64_t>(axis.high)));
}
std::int64_t parse_time(const std::string& word, const Axis& axis) {
  if (word == "0" && axis.low == 0) return 0;
  return parse_duration(word, flag_of(axis), static_cast<double>(axis.low) / 1e9,
                        static_cast<double>(axis.high) / 1e9);
}
/// "10k" and "1.5M" are messages in a second.
std::int64_t parse_rate(const std::string& word, const Axis& axis) {
  std::string digits = word;
  double factor = 1;
  if (!digits.empty() && (digits.back() == 'k' || digits.back() == 'M')) {
    factor = digits.back() == 'k' ? 1e3 : 1e6;
    digits.pop_back();
  }
  double number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const double rate = number * factor;
  if (error != std::errc() || end != digits.data() + digits.size() ||
      !(rate >= static_cast<double>(axis.low) && rate <= static_cast<double>(axis.high)))
    throw UsageError(fmt::format("{} '{}': expected messages a second, such as 500, 10k or 1.5M",
                                 flag_of(axis), printable(word)));
  return static_cast<std::int64_t>(rate);
}

std::string word_text(std::int64_t value, const Axis& axis) {
  return std::string(axis.words.at(static_cast<std::size_t>(value)));
}
std::string count_text(std::int64_t value, const Axis&) {
  return std::to_string(value);
}
/// In the largest unit that needs no fraction, so that parse_time reads the same value.
std::string time_text(std::int64_t value, const Axis&) {
  for (const auto& [unit, ns] :
       {std::pair<const char*, std::int64_t>{"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}})
    if (value != 0 && value % ns == 0) return fmt::format("{}{}", value / ns, unit);
  return fmt::format("{}ns", value);
}
std::string rate_per_s_text(std::int64_t value, const Axis&) {
  if (value % 1'000'000 == 0) return fmt::format("{}M", value / 1'000'000);
  if (value % 1'000 == 0) return fmt::format("{}k", value / 1'000);
  return std::to_string(value);
}

}  // namespace

const std::vector<Axis>& all_axes() {
  constexpr std::int64_t second = 1'000'000'000;
  static const std::vector<Axis> axes{
      {"touch",
       "touch",
       &Load::touch,
       0,
       3,
       false,
       {"none", "write", "read", "both"},
       parse_word,
       word_text},
      {"window", "window", &Load::window, 1, 1 << 16, true, {}, parse_count, count_text},
      {"gap", "gap_ns", &Load::gap_ns, 1'000, 10 * second, true, {}, parse_time, time_text},
      {"rate",
       "rate_per_s",
       &Load::rate_per_s,
       1,
       100'000'000,
       true,
       {},
       parse_rate,
       rate_per_s_text},
      {"arrivals",
       "arrivals",
       &Load::arrivals,
       0,
       1,
       false,
       {"fixed", "poisson"},
       parse_word,
       word_text},
      {"hold", "hold_ns", &Load::hold_ns, 0, second, false, {}, parse_time, time_text},
      {"crowd", "crowd", &Load::crowd, 1, 64, false, {}, parse_count, count_text},
  };
  return axes;
}

bool has_axis(const ScenarioFacts& scenario, const Axis& axis) {
  return std::find(scenario.axes.begin(), scenario.axes.end(), axis.name) != scenario.axes.end();
}

std::vector<std::string> load_words(const Load& load, const ScenarioFacts& scenario) {
  std::vector<std::string> words;
  for (const Axis& axis : all_axes()) {
    const std::int64_t value = load.*axis.value;
    if (has_axis(scenario, axis) && (axis.is_shown || value != Load{}.*axis.value))
      words.push_back(fmt::format("{}:{}", axis.name, axis.text(value, axis)));
  }
  return words;
}

void add_load(nlohmann::ordered_json& json, const Load& load, const ScenarioFacts& scenario) {
  for (const Axis& axis : all_axes()) {
    if (!has_axis(scenario, axis)) continue;
    const std::int64_t value = load.*axis.value;
    auto& member = json[std::string(axis.key)];
    if (axis.words.empty())
      member = value;
    else
      member = axis.text(value, axis);
  }
}

Load load_from_json(const nlohmann::ordered_json& json) {
  Load load;
  for (const Axis& axis : all_axes()) {
    const auto member = json.find(std::string(axis.key));
    if (member == json.end()) continue;
    if (!axis.words.empty()) {
      load.*axis.value = parse_word(member->get<std::string>(), axis);
      continue;
    }
    if (!member->is_number_integer() || member->get<std::int64_t>() < axis.low ||
        member->get<std::int64_t>() > axis.high)
      throw UsageError(fmt::format("{} is {}; expected a whole number from {} to {}", axis.key,
                                   printable(member->dump(), 60), axis.low, axis.high));
    load.*axis.value = member->get<std::int64_t>();
  }
  return load;
}

}  // namespace ipcbench
