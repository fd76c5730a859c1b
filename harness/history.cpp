#include "harness/history.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "harness/calibration.h"
#include "harness/measure.h"
#include "harness/stopping.h"
#include "harness/summary.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

constexpr const char* quiet_measure = "quiet_ns_per_operation";

std::string text_at(const Json& context, const char* pointer) {
  const Json::json_pointer at(pointer);
  return context.contains(at) && context.at(at).is_string()
             ? printable(context.at(at).get<std::string>(), 200)
             : "";
}

HistoryFile describe(const ResultsFile& file) {
  return {.name = printable(file.path, 200),
          .started = text_at(file.context, "/started"),
          .commit = text_at(file.context, "/machine/identity/commit"),
          .machine = text_at(file.context, "/machine/identity/cpu_model"),
          .digest = machine_digest(file.context),
          .state_digest = text_at(file.context, "/machine/state_digest")};
}

/// The low quantile of sub-batches hardly follows what else the machine does, which differs from
/// day to day; where runs have none, the main measure.
std::string measure_of(const CellSummary& cell, const std::string& metric) {
  if (!metric.empty()) return metric_name(metric, cell.scenario);
  return cell.estimates.contains(quiet_measure) ? quiet_measure : metric_name("", cell.scenario);
}

/// The smallest change that was found to show on this machine, where `calibrate` has been run here.
double margin_of(const HistorySeries& series, const std::optional<Json>& calibration,
                 double asked) {
  if (!calibration) return asked;
  const char* calibrated =
      series.measure == quiet_measure ? "batch_q25_ns" : series.measure.c_str();
  return std::max(asked, smallest_change(*calibration, series.key, calibrated).value_or(0));
}

HistoryChange change_of(const ChangePoint& point, std::size_t file, const std::string& measure,
                        double margin) {
  HistoryChange change{
      .file = file, .before = point.before, .after = point.after, .p = point.p, .margin = margin};
  const bool rises = more_is_better(measure);
  const double worse = rises ? point.before : point.after;
  const double better = rises ? point.after : point.before;
  change.times_worse = better > 0 ? worse / better : 1;
  return change;
}

/// Each stretch on one machine is a series of its own.
void find_changes(HistorySeries& series, const History& history,
                  const std::map<std::string, std::optional<Json>>& calibrations) {
  std::size_t begin = 0;
  while (begin < series.points.size()) {
    const std::string& digest = history.files[series.points[begin].file].digest;
    std::size_t end = begin;
    std::vector<double> values;
    while (end < series.points.size() && history.files[series.points[end].file].digest == digest)
      values.push_back(series.points[end++].estimate.median);
    const double margin = margin_of(series, calibrations.at(digest), history.options.margin);
    for (const ChangePoint& point : change_points(values, history.options.change_points)) {
      HistoryChange change =
          change_of(point, series.points[begin + point.at].file, series.measure, margin);
      if (change.is_regression() || change.is_improvement()) series.changes.push_back(change);
    }
    series.recent = begin;
    begin = end;
  }
}

/// "regressed +20 %": of the value, whichever direction is the better one.
std::string change_text(const HistoryChange& change) {
  return fmt::format("{} {:+.0f} %", change.verdict(), 100 * (change.after / change.before - 1));
}

}  // namespace

const char* HistoryChange::verdict() const {
  return is_regression() ? "regressed" : is_improvement() ? "improved" : "same";
}

bool HistorySeries::has_regressed() const {
  return !changes.empty() && changes.back().file >= points[recent].file &&
         changes.back().is_regression();
}

History make_history(std::vector<ResultsFile> files, const HistoryOptions& options) {
  std::stable_sort(files.begin(), files.end(), [](const ResultsFile& a, const ResultsFile& b) {
    return text_at(a.context, "/started") < text_at(b.context, "/started");
  });
  History history{.files = {}, .series = {}, .options = options};
  std::map<std::string, std::size_t> indices;
  std::map<std::string, std::optional<Json>> calibrations;
  for (std::size_t i = 0; i < files.size(); ++i) {
    history.files.push_back(describe(files[i]));
    if (!calibrations.contains(history.files[i].digest))
      calibrations[history.files[i].digest] = calibration_of(files[i].context);
    for (const CellSummary& cell : summarise(files[i])) {
      const std::string measure = measure_of(cell, options.metric);
      const auto estimate = measure.empty() ? std::nullopt : estimate_of(cell, measure);
      if (!estimate || cell.is_counted) continue;
      const std::string key = key_of(files[i].runs[cell.runs.front()]);
      const auto [found, is_new] = indices.try_emplace(key + " " + measure, history.series.size());
      if (is_new)
        history.series.push_back({.key = printable(key, 600),
                                  .scenario = cell.scenario,
                                  .measure = measure,
                                  .points = {},
                                  .changes = {}});
      history.series[found->second].points.push_back({i, *estimate});
    }
  }
  for (HistorySeries& series : history.series) find_changes(series, history, calibrations);
  return history;
}

std::string method_of(const History& history) {
  const ChangePointOptions& options = history.options.change_points;
  return fmt::format(
      "E-divisive means, {} permutations at {:.3g} %, seed {}; changes below {:.3g} % are "
      "left out",
      options.permutations, 100 * options.level, options.seed, 100 * history.options.margin);
}

Table history_table(const History& history, bool shows_all) {
  Table table{.title = fmt::format("{} files, {} series: changes of level", history.files.size(),
                                   history.series.size()),
              .columns = {"cell", "measure", "points", "before", "after", "change", "since"},
              .rows = {},
              .labels = 2};
  std::vector<std::pair<double, const HistorySeries*>> order;
  for (const HistorySeries& series : history.series) {
    if (series.changes.empty() && !shows_all) continue;
    const double worst = series.changes.empty() ? 0 : series.changes.back().times_worse;
    order.emplace_back(series.has_regressed() ? worst + 1e9 : worst, &series);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (const auto& entry : order) {
    const HistorySeries* series = entry.second;
    const auto add = [&](const HistoryChange* change, bool is_newest) {
      const auto& last = series->points.back().estimate;
      const auto show = [&](double value) { return measure_text(series->measure, value); };
      std::string since = "–";
      if (change != nullptr) {
        const HistoryFile& file = history.files[change->file];
        since = fmt::format("{} {}{}", file.started, file.commit, is_newest ? "" : " (earlier)");
        if (change->file > 0 && file.state_digest != history.files[change->file - 1].state_digest)
          since += "; the machine's state changed, too";
      }
      table.rows.push_back({is_newest ? series->key : "",
                            is_newest ? measure_label(series->measure) : "",
                            is_newest ? std::to_string(series->points.size()) : "",
                            change == nullptr ? "" : show(change->before),
                            show(change == nullptr ? last.median : change->after),
                            change == nullptr ? "none" : change_text(*change), since});
    };
    if (series->changes.empty()) add(nullptr, true);
    for (auto change = series->changes.rbegin(); change != series->changes.rend(); ++change)
      add(&*change, change == series->changes.rbegin());
  }
  return table;
}

Json history_json(const History& history) {
  Json json{{"schema", "ipcbench-history/1"},
            {"files", Json::array()},
            {"method", method_of(history)},
            {"margin", history.options.margin},
            {"series", Json::array()}};
  for (const HistoryFile& file : history.files)
    json["files"].push_back({{"name", file.name},
                             {"started", file.started},
                             {"commit", file.commit},
                             {"machine", file.machine},
                             {"identity_digest", file.digest}});
  for (const HistorySeries& series : history.series) {
    Json points = Json::array();
    for (const HistoryPoint& point : series.points) {
      const bool has_interval = point.estimate.count > 1;
      points.push_back({point.file, point.estimate.median,
                        has_interval ? Json(point.estimate.low) : Json(nullptr),
                        has_interval ? Json(point.estimate.high) : Json(nullptr)});
    }
    Json changes = Json::array();
    for (const HistoryChange& change : series.changes)
      changes.push_back({{"at", change.file},
                         {"before", change.before},
                         {"after", change.after},
                         {"times_worse", change.times_worse},
                         {"p", change.p},
                         {"margin", change.margin},
                         {"verdict", change.verdict()}});
    json["series"].push_back({{"key", series.key},
                              {"scenario", printable(series.scenario, 60)},
                              {"measure", printable(series.measure, 60)},
                              {"points", std::move(points)},
                              {"changes", std::move(changes)},
                              {"regressed", series.has_regressed()}});
  }
  return json;
}

}  // namespace ipcbench
