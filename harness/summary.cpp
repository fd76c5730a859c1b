#include "harness/summary.h"

#include <tuple>

#include <fmt/format.h>

#include "harness/plan.h"
#include "harness/stopping.h"

namespace ipcbench {
namespace {

using Key = std::tuple<std::string, std::string, std::optional<std::uint64_t>, std::string,
                       std::vector<std::string>>;

std::vector<std::string> words_of(const RunRecord& run) {
  std::vector<std::string> words = run.manner.words();
  if (!run.size_dist.empty()) words.push_back(fmt::format("sizes:{}", run.size_dist));
  if (const auto scenario = find_scenario(run.scenario))
    for (std::string& word : load_words(run.load, all_scenarios()[*scenario]))
      words.push_back(std::move(word));
  return words;
}

/// "round_trip" where a file names a scenario of another ipcbench.
std::string latency_of(const std::string& scenario) {
  const auto index = find_scenario(scenario);
  return index ? std::string(all_scenarios()[*index].latency) : "round_trip";
}

std::vector<double> values_of(const std::vector<const RunRecord*>& runs, const std::string& name) {
  std::vector<double> values;
  for (const RunRecord* run : runs) {
    const auto measure = run->measures.find(name);
    if (measure != run->measures.end()) values.push_back(measure->second);
  }
  return values;
}

void count(CellSummary& cell, const RunRecord& run) {
  switch (run.status) {
    case Status::ok:
      ++cell.ok;
      break;
    case Status::suspect:
      ++cell.suspect;
      break;
    case Status::failed:
      ++cell.failed;
      break;
    case Status::skipped:
      ++cell.skipped;
      break;
  }
  if (cell.reason.empty()) cell.reason = run.reason;
  cell.timed_by_batches |= run.timed_by_batches;
}

CellSummary summarise_cell(const std::vector<const RunRecord*>& all) {
  const RunRecord& first = *all.front();
  CellSummary cell;
  cell.transport = first.transport;
  cell.scenario = first.scenario;
  cell.size = first.size;
  cell.placement = first.placement;
  cell.manner = first.manner;
  cell.words = words_of(first);
  std::vector<const RunRecord*> measured;
  Histogram merged;
  std::vector<const Histogram*> histograms;
  for (const RunRecord* run : all) {
    count(cell, *run);
    if (run->status != Status::ok && run->status != Status::suspect) continue;
    measured.push_back(run);
    if (!run->histogram) continue;
    merged.merge(*run->histogram);
    histograms.push_back(&*run->histogram);
  }
  const auto estimate = [&](const char* name) {
    return estimate_median(values_of(measured, name));
  };
  for (const RunRecord* run : measured) {
    for (const auto& [name, value] : run->measures)
      if (!cell.estimates.contains(name)) cell.estimates[name] = estimate(name.c_str()).value();
    cell.missing.insert(run->missing.begin(), run->missing.end());
  }
  const std::string latency = latency_of(cell.scenario);
  cell.round_trips = merged.count();
  if (cell.round_trips == 0) {
    cell.p50_ns = estimate((latency + "_p50_ns").c_str());
  } else {
    cell.p50_ns = estimate_percentile(histograms, 0.5);
    cell.p90_ns = merged.supported_quantile(0.9);
    cell.p99_ns = estimate_percentile(histograms, 0.99);
    cell.p99_missing = merged.missing(0.99);
    cell.p999_ns = merged.supported_quantile(0.999);
  }
  cell.messages_per_s = estimate("messages_per_s");
  cell.bytes_per_s = estimate("bytes_per_s");
  cell.acquisitions_per_s = estimate("acquisitions_per_s");
  cell.fairness = estimate("fairness");
  cell.cpu_ns_per_message = estimate("cpu_ns_per_message");
  cell.clusters = two_clusters(values_of(measured, metric_name("", cell.scenario)));
  for (const char* name : {"lost", "reordered", "duplicates"})
    for (const double messages : values_of(measured, name)) cell.mishaps += messages;
  return cell;
}

/// As the file says of a module, which may not be here; of others as this program knows.
std::string carrier_of(const std::string& transport, const Json& context) {
  const Json::json_pointer modules("/modules");
  const Json::json_pointer carrier = modules / transport / "carrier";
  if (context.contains(carrier) && context.at(carrier).is_string()) return context.at(carrier);
  const Row* const row = find_row(transport);
  return row == nullptr ? "" : std::string(row->facts.carrier);
}

}  // namespace

std::string CellSummary::label() const {
  std::string label = transport;
  for (const std::string& word : words) label += fmt::format(" {}", word);
  return label;
}

std::string CellSummary::carrier_label() const {
  return carrier.empty() ? "" : carrier + label().substr(transport.size());
}

std::vector<CellSummary> summarise(const std::vector<RunRecord>& runs) {
  std::map<Key, std::size_t> indices;
  std::vector<std::vector<const RunRecord*>> groups;
  for (const RunRecord& run : runs) {
    const Key key{run.transport, run.scenario, run.size, run.placement, words_of(run)};
    const auto [entry, is_new] = indices.try_emplace(key, groups.size());
    if (is_new) groups.emplace_back();
    groups[entry->second].push_back(&run);
  }
  std::vector<CellSummary> cells;
  for (const auto& group : groups) {
    cells.push_back(summarise_cell(group));
    for (const RunRecord* run : group)
      cells.back().runs.push_back(static_cast<std::size_t>(run - runs.data()));
  }
  return cells;
}

std::vector<CellSummary> summarise(const ResultsFile& file) {
  const Json::json_pointer at("/machine/identity/virtualised");
  const std::string virtualised = file.context.contains(at) && file.context.at(at).is_string()
                                      ? file.context.at(at).get<std::string>()
                                      : "";
  std::vector<CellSummary> cells = summarise(file.runs);
  for (CellSummary& cell : cells) {
    cell.carrier = carrier_of(cell.transport, file.context);
    cell.is_emulated = virtualised == "tcg";
    cell.is_counted = virtualised == "icount";
  }
  return cells;
}

double instruction_ns(const Json& context) {
  const auto text_at = [&](const char* pointer) {
    const Json::json_pointer at(pointer);
    return context.contains(at) && context.at(at).is_string() ? context.at(at).get<std::string>()
                                                              : "";
  };
  if (text_at("/machine/identity/virtualised") != "icount") return 0;
  const std::string words = text_at("/machine/identity/kernel_command_line");
  constexpr std::string_view name = "ipcbench.icount_shift=";
  const std::size_t found = words.find(name);
  const char shift = found == std::string::npos ? '1' : words[found + name.size()];
  return shift >= '0' && shift <= '9' ? std::exp2(shift - '0') : 0;
}

}  // namespace ipcbench
