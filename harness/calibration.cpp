#include "harness/calibration.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include <fmt/format.h>

#include "harness/machine.h"
#include "harness/stats.h"
#include "harness/stopping.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

constexpr double margin = 0.01;  ///< what the gate asks for at least
constexpr double power = 0.8;    ///< four of five
constexpr int resamples = 500;

bool is_measured(const Json& run) {
  return run.at("status") == text(Status::ok) || run.at("status") == text(Status::suspect);
}

/// The metrics of a run that are calibrated; what isn't there, or is 0, is left out.
std::map<std::string, double> metrics_of(const Json& run) {
  std::map<std::string, double> metrics;
  if (!is_measured(run)) return metrics;
  if (run.contains("batch_ns") && run.contains("batch_operations")) {
    const auto batch_ns = run["batch_ns"].get<std::vector<double>>();
    const auto operations = run["batch_operations"].get<double>();
    for (const auto& [name, fraction] : {std::pair{"batch_q10_ns", 0.10}, {"batch_q25_ns", 0.25}})
      if (const auto value = quantile(batch_ns, fraction)) metrics[name] = *value / operations;
  }
  const std::string main = metric_name("", run.at("scenario").get<std::string>());
  if (run.contains(main) && run[main].is_number()) metrics[main] = run[main].get<double>();
  std::erase_if(metrics, [](const auto& metric) { return !(metric.second > 0); });
  return metrics;
}

Json to_json(const Resolution& resolution) {
  return {{"pairs", resolution.pairs},
          {"offset", resolution.offset},
          {"spread", resolution.spread},
          {"smallest_change", resolution.smallest_change},
          {"false_alarms", resolution.false_alarms}};
}

[[noreturn]] void reject(const std::string& path, std::string_view problem) {
  throw UsageError(fmt::format("{}: {}; remove it, and calibrate again", printable(path),
                               printable(problem, 300)));
}

std::string percent_text(const Json& metrics, const std::string& name) {
  if (!metrics.contains(name) || !metrics[name].is_object()) return "–";
  return fmt::format("{:.1f} %", 100 * metrics[name]["smallest_change"].get<double>());
}

}  // namespace

std::optional<Resolution> resolve_pairs(const std::vector<double>& log_ratios) {
  if (static_cast<int>(log_ratios.size()) < repeats_for_interval) return std::nullopt;
  std::mt19937_64 random(1);
  std::vector<double> lows;
  int alarms = 0;
  std::vector<double> drawn(log_ratios.size());
  for (int i = 0; i < resamples; ++i) {
    for (double& ratio : drawn) {
      const std::uint64_t chance = random();
      ratio = log_ratios[(chance >> 1) % log_ratios.size()] * (chance % 2 == 0 ? 1 : -1);
    }
    lows.push_back(estimate_quantile(drawn, 0.5).value().low);
    alarms += lows.back() > std::log1p(margin) ? 1 : 0;
  }
  const double median = quantile(log_ratios, 0.5).value();
  std::vector<double> deviations;
  for (const double ratio : log_ratios) deviations.push_back(std::abs(ratio - median));
  // A change moves every ratio, and so the lower end; it is found when that is beyond the margin.
  const double needed = std::log1p(margin) - quantile(lows, 1 - power).value();
  return Resolution{.pairs = static_cast<int>(log_ratios.size()),
                    .offset = std::expm1(median),
                    .spread = quantile(deviations, 0.5).value(),
                    .smallest_change = std::expm1(std::max(needed, std::log1p(margin))),
                    .false_alarms = static_cast<double>(alarms) / resamples};
}

Json calibrate(const Plan& plan, const std::vector<Json>& runs) {
  std::vector<std::map<std::string, std::vector<double>>> ratios(plan.cells.size());
  for (std::size_t i = 0; i + 1 < runs.size() && i + 1 < plan.order.size(); i += 2) {
    const std::size_t cell = plan.order[i].cell;
    if (plan.order[i + 1].cell != cell) continue;
    const std::map<std::string, double> first = metrics_of(runs[i]);
    const std::map<std::string, double> second = metrics_of(runs[i + 1]);
    for (const auto& [name, value] : first)
      if (const auto other = second.find(name); other != second.end())
        ratios[cell][name].push_back(std::log(other->second / value));
  }
  Json cells = Json::object();
  for (std::size_t cell = 0; cell < ratios.size(); ++cell)
    for (const auto& [name, values] : ratios[cell])
      if (const auto resolution = resolve_pairs(values))
        cells[plan.cells[cell].key()][name] = to_json(*resolution);
  return cells;
}

std::string machine_digest(const Json& context) {
  const Json::json_pointer at("/machine/identity");
  if (!context.contains(at) || !context.at(at).is_object()) return "";
  Json kept;
  for (const char* key : {"cpu_model", "topology", "ram_bytes", "virtualisation", "architecture",
                          "kernel_release", "kernel_command_line", "mitigations"})
    kept[key] = context.at(at).value(key, Json());
  return digest(dump(kept));
}

std::string calibration_path(const Json& machine) {
  return fmt::format("{}/calibration-{}.json", state_directory(),
                     machine_digest({{"machine", machine}}));
}

Json save_calibration(const Json& cells, const Json& context, const std::string& path) {
  Json document = read_calibration(path).value_or(Json{{"schema", calibration_schema},
                                                       {"machine", machine_digest(context)},
                                                       {"margin", margin},
                                                       {"power", power},
                                                       {"cells", Json::object()}});
  for (const auto& [key, metrics] : cells.items())
    document["cells"][key] = {{"measured", context.at("started")},
                              {"version", context.at("version")},
                              {"metrics", metrics}};
  write_results(document, path);
  return document;
}

std::optional<Json> read_calibration(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  const Json document = Json::parse(text.str(), nullptr, false);
  if (!document.is_object() || document.value("schema", Json()) != calibration_schema ||
      !document.contains("cells") || !document["cells"].is_object())
    reject(path, fmt::format("is no whole document of schema '{}'", calibration_schema));
  return document;
}

std::optional<Json> calibration_of(const Json& context) {
  const Json::json_pointer identity("/machine/identity");
  if (!context.contains(identity) || !context.at(identity).is_object()) return std::nullopt;
  return read_calibration(calibration_path(context.at("machine")));
}

std::optional<double> smallest_change(const Json& calibration, const std::string& key,
                                      const std::string& metric) {
  const Json& cells = calibration.at("cells");
  if (!cells.contains(key) || !cells[key].is_object()) return std::nullopt;
  const Json metrics = cells[key].value("metrics", Json::object());
  if (!metrics.contains(metric)) return std::nullopt;
  const Json change = metrics[metric].value("smallest_change", Json());
  return change.is_number() ? std::optional(change.get<double>()) : std::nullopt;
}

Table calibration_table(const Json& cells) {
  Table table{.title = "Smallest change that is found in four of five cases",
              .columns = {"cell", "pairs", "10 % quantile", "25 % quantile", "main metric", ""},
              .rows = {}};
  for (const auto& [key, metrics] : cells.items()) {
    std::string main;
    int pairs = 0;
    for (const auto& [name, resolution] : metrics.items()) {
      pairs = std::max(pairs, resolution["pairs"].template get<int>());
      if (!name.starts_with("batch_q")) main = name;
    }
    table.rows.push_back(
        {printable(key, 100), std::to_string(pairs), percent_text(metrics, "batch_q10_ns"),
         percent_text(metrics, "batch_q25_ns"), percent_text(metrics, main), main});
  }
  return table;
}

}  // namespace ipcbench
