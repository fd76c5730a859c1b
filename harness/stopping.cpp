#include "harness/stopping.h"

#include <algorithm>
#include <random>

#include <fmt/format.h>

#include "harness/latency_target.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

bool is_measured(const Json& run) {
  return run.at("status") == text(Status::ok) || run.at("status") == text(Status::suspect);
}

double took_s(const Json& run) {
  return run.contains("took_ns") ? run["took_ns"].get<double>() / 1e9 : 0;
}

/// The indices of each cell's runs. The runs are the first ones of the plan's order.
std::vector<std::vector<std::size_t>> runs_of_cells(const Plan& plan,
                                                    const std::vector<Json>& runs) {
  std::vector<std::vector<std::size_t>> all(plan.cells.size());
  for (std::size_t i = 0; i < runs.size() && i < plan.order.size(); ++i)
    all[plan.order[i].cell].push_back(i);
  return all;
}

std::vector<int> last_repeats(const Plan& plan) {
  std::vector<int> last(plan.cells.size(), 0);
  for (const PlannedRun& run : plan.order) last[run.cell] = std::max(last[run.cell], run.repeat);
  return last;
}

/// Another shuffle for each time that the order was extended, the same after --resume.
std::vector<PlannedRun> in_order(const Plan& plan, std::vector<std::size_t> cells, Why why) {
  std::mt19937_64 random(plan.seed ^ (0x9e3779b97f4a7c15 * plan.order.size()));
  shuffle(cells, random);
  std::vector<int> last = last_repeats(plan);
  std::vector<PlannedRun> more;
  for (const std::size_t cell : cells) more.push_back({cell, ++last[cell], why});
  return more;
}

std::size_t count_of(const Plan& plan, Why why) {
  return static_cast<std::size_t>(std::count_if(
      plan.order.begin(), plan.order.end(), [&](const PlannedRun& run) { return run.why == why; }));
}

std::size_t count_suspect(const std::vector<Json>& runs) {
  return static_cast<std::size_t>(std::count_if(runs.begin(), runs.end(), [](const Json& run) {
    return run.at("status") == text(Status::suspect);
  }));
}

/// A run for each planned one that was suspect and hasn't had one yet.
std::vector<PlannedRun> runs_for_suspects(const Plan& plan, const std::vector<Json>& runs) {
  const std::size_t limit =
      count_of(plan, Why::planned) * static_cast<std::size_t>(plan.stopping.retries_percent) / 100;
  const std::size_t made = count_of(plan, Why::suspect);
  if (made >= limit) return {};
  std::vector<int> due(plan.cells.size(), 0);
  for (std::size_t i = 0; i < plan.order.size(); ++i) {
    const PlannedRun& run = plan.order[i];
    if (run.why == Why::suspect) --due[run.cell];
    if (run.why == Why::planned && i < runs.size() && runs[i].at("status") == text(Status::suspect))
      ++due[run.cell];
  }
  std::vector<std::size_t> cells;
  for (std::size_t cell = 0; cell < due.size(); ++cell)
    for (int i = 0; i < due[cell]; ++i) cells.push_back(cell);
  std::vector<PlannedRun> more = in_order(plan, std::move(cells), Why::suspect);
  if (more.size() > limit - made) more.resize(limit - made);
  return more;
}

std::vector<PlannedRun> runs_for_precision(const Plan& plan, const std::vector<Json>& runs) {
  double spent_s = 0;
  for (const Json& run : runs) spent_s += took_s(run);
  std::vector<std::size_t> cells;
  std::vector<double> run_s(plan.cells.size(), 0);
  for (const OpenCell& open : open_cells(plan, runs)) {
    cells.push_back(open.cell);
    run_s[open.cell] = open.seconds / open.repeats_to_go;
  }
  std::vector<PlannedRun> more = in_order(plan, std::move(cells), Why::precision);
  const double budget_s = static_cast<double>(plan.stopping.budget_ns) / 1e9;
  std::size_t fitting = 0;
  while (fitting < more.size() && spent_s + run_s[more[fitting].cell] <= budget_s)
    spent_s += run_s[more[fitting++].cell];
  more.resize(fitting);
  return more;
}

}  // namespace

std::string metric_name(const std::string& metric, const std::string& scenario) {
  const std::string name = metric.empty() ? main_measure(scenario) : metric;
  for (const char* percentile : {"p50", "p90", "p99", "p999"}) {
    if (name != percentile) continue;
    const auto index = find_scenario(scenario);
    if (!index || all_scenarios()[*index].latency.empty()) return "";
    return fmt::format("{}_{}_ns", all_scenarios()[*index].latency, name);
  }
  return name;
}

std::vector<OpenCell> open_cells(const Plan& plan, const std::vector<Json>& runs) {
  std::vector<OpenCell> open;
  if (plan.stopping.precision <= 0) return open;
  const auto all = runs_of_cells(plan, runs);
  for (std::size_t cell = 0; cell < all.size(); ++cell) {
    const std::string metric = metric_name(plan.stopping.metric, plan.cells[cell].scenario);
    std::vector<double> values;
    double spent_s = 0;
    for (const std::size_t i : all[cell]) {
      spent_s += took_s(runs[i]);
      if (is_measured(runs[i]) && runs[i].contains(metric) && runs[i][metric].is_number())
        values.push_back(runs[i][metric].get<double>());
    }
    const auto estimate = estimate_median(values);
    if (!estimate) continue;
    if (estimate->count >= repeats_for_interval &&
        estimate->half_width() <= plan.stopping.precision)
      continue;
    const int to_go =
        std::max(1, repeats_to_settle(*estimate, plan.stopping.precision) - estimate->count);
    open.push_back({.cell = cell,
                    .metric = metric,
                    .so_far = *estimate,
                    .repeats_to_go = to_go,
                    .seconds = to_go * spent_s / static_cast<double>(all[cell].size())});
  }
  return open;
}

std::vector<PlannedRun> more_runs(const Plan& plan, const std::vector<Json>& runs) {
  std::vector<PlannedRun> more = runs_for_suspects(plan, runs);
  if (more.empty()) more = in_order(plan, cells_for_target(plan, runs), Why::target);
  return more.empty() ? runs_for_precision(plan, runs) : more;
}

Json stopping_json(const Plan& plan, const std::vector<Json>& runs) {
  Json json{{"suspect_runs", count_suspect(runs)},
            {"runs_for_suspects", count_of(plan, Why::suspect)},
            {"runs_for_precision", count_of(plan, Why::precision)},
            {"runs_for_target", count_of(plan, Why::target)}};
  if (plan.stopping.target.limit_ns > 0) json["rates"] = knees_json(plan, runs);
  if (plan.stopping.precision <= 0) return json;
  json["open"] = Json::array();
  for (const OpenCell& open : open_cells(plan, runs))
    json["open"].push_back({{"key", plan.cells[open.cell].key()},
                            {"metric", open.metric},
                            {"half_width", open.so_far.half_width()},
                            {"repeats", open.so_far.count},
                            {"repeats_to_go", open.repeats_to_go},
                            {"about_s", open.seconds}});
  return json;
}

std::vector<std::string> stopping_lines(const Plan& plan, const std::vector<Json>& runs) {
  std::vector<std::string> lines;
  if (const std::size_t suspect = count_suspect(runs); suspect > 0) {
    lines.push_back(fmt::format("{} of {} runs were suspect", suspect, runs.size()));
    if (plan.stopping.retries_percent > 0)
      lines.back() += fmt::format("; {} were made for them (--retries {}%)",
                                  count_of(plan, Why::suspect), plan.stopping.retries_percent);
  }
  for (std::string& line : knee_lines(plan, runs)) lines.push_back(std::move(line));
  if (plan.stopping.precision <= 0) return lines;
  const std::vector<OpenCell> open = open_cells(plan, runs);
  if (open.empty())
    lines.push_back(fmt::format("precision {:.2g} %: every cell that has the metric is settled",
                                100 * plan.stopping.precision));
  double seconds = 0;
  for (const OpenCell& cell : open) {
    lines.push_back(
        fmt::format("open: {}: {} {} after {} repeats; about {} more would "
                    "settle it ({})",
                    plan.cells[cell.cell].key(), cell.metric, 100 * cell.so_far.half_width(),
                    cell.so_far.count, cell.repeats_to_go, time_text(cell.seconds)));
    seconds += cell.seconds;
  }
  if (!open.empty())
    lines.push_back(
        fmt::format("precision {:.2g} %: {} cells are still open; about {} more would "
                    "settle them (--budget)",
                    100 * plan.stopping.precision, open.size(), time_text(seconds)));
  return lines;
}

}  // namespace ipcbench
