#include "harness/latency_target.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "harness/options.h"
#include "harness/stats.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

constexpr std::size_t stride = 4;  ///< rungs up or down while only one side is known

struct Percentile {
  std::string_view name;
  std::uint64_t messages;
};
constexpr Percentile percentiles[] = {{"p50", 50}, {"p90", 150}, {"p99", 1'200}, {"p999", 12'000}};

bool is_searched(const Plan& plan, const PlannedCell& cell) {
  return plan.stopping.target.limit_ns > 0 && cell.scenario == "paced" && cell.skipped.empty();
}

/// A cell's key with the same rate for all.
std::string group_of(const PlannedCell& cell) {
  PlannedCell without = cell;
  without.load.rate_per_s = 1;
  return without.key();
}

/// The cells of each group, by their rates.
std::map<std::string, std::vector<std::size_t>> groups_of(const Plan& plan) {
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < plan.cells.size(); ++i)
    if (is_searched(plan, plan.cells[i])) groups[group_of(plan.cells[i])].push_back(i);
  for (auto& [key, cells] : groups)
    std::sort(cells.begin(), cells.end(), [&](std::size_t a, std::size_t b) {
      return plan.cells[a].load.rate_per_s < plan.cells[b].load.rate_per_s;
    });
  return groups;
}

/// Whether a cell keeps the target, by the median of its runs; nothing where it wasn't run. A run
/// that has failed hasn't kept it.
std::optional<bool> keeps(const Plan& plan, const std::vector<Json>& runs, std::size_t cell) {
  const std::string metric = fmt::format("latency_{}_ns", plan.stopping.target.percentile);
  const auto limit_ns = static_cast<double>(plan.stopping.target.limit_ns);
  std::vector<double> latencies;
  for (std::size_t i = 0; i < runs.size() && i < plan.order.size(); ++i) {
    if (plan.order[i].cell != cell) continue;
    const bool is_known = runs[i].contains(metric) && runs[i][metric].is_number();
    latencies.push_back(is_known ? runs[i][metric].get<double>() : 2 * limit_ns);
  }
  if (latencies.empty()) return std::nullopt;
  return quantile(latencies, 0.5).value() <= limit_ns;
}

Knee search(const Plan& plan, const std::vector<Json>& runs,
            const std::vector<std::size_t>& rungs) {
  std::optional<std::size_t> fails;
  std::optional<std::size_t> holds;
  for (std::size_t rung = 0; rung < rungs.size() && !fails; ++rung) {
    const std::optional<bool> kept = keeps(plan, runs, rungs[rung]);
    if (kept && *kept) holds = rung;
    if (kept && !*kept) fails = rung;
  }
  const auto rate_at = [&](std::size_t rung) { return plan.cells[rungs[rung]].load.rate_per_s; };
  Knee knee{.cell = rungs.front(), .holds = {}, .fails = {}, .next = {}};
  if (holds) knee.holds = rate_at(*holds);
  if (fails) knee.fails = rate_at(*fails);
  std::size_t next = 0;
  if (holds && fails)
    next = *holds + (*fails - *holds) / 2;
  else if (holds)
    next = std::min(*holds + stride, rungs.size() - 1);
  else if (fails)
    next = *fails - std::min(stride, *fails);
  else
    return knee;
  if (next != holds && next != fails) knee.next = rungs[next];
  return knee;
}

/// "64 B, cross-core" and what else the cell has that is no rate.
std::string name_of(const PlannedCell& cell) {
  std::string name =
      fmt::format("{}, {}, {}", cell.transport, size_text(cell.size.value_or(0)), cell.place.name);
  for (const std::string& word : load_words(cell.load, all_scenarios()[*find_scenario("paced")]))
    if (!word.starts_with("rate:")) name += ", " + word;
  for (const std::string& word : cell.manner.words()) name += ", " + word;
  return name;
}

}  // namespace

LatencyTarget parse_latency_target(const std::string& word) {
  const std::size_t less = word.find('<');
  const std::string name = word.substr(0, less);
  const auto known = std::find_if(std::begin(percentiles), std::end(percentiles),
                                  [&](const Percentile& one) { return one.name == name; });
  if (less == std::string::npos || known == std::end(percentiles))
    throw UsageError(
        fmt::format("--latency-target '{}': expected p50, p90, p99 or p999 and a time, "
                    "such as 'p99<50us'",
                    printable(word)));
  return {.percentile = name,
          .limit_ns = parse_duration(word.substr(less + 1), "--latency-target", 1e-9, 60)};
}

std::vector<std::int64_t> rate_ladder() {
  std::vector<std::int64_t> rates;
  constexpr double lowest = 100;
  constexpr double highest = 20e6;
  for (double rate = first_rate_per_s; rate >= lowest; rate /= 1.25)
    rates.insert(rates.begin(), std::llround(rate));
  for (double rate = 1.25 * first_rate_per_s; rate <= highest; rate *= 1.25)
    rates.push_back(std::llround(rate));
  return rates;
}

std::uint64_t messages_for(const LatencyTarget& target) {
  for (const Percentile& known : percentiles)
    if (known.name == target.percentile) return known.messages;
  return 0;
}

std::vector<Knee> find_knees(const Plan& plan, const std::vector<Json>& runs) {
  std::vector<Knee> knees;
  for (const auto& [key, cells] : groups_of(plan)) knees.push_back(search(plan, runs, cells));
  return knees;
}

std::vector<std::size_t> cells_for_target(const Plan& plan, const std::vector<Json>& runs) {
  std::vector<std::size_t> cells;
  for (const Knee& knee : find_knees(plan, runs))
    if (knee.next) cells.insert(cells.end(), static_cast<std::size_t>(plan.repeats), *knee.next);
  return cells;
}

std::vector<std::string> knee_lines(const Plan& plan, const std::vector<Json>& runs) {
  std::vector<std::string> lines;
  const auto rate = [](std::int64_t per_s) { return rate_text(static_cast<double>(per_s)); };
  for (const Knee& knee : find_knees(plan, runs)) {
    std::string line =
        fmt::format("{}: {} < {} ", name_of(plan.cells[knee.cell]), plan.stopping.target.percentile,
                    duration_text(static_cast<double>(plan.stopping.target.limit_ns)));
    line += knee.holds ? fmt::format("up to {}", rate(*knee.holds)) : "at no rate that was tried";
    line += knee.fails   ? fmt::format("; not at {}", rate(*knee.fails))
            : knee.holds ? ", the highest that was tried"
                         : "";
    if (knee.next) line += " (the search was cut short)";
    lines.push_back(std::move(line));
  }
  return lines;
}

Json knees_json(const Plan& plan, const std::vector<Json>& runs) {
  Json json = Json::array();
  for (const Knee& knee : find_knees(plan, runs))
    json.push_back({{"cell", name_of(plan.cells[knee.cell])},
                    {"holds_per_s", knee.holds ? Json(*knee.holds) : Json(nullptr)},
                    {"fails_per_s", knee.fails ? Json(*knee.fails) : Json(nullptr)},
                    {"complete", !knee.next}});
  return json;
}

}  // namespace ipcbench
