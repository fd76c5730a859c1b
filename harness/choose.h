// choose.h: which transports do what somebody needs, by their facts and by what was measured here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/summary.h"
#include "harness/table.h"
#include "harness/transport.h"

namespace ipcbench {

/// A word of --need: what must be true of a transport's facts.
struct Need {
  std::string_view name;
  std::string_view meaning;
  bool (*holds)(const Facts&);
  std::string_view otherwise;  ///< why a transport is ruled out
};
const std::vector<Need>& all_needs();
/// Throws UsageError, with a suggestion.
const Need& find_need(const std::string& name);

struct Wanted {
  std::uint64_t size = 64;  ///< bytes of a message
  double rate_per_s = 0;    ///< 0: any
  double p50_ns = 0;        ///< longest round trip; 0: any
  double p99_ns = 0;        ///< the same
  double cpu_ns = 0;        ///< most CPU time per message, of both ends; 0: any
  bool is_cpu_low = false;  ///< no end may spin while it waits
  std::vector<const Need*> needs{};
  std::vector<std::string> placements{};  ///< none: every one that was measured

  /// "4 KiB, 100 k/s, p99 50 µs, needs boundary": for a title.
  std::string text() const;
};

/// A transport in a manner ("pipe wait:poll") at a placement that does all of it.
struct Candidate {
  std::string label;
  std::string placement;
  std::uint64_t measured_size = 0;   ///< the asked one, or the next larger one that was measured
  std::optional<Estimate> p50_ns{};  ///< of the round trip
  std::optional<Estimate> p99_ns{};
  std::optional<Estimate> cpu_ns{};          ///< per message, of both ends
  std::optional<Estimate> messages_per_s{};  ///< as fast as it takes them
  bool is_on_front = false;  ///< no other one is as good in latency and CPU time, and better in one
  std::vector<const CellSummary*> cells{};  ///< that it was judged by
  std::vector<std::string> remarks{};
};

struct RuledOut {
  std::string label;
  std::string placement;  ///< "" where the reason holds at each of them
  std::string reason;
};

struct Choice {
  std::string by{};  ///< the measure of the order: "p99", or "p50" where some have no p99
  std::vector<Candidate> ranked{};  ///< by placement, the best first
  std::vector<RuledOut> ruled_out{};
};

/// Judges every transport of the table and of the cells. The cells must outlive the choice.
Choice choose(const std::vector<CellSummary>& cells, const Wanted& wanted);

/// Why a row is no candidate whatever was measured, or "".
std::string why_not_by_facts(const Row& row, const Wanted& wanted);

/// A table for each placement, and one of what was ruled out.
std::vector<Table> choice_tables(const Choice& choice, const Wanted& wanted);
/// {"schema": "ipcbench-choice/1", "asked": …, "ranked": […], "ruled_out": […]}
Json choice_json(const Choice& choice, const Wanted& wanted);

}  // namespace ipcbench
