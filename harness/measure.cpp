#include "harness/measure.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "harness/stopping.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

struct Unit {
  std::string_view ending;  ///< of a measure's name; the first that fits is its unit
  std::string_view unit;
  bool more_is_better;
};
constexpr Unit units[] = {
    {"bytes_per_s", "B/s", true},
    {"_per_s", "/s", true},
    {"_ns", "ns", false},
    {"_ns_per_message", "ns", false},
    {"_ns_per_operation", "ns", false},
    {"_bytes", "B", false},
    {"fairness", "", true},
    {"", "", false},
};

const Unit& find_unit(std::string_view measure) {
  return *std::find_if(std::begin(units), std::end(units),
                       [&](const Unit& unit) { return measure.ends_with(unit.ending); });
}

/// In binary units, rounded: what was measured is rarely a whole number of them.
std::string bytes_text(double bytes) {
  const char* const names[] = {"B", "KiB", "MiB", "GiB"};
  std::size_t name = 0;
  for (; bytes >= 1024 && name + 1 < std::size(names); ++name) bytes /= 1024;
  const int digits = name == 0 || bytes >= 99.95 ? 0 : bytes >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f} {}", bytes, digits, names[name]);
}

/// Whether the name is the percentile of what the scenario times: "round_trip_p99_ns" of
/// ping_pong, of which a summary has the merged one.
bool is_percentile(const std::string& metric, const std::string& percentile,
                   const std::string& scenario) {
  return metric == percentile || metric == metric_name(percentile, scenario);
}

std::optional<Estimate> without_interval(std::optional<double> value) {
  if (!value) return std::nullopt;
  return Estimate{.median = *value, .low = *value, .high = *value, .confidence = 0, .count = 0};
}

}  // namespace

std::string_view unit_of(std::string_view measure) {
  return find_unit(measure).unit;
}

bool more_is_better(std::string_view measure) {
  return find_unit(measure).more_is_better;
}

std::string measure_label(std::string_view measure) {
  if (measure == "bytes_per_s") return "bandwidth";
  std::string label(measure);
  for (const std::string_view ending : {"_per_s", "_ns"})
    if (label.ends_with(ending)) label.erase(label.size() - ending.size());
  if (const std::size_t at = label.find("_ns_per_"); at != std::string::npos)
    label.replace(at, 8, "_per_");
  if (label.starts_with("cpu_")) label.replace(0, 3, "CPU");
  if (const std::size_t at = label.find("p999"); at != std::string::npos) label.insert(at + 3, ".");
  std::replace(label.begin(), label.end(), '_', ' ');
  return printable(label, 60);
}

std::string measure_text(std::string_view measure, double value) {
  const std::string_view unit = unit_of(measure);
  if (unit == "ns") return duration_text(value);
  if (unit == "/s") return rate_text(value);
  if (unit == "B/s") return bandwidth_text(value);
  if (unit == "B") return bytes_text(value);
  return fmt::format("{:.3g}", value);
}

std::optional<Estimate> estimate_of(const CellSummary& cell, const std::string& metric) {
  const std::string name = metric.empty() ? main_measure(cell.scenario) : metric;
  if (name.empty()) return std::nullopt;
  if (is_percentile(name, "p50", cell.scenario)) return cell.p50_ns;
  if (is_percentile(name, "p99", cell.scenario)) return cell.p99_ns;
  if (is_percentile(name, "p90", cell.scenario)) return without_interval(cell.p90_ns);
  if (is_percentile(name, "p999", cell.scenario)) return without_interval(cell.p999_ns);
  const auto found = cell.estimates.find(name);
  return found == cell.estimates.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace ipcbench
