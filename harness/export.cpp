#include "harness/export.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/measure.h"
#include "harness/stopping.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

std::string text_at(const Json& context, const char* pointer, std::string otherwise) {
  const Json::json_pointer at(pointer);
  return context.contains(at) && context.at(at).is_string() ? context.at(at).get<std::string>()
                                                            : std::move(otherwise);
}

std::string key_of(const CellSummary& cell, const ResultsFile& file) {
  return printable(key_of(file.runs[cell.runs.front()]), 600);
}

/// A round trip is two messages, and CPU time is counted by the message.
double messages_of_operation(const std::string& scenario) {
  const auto index = find_scenario(scenario);
  return index ? all_scenarios()[*index].messages_per_count : 1;
}

/// The time of an operation of the run in ns: its scenario's main measure, or a rate's inverse.
std::optional<double> operation_ns(const RunRecord& run) {
  const std::string name = metric_name("", run.scenario);
  const auto found = run.measures.find(name);
  if (name.empty() || found == run.measures.end() || found->second <= 0) return std::nullopt;
  if (unit_of(name) == "ns") return found->second;
  if (unit_of(name) == "/s") return 1e9 / found->second;
  return std::nullopt;
}

double cpu_ns(const RunRecord& run) {
  const auto found = run.measures.find("cpu_ns_per_message");
  if (found == run.measures.end()) return 0;
  return found->second * messages_of_operation(run.scenario);
}

Json gbench_context(const Json& context) {
  const Json::json_pointer processors("/machine/identity/topology/processors");
  return {{"date", text_at(context, "/started", "")},
          {"host_name", text_at(context, "/machine/identity_digest", "unknown")},
          {"executable", "ipcbench"},
          {"num_cpus", context.contains(processors) ? context.at(processors) : Json(0)},
          {"mhz_per_cpu", 0},
          {"cpu_scaling_enabled", false},
          {"caches", Json::array()},
          {"load_avg", Json::array()},
          {"library_build_type",
           text_at(context, "/machine/identity/build_type", "Release") == "Debug" ? "debug"
                                                                                  : "release"}};
}

/// The repeats of a cell that have a time.
struct Timed {
  std::vector<const RunRecord*> runs;
  std::vector<double> real_ns;
  std::vector<double> cpu_ns;
};

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}
double deviation(const std::vector<double>& values) {
  double squares = 0;
  for (const double value : values) squares += (value - mean(values)) * (value - mean(values));
  return values.size() < 2 ? 0 : std::sqrt(squares / static_cast<double>(values.size() - 1));
}
double median(const std::vector<double>& values) {
  return quantile(values, 0.5).value_or(0);
}

/// "mean", "median", "stddev" and "cv", as its own reporter writes them after the repetitions.
void add_aggregates(Json& benchmarks, const Json& head, const Timed& timed) {
  struct Aggregate {
    const char* name;
    const char* unit;
    double (*of)(const std::vector<double>&);
  };
  static constexpr Aggregate aggregates[] = {
      {"mean", "time", mean},
      {"median", "time", median},
      {"stddev", "time", deviation},
      {"cv", "percentage",
       [](const std::vector<double>& values) {
         return mean(values) == 0 ? 0 : deviation(values) / mean(values);
       }},
  };
  if (timed.runs.size() < 2) return;
  for (const Aggregate& aggregate : aggregates) {
    Json entry = head;
    entry["name"] = fmt::format("{}_{}", head.at("run_name").get<std::string>(), aggregate.name);
    entry["run_type"] = "aggregate";
    entry["aggregate_name"] = aggregate.name;
    entry["aggregate_unit"] = aggregate.unit;
    entry["iterations"] = timed.runs.size();
    entry["real_time"] = aggregate.of(timed.real_ns);
    entry["cpu_time"] = aggregate.of(timed.cpu_ns);
    entry["time_unit"] = "ns";
    benchmarks.push_back(std::move(entry));
  }
}

Json metric_json(const Estimate& estimate, double factor = 1) {
  Json json{{"value", estimate.median * factor}};
  if (estimate.count > 1) {
    json["lower_value"] = estimate.low * factor;
    json["upper_value"] = estimate.high * factor;
  }
  return json;
}

/// A rate as the time of one, whose interval turns round.
Estimate inverted(const Estimate& rate) {
  return {.median = 1e9 / rate.median,
          .low = rate.high > 0 ? 1e9 / rate.high : 0,
          .high = rate.low > 0 ? 1e9 / rate.low : 1e9 / rate.median,
          .confidence = rate.confidence,
          .count = rate.count};
}

}  // namespace

ResultsFile only_measured(const ResultsFile& file) {
  ResultsFile measured = file;
  std::erase_if(measured.runs, [](const RunRecord& run) {
    return run.status != Status::ok && run.status != Status::suspect;
  });
  return measured;
}

Json to_gbench(const ResultsFile& file) {
  std::vector<std::string> order;
  std::map<std::string, Timed> cells;
  for (const RunRecord& run : file.runs) {
    if (run.status != Status::ok && run.status != Status::suspect) continue;
    const auto real_ns = operation_ns(run);
    if (!real_ns) continue;
    const std::string key = printable(key_of(run), 600);
    if (!cells.contains(key)) order.push_back(key);
    Timed& timed = cells[key];
    timed.runs.push_back(&run);
    timed.real_ns.push_back(*real_ns);
    timed.cpu_ns.push_back(cpu_ns(run));
  }
  Json benchmarks = Json::array();
  for (std::size_t family = 0; family < order.size(); ++family) {
    const Timed& timed = cells[order[family]];
    const Json head{{"name", order[family]},
                    {"family_index", family},
                    {"per_family_instance_index", 0},
                    {"run_name", order[family]},
                    {"run_type", "iteration"},
                    {"repetitions", timed.runs.size()},
                    {"threads", 1}};
    for (std::size_t i = 0; i < timed.runs.size(); ++i) {
      const auto& measures = timed.runs[i]->measures;
      Json entry = head;
      entry["repetition_index"] = i;
      const auto count = measures.find("count");
      entry["iterations"] =
          count == measures.end() ? 1 : static_cast<std::uint64_t>(std::max(1.0, count->second));
      entry["real_time"] = timed.real_ns[i];
      entry["cpu_time"] = timed.cpu_ns[i];
      entry["time_unit"] = "ns";
      if (const auto rate = measures.find("messages_per_s"); rate != measures.end())
        entry["items_per_second"] = rate->second;
      if (const auto rate = measures.find("bytes_per_s"); rate != measures.end())
        entry["bytes_per_second"] = rate->second;
      benchmarks.push_back(std::move(entry));
    }
    add_aggregates(benchmarks, head, timed);
  }
  return {{"context", gbench_context(file.context)}, {"benchmarks", std::move(benchmarks)}};
}

Json to_bmf(const std::vector<CellSummary>& cells, const ResultsFile& file) {
  Json json = Json::object();
  for (const CellSummary& cell : cells) {
    if (cell.measured() == 0) continue;
    Json metrics = Json::object();
    const std::string main = metric_name("", cell.scenario);
    const auto add = [&](const char* name, const std::optional<Estimate>& estimate) {
      if (estimate) metrics[name] = metric_json(*estimate);
    };
    if (unit_of(main) == "ns") add("latency", estimate_of(cell, ""));
    if (unit_of(main) == "/s") add("throughput", estimate_of(cell, ""));
    if (cell.p50_ns && unit_of(main) != "ns") add("latency", cell.p50_ns);
    add("latency-p99", cell.p99_ns);
    add("bandwidth", cell.bytes_per_s);
    add("cpu-time", cell.cpu_ns_per_message);
    if (unit_of(main) == "B") add("memory", estimate_of(cell, ""));
    if (!metrics.empty()) json[key_of(cell, file)] = std::move(metrics);
  }
  return json;
}

Json to_gha(const std::vector<CellSummary>& cells, const ResultsFile& file) {
  Json json = Json::array();
  for (const CellSummary& cell : cells) {
    if (cell.measured() == 0) continue;
    const std::string key = key_of(cell, file);
    const auto add = [&](const std::string& what, const std::optional<Estimate>& estimate,
                         std::string_view unit) {
      if (!estimate || !std::isfinite(estimate->median)) return;
      Json entry{
          {"name", fmt::format("{}: {}", key, what)}, {"unit", unit}, {"value", estimate->median}};
      if (estimate->count > 1)
        entry["range"] = fmt::format("± {:.3g}", (estimate->high - estimate->low) / 2);
      const std::string marks = marks_of(cell);
      entry["extra"] = fmt::format("{} repeats{}", cell.measured(),
                                   marks.empty() ? "" : fmt::format(", marks {}", marks));
      json.push_back(std::move(entry));
    };
    const std::string main = metric_name("", cell.scenario);
    const auto value = estimate_of(cell, "");
    if (unit_of(main) == "/s" && value && value->median > 0)
      add("time of one", inverted(*value), "ns");
    else if (!unit_of(main).empty())
      add(measure_label(main), value, unit_of(main) == "B" ? "B" : "ns");
    if (main != metric_name("p99", cell.scenario)) add("p99", cell.p99_ns, "ns");
    add("CPU per message", cell.cpu_ns_per_message, "ns");
  }
  return json;
}

std::string to_hgrm(const Histogram& histogram) {
  constexpr int ticks_per_half = 5;
  const auto bins = histogram.sparse();
  double total = 0;
  double sum = 0;
  for (const auto& [bin, count] : bins) {
    total += static_cast<double>(count);
    sum += Histogram::bin_middle(bin) * static_cast<double>(count);
  }
  std::string text = fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile",
                                 "TotalCount", "1/(1-Percentile)");
  // The steps of HdrHistogram's PercentileIterator: each of them is half as wide after every
  // halving of the distance to 100 %.
  double level = 0;
  std::uint64_t seen = 0;
  double squares = 0;
  double highest = 0;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const auto& [bin, count] = bins[i];
    seen += count;
    highest = static_cast<double>(Histogram::bin_lowest(bin) + Histogram::bin_width(bin) - 1);
    const double distance = Histogram::bin_middle(bin) - sum / total;
    squares += distance * distance * static_cast<double>(count);
    while (level < 100 && 100 * static_cast<double>(seen) / total >= level) {
      text += fmt::format("{:12.3f} {:2.12f} {:10d} {:14.2f}\n", highest, level / 100, seen,
                          1 / (1 - level / 100));
      const double halvings = std::floor(std::log2(100 / (100 - level))) + 1;
      level += 100 / (ticks_per_half * std::exp2(halvings));
      if (i + 1 == bins.size()) break;  // what follows is 100 %
    }
  }
  if (!bins.empty()) text += fmt::format("{:12.3f} {:2.12f} {:10d}\n", highest, 1.0, seen);
  text += fmt::format("#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n",
                      total > 0 ? sum / total : 0, total > 0 ? std::sqrt(squares / total) : 0);
  text += fmt::format("#[Max     = {:12.3f}, Total count    = {:12d}]\n", highest, seen);
  text += fmt::format("#[Buckets = {:12d}, SubBuckets     = {:12d}]\n",
                      Histogram::value_bits - Histogram::sub_bucket_bits,
                      2 << Histogram::sub_bucket_bits);
  return text;
}

std::map<std::string, std::string> to_hgrm(const ResultsFile& file) {
  std::map<std::string, Histogram> merged;
  for (const RunRecord& run : file.runs)
    if ((run.status == Status::ok || run.status == Status::suspect) && run.histogram)
      merged[key_of(run)].merge(*run.histogram);
  std::map<std::string, std::string> texts;
  for (const auto& [key, histogram] : merged)
    if (histogram.count() > 0) texts[key] = to_hgrm(histogram);
  return texts;
}

std::string to_run_csv(const std::vector<ResultsFile>& files) {
  std::set<std::string> measures;
  for (const ResultsFile& file : files)
    for (const RunRecord& run : only_measured(file).runs)
      for (const auto& [name, value] : run.measures)
        if (is_measure(name)) measures.insert(name);
  std::string csv =
      fmt::format("file,key,transport,scenario,size_bytes,placement,repeat,status,reason{}{}\n",
                  measures.empty() ? "" : ",", fmt::join(measures, ","));
  for (const ResultsFile& file : files)
    for (const RunRecord& run : only_measured(file).runs) {
      std::vector<std::string> fields{escape_csv(file.path),
                                      escape_csv(key_of(run)),
                                      escape_csv(run.transport),
                                      escape_csv(run.scenario),
                                      run.size ? std::to_string(*run.size) : "",
                                      escape_csv(run.placement),
                                      std::to_string(run.repeat),
                                      std::string(text(run.status)),
                                      escape_csv(run.reason)};
      for (const std::string& name : measures) {
        const auto found = run.measures.find(name);
        fields.push_back(found == run.measures.end() ? "" : fmt::format("{:.9g}", found->second));
      }
      csv += fmt::format("{}\n", fmt::join(fields, ","));
    }
  return csv;
}

}  // namespace ipcbench
