#include "harness/explain.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/stats.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

struct Measure {
  const char* key;  ///< in results files
  const char* name;
};
constexpr Measure explaining[] = {
    {"cpu_ns_per_message", "CPU time"},
    {"user_ns_per_message", "user time"},
    {"system_ns_per_message", "system time"},
    {"voluntary_switches_per_message", "voluntary switches"},
    {"involuntary_switches_per_message", "involuntary switches"},
    {"system_calls_per_message", "system calls"},
    {"instructions_per_message", "instructions"},
    {"cycles_per_message", "cycles"},
    {"cache_misses_per_message", "cache misses"},
    {"migrations_per_message", "migrations"},
};

std::optional<double> number(const Json& run, const char* key) {
  return run.contains(key) && run[key].is_number() ? std::optional(run[key].get<double>())
                                                   : std::nullopt;
}

/// Of both ends, for one count of the loop.
std::optional<double> page_faults(const Json& run) {
  const auto count = number(run, "count");
  if (!count || *count <= 0 || !run.contains("ends") || !run["ends"].is_array())
    return std::nullopt;
  double sum = 0;
  for (const Json& end : run["ends"]) {
    const auto faults = end.is_object() ? number(end, "page_faults") : std::nullopt;
    if (!faults) return std::nullopt;
    sum += *faults;
  }
  return sum / *count;
}

std::string why_missing(const std::vector<Json>& runs, const char* key) {
  if (runs.empty()) return "there are no runs";
  for (const Json& run : runs)
    if (run.contains("missing") && run["missing"].is_object() && run["missing"].contains(key) &&
        run["missing"][key].is_string())
      return printable(run["missing"][key].get<std::string>(), 200);
  return "the file doesn't have it";
}

template <class Value>
std::optional<double> median_of(const std::vector<Json>& runs, Value value) {
  std::vector<double> values;
  for (const Json& run : runs)
    if (const auto one = value(run)) values.push_back(*one);
  return quantile(values, 0.5);
}

/// How far it moved, as a logarithm; what is nothing on both sides hasn't.
double size_of(const Movement& movement) {
  constexpr double nothing = 1e-9;
  if (!movement.base || !movement.fresh) return -1;
  if (*movement.base < nothing && *movement.fresh < nothing) return 0;
  return std::abs(std::log(std::max(*movement.fresh, nothing) / std::max(*movement.base, nothing)));
}

std::string value_text(double value, const std::string& name) {
  return name.ends_with("time") ? duration_text(value) : fmt::format("{:.3g}", value);
}

}  // namespace

Explanation explain(const std::string& key, const std::vector<Json>& base,
                    const std::vector<Json>& fresh) {
  Explanation explanation{.key = key,
                          .base_runs = static_cast<int>(base.size()),
                          .new_runs = static_cast<int>(fresh.size()),
                          .movements = {}};
  const auto add = [&](const char* measure, const char* name, auto value) {
    Movement movement{.name = name,
                      .base = median_of(base, value),
                      .fresh = median_of(fresh, value),
                      .missing = ""};
    if (!movement.base || !movement.fresh)
      movement.missing = fmt::format("{}: {}", movement.base ? "NEW" : "BASE",
                                     why_missing(movement.base ? fresh : base, measure));
    explanation.movements.push_back(std::move(movement));
  };
  for (const Measure& measure : explaining)
    add(measure.key, measure.name, [&](const Json& run) { return number(run, measure.key); });
  add("page_faults", "page faults", page_faults);
  std::stable_sort(explanation.movements.begin(), explanation.movements.end(),
                   [](const Movement& a, const Movement& b) { return size_of(a) > size_of(b); });
  return explanation;
}

std::string render(const Explanation& explanation, double margin) {
  std::string text =
      fmt::format("{}: what moved, for one message (medians of {} and {} runs)\n",
                  printable(explanation.key, 200), explanation.base_runs, explanation.new_runs);
  std::vector<std::string> unmoved;
  std::vector<std::string> missing;
  for (const Movement& movement : explanation.movements) {
    if (!movement.missing.empty())
      missing.push_back(fmt::format("{} ({})", movement.name, movement.missing));
    else if (size_of(movement) <= std::log1p(margin))
      unmoved.push_back(movement.name);
    else
      text += fmt::format(
          "  {:<22} {:>10} → {:>10}{}\n", movement.name, value_text(*movement.base, movement.name),
          value_text(*movement.fresh, movement.name),
          *movement.base > 0
              ? fmt::format("  {:+.1f} %", 100 * (*movement.fresh / *movement.base - 1))
              : "");
  }
  if (!unmoved.empty()) text += fmt::format("  as before: {}\n", fmt::join(unmoved, ", "));
  if (!missing.empty()) text += fmt::format("  not known: {}\n", fmt::join(missing, "; "));
  return text;
}

Json to_json(const Explanation& explanation) {
  Json movements = Json::array();
  for (const Movement& movement : explanation.movements)
    movements.push_back(
        {{"name", movement.name},
         {"base", movement.base ? Json(*movement.base) : Json(nullptr)},
         {"new", movement.fresh ? Json(*movement.fresh) : Json(nullptr)},
         {"missing", movement.missing.empty() ? Json(nullptr) : Json(movement.missing)}});
  return {{"key", explanation.key},
          {"base_runs", explanation.base_runs},
          {"new_runs", explanation.new_runs},
          {"movements", std::move(movements)}};
}

}  // namespace ipcbench
