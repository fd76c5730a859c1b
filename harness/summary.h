// summary.h: what the repeats of each cell say together.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/results.h"
#include "harness/stats.h"

namespace ipcbench {

/// All repeats of one transport × scenario × parameters. Estimates are medians over the repeats
/// with their intervals; failed runs are counted and left out, suspect ones are counted and kept.
struct CellSummary {
  std::string transport;
  std::string carrier;  ///< the transport whose mechanism carries its messages, or ""
  std::string scenario;
  std::optional<std::uint64_t> size;
  std::string placement;
  Manner manner;
  std::vector<std::string> words;  ///< what is unusual in manner and load: "wait:poll"
  int ok = 0;
  int suspect = 0;
  int failed = 0;
  int skipped = 0;
  std::string reason;  ///< of the first run that isn't ok
  bool timed_by_batches = false;
  bool is_emulated = false;  ///< in software: its times are those of no machine
  bool is_counted = false;   ///< in instructions, each of which took the same time

  /// What the scenario times, in ns (round trips, one way, hand-overs), from the merged histograms;
  /// the interval is over the repeats.
  std::optional<Estimate> p50_ns;
  std::optional<double> p90_ns;
  std::optional<Estimate> p99_ns;
  std::optional<double> p999_ns;
  std::uint64_t round_trips = 0;
  std::uint64_t p99_missing = 0;     ///< so many more would give p99
  std::optional<Clusters> clusters;  ///< of the repeats' own values of the main measure
  std::optional<Estimate> messages_per_s;
  std::optional<Estimate> bytes_per_s;
  std::optional<Estimate> acquisitions_per_s;
  std::optional<Estimate> fairness;
  std::optional<Estimate> cpu_ns_per_message;
  /// Messages that a lossy channel lost, reordered or duplicated, in all repeats together.
  double mishaps = 0;
  /// Every measure of the runs by its name, those above among them.
  std::map<std::string, Estimate, std::less<>> estimates;
  std::map<std::string, std::string> missing;  ///< why a measure can't be had here

  std::vector<std::size_t> runs;  ///< its repeats, as indices into the runs

  /// The transport, and the words: "pipe wait:poll".
  std::string label() const;
  /// The row that its cost is told above, or "".
  std::string carrier_label() const;
  int measured() const { return ok + suspect; }
};

/// The cells in the order of their first appearance.
std::vector<CellSummary> summarise(const std::vector<RunRecord>& runs);
/// The same of a file, whose context says how its machine was emulated.
std::vector<CellSummary> summarise(const ResultsFile& file);

/// How long an instruction took, in ns, where instructions were counted in place of time; or 0.
double instruction_ns(const Json& context);

}  // namespace ipcbench
