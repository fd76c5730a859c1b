#include "harness/compare_output.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include "harness/calibration.h"
#include "harness/commands.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

/// With the unit that the metric's name ends in.
std::string value_text(double value, std::string_view metric) {
  if (metric.ends_with("_ns") || metric.find("_ns_per_") != std::string_view::npos)
    return duration_text(value);
  if (metric == "bytes_per_s") return bandwidth_text(value);
  if (metric.ends_with("_per_s")) return rate_text(value);
  return fmt::format("{:.3g}", value);
}

std::string percent_text(double ratio) {
  return fmt::format("{:+.1f} %", 100 * (ratio - 1));
}

std::string interval_text(const Change& change) {
  if (!change.ratio) return "–";
  return fmt::format("{:+.1f} … {:+.1f} %", 100 * (change.ratio->low - 1),
                     100 * (change.ratio->high - 1));
}

std::string note_of(const Change& change) {
  if (change.verdict != Judgement::inconclusive) return "";
  if (change.runs_to_go == 0) return change.why;
  const std::string about =  // older files don't say how long their runs took
      change.seconds_to_go > 0 ? fmt::format(", about {},", time_text(change.seconds_to_go)) : "";
  return fmt::format("{}; {} more runs{} would settle it", change.why, change.runs_to_go, about);
}

std::vector<const Change*> in_order(const Comparison& comparison) {
  std::vector<const Change*> changes;
  for (const Change& change : comparison.changes) changes.push_back(&change);
  const auto rank = [](const Change& change) {
    switch (change.verdict) {
      case Judgement::regressed:
        return 0;
      case Judgement::improved:
        return 1;
      case Judgement::inconclusive:
        return 2;
      case Judgement::same:
        return 3;
    }
    return 4;
  };
  const auto size = [](const Change& change) {
    return change.ratio ? std::abs(std::log(change.ratio->median)) : 0;
  };
  std::stable_sort(changes.begin(), changes.end(), [&](const Change* a, const Change* b) {
    return rank(*a) != rank(*b) ? rank(*a) < rank(*b) : size(*a) > size(*b);
  });
  return changes;
}

Table table_of(const Comparison& comparison, const std::string& base, const std::string& fresh) {
  Table table{
      .title = fmt::format("{} → {}", printable(base, 200), printable(fresh, 200)),
      .columns = {"cell", "metric", "BASE", "NEW", "change", "95 % interval", "verdict", "note"},
      .rows = {}};
  for (const Change* change : in_order(comparison))
    table.rows.push_back({printable(change->key, 200), printable(change->metric),
                          value_text(change->base.median, change->metric),
                          value_text(change->fresh.median, change->metric),
                          change->ratio ? percent_text(change->ratio->median) : "–",
                          interval_text(*change), std::string(text(change->verdict)),
                          note_of(*change)});
  return table;
}

std::string csv_field(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

std::string csv(const Comparison& comparison) {
  std::string result =
      "cell,metric,base,new,ratio,ratio_low,ratio_high,confidence,p,verdict,runs_to_go,seconds_to_"
      "go,"
      "note\n";
  for (const Change& change : comparison.changes) {
    const auto number = [&](double Estimate::*part) {
      return change.ratio ? fmt::format("{:.6g}", (*change.ratio).*part) : "";
    };
    result += fmt::format(
        "{},{},{:.6g},{:.6g},{},{},{},{},{:.4g},{},{},{:.3g},{}\n",
        csv_field(printable(change.key, 1'000)), csv_field(printable(change.metric)),
        change.base.median, change.fresh.median, number(&Estimate::median), number(&Estimate::low),
        number(&Estimate::high), number(&Estimate::confidence), change.p, text(change.verdict),
        change.runs_to_go, change.seconds_to_go, csv_field(change.why));
  }
  for (const Uncompared& cell : comparison.uncompared)
    result += fmt::format("{},,,,,,,,,{},,,{}\n", csv_field(printable(cell.key, 1'000)),
                          cell.is_broken ? "broken" : "not compared", csv_field(cell.reason));
  return result;
}

Json estimate_json(const Estimate& estimate) {
  return {{"median", estimate.median},
          {"low", estimate.low},
          {"high", estimate.high},
          {"confidence", estimate.confidence},
          {"count", estimate.count}};
}

/// The parts of a key: "ping_pong/pipe/size:64/place:same-core/wait:poll".
Json parts_of(const std::string& key) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= key.size();) {
    const std::size_t end = std::min(key.find('/', at), key.size());
    parts.push_back(key.substr(at, end - at));
    at = end + 1;
  }
  Json json{{"key", key},
            {"scenario", parts[0]},
            {"transport", parts.size() > 1 ? parts[1] : ""},
            {"size", nullptr},
            {"placement", ""}};
  for (const std::string& part : parts) {
    if (part.starts_with("place:")) json["placement"] = part.substr(6);
    if (part.starts_with("size:") && part.size() < 20)
      json["size"] = std::strtoull(part.c_str() + 5, nullptr, 10);
  }
  return json;
}

/// A list in text, a list of Markdown.
std::string rest_of(const Comparison& comparison, bool is_markdown) {
  std::string result;
  const auto line = [&](const std::string& text) {
    result += fmt::format("{}{}\n", is_markdown ? "- " : "", text);
  };
  for (const Uncompared& cell : comparison.uncompared)
    line(fmt::format("{} {}: {}", cell.is_broken ? "broken:" : "not compared:",
                     printable(cell.key, 200), cell.reason));
  for (const std::string& warning : comparison.warnings) line("warning: " + warning);
  return result;
}

}  // namespace

CompareFormat parse_compare_format(const std::string& word) {
  if (word == "text") return CompareFormat::text;
  if (word == "md") return CompareFormat::markdown;
  if (word == "json") return CompareFormat::json;
  if (word == "csv") return CompareFormat::csv;
  throw UsageError(fmt::format("--format '{}': expected text, md, json or csv", printable(word)));
}

std::string summary_line(const Comparison& comparison, const CompareOptions& options) {
  std::string line = fmt::format(
      "{} compared: {} regressed, {} improved, {} same, {} inconclusive (margin {:.3g} %)",
      comparison.changes.size(), comparison.count(Judgement::regressed),
      comparison.count(Judgement::improved), comparison.count(Judgement::same),
      comparison.count(Judgement::inconclusive), 100 * options.margin);
  if (!comparison.uncompared.empty())
    line += fmt::format("; {} not compared, {} of them broken in NEW", comparison.uncompared.size(),
                        comparison.broken());
  return line;
}

std::string render(const Comparison& comparison, const CompareOptions& options,
                   const std::string& base, const std::string& fresh, CompareFormat format,
                   bool bold) {
  switch (format) {
    case CompareFormat::json:
      return dump(to_json(comparison, options, base, fresh), 2) + "\n";
    case CompareFormat::csv:
      return csv(comparison);
    case CompareFormat::text:
    case CompareFormat::markdown:
      break;
  }
  const bool is_markdown = format == CompareFormat::markdown;
  const Table table = table_of(comparison, base, fresh);
  std::string result;
  if (!table.rows.empty())
    result = (is_markdown ? render_markdown(table) : render_text(table, bold)) + "\n";
  const std::string rest = rest_of(comparison, is_markdown);
  if (!rest.empty()) result += rest + "\n";
  return result + summary_line(comparison, options) + "\n";
}

Json to_json(const Comparison& comparison, const CompareOptions& options, const std::string& base,
             const std::string& fresh) {
  Json changes = Json::array();
  for (const Change& change : comparison.changes)
    changes.push_back({{"key", change.key},
                       {"metric", change.metric},
                       {"verdict", text(change.verdict)},
                       {"ratio", change.ratio ? estimate_json(*change.ratio) : Json(nullptr)},
                       {"p", change.p},
                       {"base", estimate_json(change.base)},
                       {"new", estimate_json(change.fresh)},
                       {"higher_is_better", change.is_better_when_higher},
                       {"floor", change.floor},
                       {"why", change.why.empty() ? Json(nullptr) : Json(change.why)},
                       {"runs_to_go", change.runs_to_go},
                       {"seconds_to_go", change.seconds_to_go}});
  Json uncompared = Json::array();
  for (const Uncompared& cell : comparison.uncompared)
    uncompared.push_back(
        {{"key", cell.key}, {"reason", cell.reason}, {"is_broken", cell.is_broken}});
  return {{"schema", "ipcbench-comparison/1"},
          {"base", base},
          {"new", fresh},
          {"margin", options.margin},
          {"confidence", options.confidence},
          {"in_pairs", options.in_pairs},
          {"counts",
           {{"regressed", comparison.count(Judgement::regressed)},
            {"improved", comparison.count(Judgement::improved)},
            {"same", comparison.count(Judgement::same)},
            {"inconclusive", comparison.count(Judgement::inconclusive)},
            {"broken", comparison.broken()}}},
          {"changes", std::move(changes)},
          {"uncompared", std::move(uncompared)},
          {"warnings", comparison.warnings}};
}

Json changes_json(const Comparison& comparison, const CompareOptions& options) {
  Json cells = Json::array();
  for (const Change* change : in_order(comparison)) {
    Json cell = parts_of(change->key);
    cell["measure"] = change->metric;
    cell["base"] = change->base.median;
    cell["new"] = change->fresh.median;
    for (const char* part : {"ratio", "low", "high"}) cell[part] = nullptr;
    if (change->ratio) {
      const Estimate& ratio = *change->ratio;
      const bool inverts = change->is_better_when_higher;
      cell["ratio"] = inverts ? 1 / ratio.median : ratio.median;
      cell["low"] = inverts ? 1 / ratio.high : ratio.low;
      cell["high"] = inverts ? 1 / ratio.low : ratio.high;
    }
    cell["verdict"] = text(change->verdict);
    cell["note"] = note_of(*change);
    cells.push_back(std::move(cell));
  }
  for (const Uncompared& uncompared : comparison.uncompared) {
    Json cell = parts_of(uncompared.key);
    cell["measure"] = "";
    for (const char* part : {"base", "new", "ratio", "low", "high"}) cell[part] = nullptr;
    cell["verdict"] = uncompared.is_broken ? "broken" : "not compared";
    cell["note"] = uncompared.reason;
    cells.push_back(std::move(cell));
  }
  const std::string test = options.in_pairs
                               ? "sign test over pairs of runs"
                               : "Mann and Whitney's test; the files were recorded apart";
  return {{"margin", options.margin},
          {"method", fmt::format("{}, corrected over all cells (Benjamini and Hochberg)", test)},
          {"cells", std::move(cells)}};
}

Json changes_json(const Json& base_document, const Json& new_document) {
  CompareOptions options;
  options.in_pairs = has_pairs(base_document) && has_pairs(new_document);
  return changes_json(compare(recording_of(base_document, "BASE", options),
                              recording_of(new_document, "NEW", options), options,
                              calibration_of(new_document.value("context", Json::object()))),
                      options);
}

void append_step_summary(const Comparison& comparison, const CompareOptions& options,
                         const std::string& base, const std::string& fresh) {
  const char* path = std::getenv("GITHUB_STEP_SUMMARY");
  if (path == nullptr || *path == '\0') return;
  std::ofstream file(path, std::ios::app);
  file << render(comparison, options, base, fresh, CompareFormat::markdown) << "\n";
  file.flush();
  if (!file)
    fmt::print(stderr,
               "ipcbench: GITHUB_STEP_SUMMARY {}: can't be written; the summary isn't there\n",
               printable(path));
}

int exit_status(const Comparison& comparison, bool strict) {
  if (comparison.count(Judgement::regressed) > 0) return exit_regressed;
  if (comparison.broken() > 0) return exit_failed;
  if (comparison.changes.empty()) return exit_nothing_ran;
  const bool lacks =
      std::any_of(comparison.uncompared.begin(), comparison.uncompared.end(),
                  [](const Uncompared& cell) { return cell.reason == "only in BASE"; });
  if (strict && (comparison.count(Judgement::inconclusive) > 0 || lacks)) return exit_inconclusive;
  return exit_ok;
}

}  // namespace ipcbench
