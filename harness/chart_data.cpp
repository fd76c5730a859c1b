#include "harness/chart_data.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <tuple>

#include <fmt/format.h>

#include "harness/load.h"
#include "harness/measure.h"
#include "harness/stats.h"
#include "harness/summary.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

/// Not what was asked for, and not what measures are made of.
bool is_shown(std::string_view name) {
  return is_measure(name) && name != "elapsed_ns" &&
         std::none_of(all_axes().begin(), all_axes().end(),
                      [&](const Axis& axis) { return axis.key == name; });
}

constexpr std::size_t text_size_max = 300;  // bytes of any text that is shown

/// Four significant digits: more than any of these is good for, and a third of the bytes.
Json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (value == 0) return 0;
  const double exponent = std::floor(std::log10(std::abs(value)));
  const double factor = std::pow(10.0, 3 - exponent);
  const double result = std::round(value * factor) / factor;
  if (!std::isfinite(result)) return value;
  return result == std::floor(result) && std::abs(result) < 1e15
             ? Json(static_cast<std::int64_t>(result))
             : Json(result);
}

Json measure_json(const std::string& name) {
  return {{"label", measure_label(name)},
          {"unit", unit_of(name)},
          {"better", more_is_better(name) ? "higher" : "lower"}};
}

using Runs = std::vector<const RunRecord*>;

/// The values at the quantiles, which are in rising order, where `beyond` values lie above them.
std::vector<double> supported_quantiles(const Histogram& histogram,
                                        const std::vector<double>& quantiles) {
  constexpr std::uint64_t beyond = 10;
  const auto bins = histogram.sparse();
  std::uint64_t total = 0;
  for (const auto& [index, count] : bins) total += count;
  std::vector<double> values;
  std::uint64_t seen = 0;
  auto bin = bins.begin();
  for (const double quantile : quantiles) {
    if ((1 - quantile) * static_cast<double>(total) + 1e-9 < static_cast<double>(beyond)) break;
    const auto rank = std::max<std::uint64_t>(
        1, static_cast<std::uint64_t>(std::ceil(quantile * static_cast<double>(total))));
    for (; bin != bins.end() && seen + bin->second < rank; ++bin) seen += bin->second;
    values.push_back(static_cast<double>(Histogram::bin_lowest(bin->first)) +
                     static_cast<double>(Histogram::bin_width(bin->first) - 1) / 2);
  }
  return values;
}

/// 1/(1 - p) at even steps of a logarithmic axis, with 50 %, 90 %, 99 % … among them.
const std::vector<double>& percentile_steps() {
  static const std::vector<double> steps = [] {
    std::vector<double> all{1, 1.25, 1.6};
    for (double decade = 1; decade < 1e8; decade *= 10)
      for (const double step : {2.0, 3.0, 5.0, 7.0, 10.0}) all.push_back(decade * step);
    return all;
  }();
  return steps;
}

/// [1/(1 - p), value, low, high] for each p that all repeats together support; low and high are the
/// interval of the repeats' own percentiles, and are missing where it can't be told.
Json percentiles_json(const Histogram& merged, const Runs& measured,
                      std::optional<Histogram> RunRecord::*which) {
  std::vector<double> quantiles;
  for (const double step : percentile_steps()) quantiles.push_back(1 - 1 / step);
  const std::vector<double> values = supported_quantiles(merged, quantiles);
  std::vector<std::vector<double>> of_repeats(values.size());
  for (const RunRecord* run : measured) {
    if (!(run->*which)) continue;
    const std::vector<double> own = supported_quantiles(*(run->*which), quantiles);
    for (std::size_t i = 0; i < std::min(own.size(), values.size()); ++i)
      of_repeats[i].push_back(own[i]);
  }
  Json points = Json::array();
  for (std::size_t i = 0; i < values.size(); ++i) {
    Json point = Json::array({percentile_steps()[i], rounded(values[i])});
    const std::optional<Estimate> estimate = estimate_median(of_repeats[i]);
    if (estimate && estimate->count > 1) {
      point.push_back(rounded(std::min(estimate->low, values[i])));
      point.push_back(rounded(std::max(estimate->high, values[i])));
    }
    points.push_back(std::move(point));
  }
  return points;
}

/// The percentile in a name such as "round_trip_p999_ns" as a fraction, and what stands before it.
std::optional<std::pair<std::string, double>> percentile_of(const std::string& measure) {
  const std::size_t at = measure.rfind("_p");
  if (at == std::string::npos || !measure.ends_with("_ns")) return std::nullopt;
  const std::string digits = measure.substr(at + 2, measure.size() - at - 5);
  if (digits.size() < 2 || digits.size() > 6 ||
      digits.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  return std::pair(measure.substr(0, at), std::stod("0." + digits));
}

using HistogramOf = std::optional<Histogram> RunRecord::*;

/// All repeats' values of a histogram together, and which measures they are: those that begin so,
/// as in "round_trip" of round_trip_p50_ns.
struct Merged {
  Histogram histogram;
  std::string stem;
};

/// The stem is found by its median: a results file doesn't name it.
Merged merge(const Runs& measured, HistogramOf which) {
  Merged merged;
  for (const RunRecord* run : measured) {
    const std::optional<Histogram>& own = run->*which;
    if (!own) continue;
    merged.histogram.merge(*own);
    if (!merged.stem.empty()) continue;
    const std::optional<double> p50 = own->supported_quantile(0.5);
    for (const auto& [name, value] : run->measures)
      if (const auto percentile = percentile_of(name);
          percentile && percentile->second == 0.5 && p50 == value)
        merged.stem = percentile->first;
  }
  return merged;
}

/// [median, low, high, repeats] of each measure. Percentiles of a histogram are those of all
/// repeats together, as in the tables, also where no single repeat supports them.
Json measures_json(const CellSummary& cell, std::span<const Merged> histograms) {
  Json json = Json::object();
  for (const auto& [name, estimate] : cell.estimates)
    if (is_shown(name))
      json[name] = Json::array({rounded(estimate.median), rounded(estimate.low),
                                rounded(estimate.high), estimate.count});
  for (const Merged& merged : histograms) {
    if (merged.stem.empty()) continue;
    for (const char* digits : {"50", "90", "99", "999"}) {
      const std::string name = fmt::format("{}_p{}_ns", merged.stem, digits);
      const auto together =
          merged.histogram.supported_quantile(std::stod(fmt::format("0.{}", digits)));
      if (!together)
        json.erase(name);
      else if (json.contains(name))
        json[name][0] = rounded(*together);
      else
        json[name] = Json::array({rounded(*together), nullptr, nullptr, 0});
    }
  }
  return json;
}

/// "wait:poll" as {"wait": "poll"}: the axes beside transport, scenario, size and placement.
Json axes_json(const std::vector<std::string>& words) {
  Json axes = Json::object();
  for (const std::string& word : words) {
    const std::size_t colon = word.find(':');
    axes[word.substr(0, colon)] = colon == std::string::npos ? "" : word.substr(colon + 1);
  }
  return axes;
}

std::string family_of(const std::string& transport) {
  const Row* row = find_row(transport);
  return row == nullptr ? "other" : std::string(text(row->facts.family));
}

Json cell_json(const CellSummary& cell, const std::vector<RunRecord>& runs) {
  Runs measured;
  for (const std::size_t index : cell.runs)
    if (runs[index].status == Status::ok || runs[index].status == Status::suspect)
      measured.push_back(&runs[index]);
  static constexpr std::array<HistogramOf, 2> which{&RunRecord::histogram,
                                                    &RunRecord::second_histogram};
  const std::array<Merged, 2> merged{merge(measured, which[0]), merge(measured, which[1])};
  Json json{{"scenario", printable(cell.scenario, 60)},
            {"family", family_of(cell.transport)},
            {"transport", printable(cell.transport, 60)},
            {"size", cell.size ? Json(*cell.size) : Json(nullptr)},
            {"placement", printable(cell.placement, 60)},
            {"axes", axes_json(cell.words)},
            {"ok", cell.ok},
            {"suspect", cell.suspect},
            {"failed", cell.failed},
            {"skipped", cell.skipped},
            {"reason", printable(cell.reason, text_size_max)},
            {"marks", marks_of(cell)},
            {"measures", measures_json(cell, merged)},
            {"percentiles", Json::object()}};
  for (std::size_t i = 0; i < merged.size(); ++i)
    if (!merged[i].stem.empty())
      json["percentiles"][merged[i].stem] =
          percentiles_json(merged[i].histogram, measured, which[i]);
  return json;
}

std::string clipped(const Json& json, const char* pointer) {
  const Json::json_pointer at(pointer);
  if (!json.contains(at) || json.at(at).is_null()) return "";
  const Json& value = json.at(at);
  return printable(value.is_string() ? value.get<std::string>() : dump(value), text_size_max);
}

/// The record of the machine as lines of [name, value], for reading.
void add_lines(Json& lines, const std::string& name, const Json& value, int depth = 0) {
  if (lines.size() > 300) return;
  if (value.is_object() && depth < 4) {
    for (const auto& [key, inner] : value.items())
      add_lines(lines, name.empty() ? key : fmt::format("{}.{}", name, key), inner, depth + 1);
    return;
  }
  const std::string shown = value.is_null()     ? "not to be had"
                            : value.is_string() ? value.get<std::string>()
                                                : dump(value);
  lines.push_back({printable(name, 100), printable(shown, text_size_max)});
}

Json file_json(const ResultsFile& file, const Json& document) {
  const Json& context = file.context;
  std::vector<std::string> command;
  if (context.contains("command") && context["command"].is_array())
    for (const Json& word : context["command"])
      if (word.is_string()) command.push_back(printable(word.get<std::string>(), text_size_max));
  const bool is_seeded = std::any_of(command.begin(), command.end(), [](const std::string& word) {
    return word.starts_with("--seed");
  });
  if (const std::string seed = clipped(document, "/plan/seed"); !is_seeded && !command.empty())
    if (!seed.empty()) command.insert(command.end(), {"--seed", seed});
  Json record = Json::array();
  if (context.contains("machine")) add_lines(record, "", context["machine"]);
  const std::size_t slash = file.path.find_last_of('/');
  return {{"name", printable(file.path.substr(slash == std::string::npos ? 0 : slash + 1), 80)},
          {"machine", clipped(context, "/machine/identity/cpu_model")},
          {"processors", clipped(context, "/machine/identity/topology/processors")},
          {"virtualisation", clipped(context, "/machine/identity/virtualisation")},
          {"kernel", clipped(context, "/machine/identity/kernel_release")},
          {"started", clipped(context, "/started")},
          {"version", clipped(context, "/version")},
          {"commit", clipped(context, "/machine/identity/commit")},
          {"build_type", clipped(context, "/machine/identity/build_type")},
          {"identity_digest", clipped(context, "/machine/identity_digest")},
          {"state_digest", clipped(context, "/machine/state_digest")},
          {"is_complete", context.value("complete", Json(true)) != Json(false)},
          {"command", shell_text(command)},
          {"record", std::move(record)}};
}

/// Scenarios and transports in report order, those of another ipcbench after them.
void sort(std::vector<CellSummary>& cells) {
  const std::vector<Row>& rows = all_rows();
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < rows.size(); ++i) places[rows[i].facts.name] = i;
  const auto key = [&](const CellSummary& cell) {
    const auto row = places.find(cell.transport);
    return std::tuple(find_scenario(cell.scenario).value_or(all_scenarios().size()),
                      row == places.end() ? rows.size() : row->second, cell.placement, cell.size);
  };
  std::stable_sort(cells.begin(), cells.end(),
                   [&](const CellSummary& a, const CellSummary& b) { return key(a) < key(b); });
}

/// The measure that a scenario is judged by, of those that it has: as in the tables; of a scenario
/// that this ipcbench doesn't know, a median latency, a rate of messages, any rate, any time; ""
/// where there is none.
std::string judged_by(const std::string& scenario, const std::set<std::string>& measures) {
  std::string main = main_measure(scenario);
  if (const auto index = find_scenario(scenario); index && main == "p50")
    main = fmt::format("{}_p50_ns", all_scenarios()[*index].latency);
  if (measures.contains(main)) return main;
  static constexpr std::array<bool (*)(const std::string&), 4> preferences{
      [](const std::string& name) { return name.ends_with("_p50_ns"); },
      [](const std::string& name) { return name == "messages_per_s"; },
      [](const std::string& name) { return name.ends_with("_per_s") && name != "bytes_per_s"; },
      [](const std::string& name) { return name.ends_with("_ns") && !name.ends_with("_mean_ns"); }};
  for (const auto is_preferred : preferences)
    for (const std::string& name : measures)
      if (is_preferred(name)) return name;
  return "";
}

/// What each scenario has of measures, and the one that it is judged by.
Json scenarios_json(const Json& cells) {
  std::map<std::string, std::set<std::string>> measures;
  std::vector<std::string> order;
  for (const Json& cell : cells) {
    const auto scenario = cell["scenario"].get<std::string>();
    if (!measures.contains(scenario)) order.push_back(scenario);
    std::set<std::string>& names = measures[scenario];
    for (const auto& [name, values] : cell["measures"].items()) names.insert(name);
  }
  Json json = Json::object();
  for (const std::string& scenario : order) {
    const std::set<std::string>& names = measures[scenario];
    const std::string main = judged_by(scenario, names);
    const auto percentile = percentile_of(main);
    const std::string tail = percentile ? percentile->first + "_p99_ns" : "";
    json[scenario] = {{"main", main}, {"tail", names.contains(tail) ? Json(tail) : Json(nullptr)}};
  }
  return json;
}

}  // namespace

std::string shell_text(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    const bool is_plain =
        !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
          return std::isalnum(c) != 0 ||
                 std::string_view("-_./:,=+@%").find(static_cast<char>(c)) !=
                     std::string_view::npos;
        });
    if (is_plain) {
      text += word;
      continue;
    }
    text += '\'';
    for (const char c : word) {
      if (c == '\'')
        text += "'\\''";
      else
        text += c;
    }
    text += '\'';
  }
  return text;
}

void add_measures(Json& data, const Json& measured) {
  for (const Json& one : measured) {
    const auto& name = one.at("measure").get_ref<const std::string&>();
    if (!data["measures"].contains(name)) data["measures"][name] = measure_json(name);
  }
}

Json chart_data(const std::vector<ResultsFile>& files, const std::vector<Json>& documents,
                const Json& changes) {
  Json data{{"schema", "ipcbench-charts/1"}, {"files", Json::array()}};
  Json cells = Json::array();
  Json runs = Json::array();
  std::vector<std::vector<CellSummary>> summaries;
  std::vector<CellSummary> all_cells;
  std::set<std::string> names;
  for (std::size_t f = 0; f < files.size(); ++f) {
    data["files"].push_back(file_json(files[f], documents[f]));
    summaries.push_back(summarise(files[f].runs));
    sort(summaries.back());
    int repeats = 0;  // the plan's may have been exceeded, or not reached
    for (const CellSummary& summary : summaries.back())
      repeats = std::max(repeats, summary.measured() + summary.failed);
    data["files"].back()["repeats"] = std::to_string(repeats);
    for (const CellSummary& summary : summaries[f]) {
      Json cell = cell_json(summary, files[f].runs);
      cell["file"] = f;
      for (const auto& [name, values] : cell["measures"].items()) names.insert(name);
      cells.push_back(std::move(cell));
      all_cells.push_back(summary);
    }
  }
  const Json scenarios = scenarios_json(cells);
  std::size_t cell = 0;
  for (std::size_t f = 0; f < files.size(); ++f)
    for (const CellSummary& summary : summaries[f]) {
      const auto main =
          scenarios[cells[cell]["scenario"].get<std::string>()]["main"].get<std::string>();
      for (const std::size_t index : summary.runs) {
        const RunRecord& run = files[f].runs[index];
        const auto order = run.measures.find("order");
        if (order == run.measures.end()) continue;
        const auto value = run.measures.find(main);
        runs.push_back({cell, order->second, text(run.status),
                        value == run.measures.end() ? Json(nullptr) : rounded(value->second)});
      }
      ++cell;
    }
  Json measures = Json::object();
  for (const std::string& name : names) measures[name] = measure_json(name);
  data["scenarios"] = scenarios;
  data["measures"] = std::move(measures);
  data["legend"] = legend(all_cells);
  data["cells"] = std::move(cells);
  data["runs"] = std::move(runs);
  if (!changes.is_null()) {
    data["changes"] = changes;
    add_measures(data, changes.at("cells"));
  }
  return data;
}

}  // namespace ipcbench
