// plan.h: what will be run, in which order, and what won't, with the reason.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "harness/row.h"
#include "harness/run.h"
#include "harness/topology.h"

namespace ipcbench {

/// What the messages of paced must keep at the highest rate that is looked for (latency_target.h).
struct LatencyTarget {
  std::string percentile{};   ///< "p99"
  std::int64_t limit_ns = 0;  ///< 0: none is looked for
};

/// When more than the planned repeats are run (stopping.h).
struct Stopping {
  int retries_percent = 20;  ///< runs for suspect ones, of the planned ones at most
  double precision = 0;      ///< half width of the interval, as a fraction; 0: not asked for
  std::string metric{};      ///< of which; "": the scenario's main one
  LatencyTarget target{};
  std::int64_t budget_ns = 0;  ///< for all runs together: no further one is begun after it
};

/// What a person asks for: patterns and values whose product is the plan.
struct Selection {
  std::vector<std::string> transports{"*"};  ///< names or globs; a stem takes all its variants
  std::vector<std::string> scenarios{"*"};
  std::vector<std::uint64_t> sizes{64};   ///< bytes
  std::vector<SizeMix> mixes{SizeMix{}};  ///< with names, they stand for sizes
  std::vector<Place> places;
  std::vector<Waiting> waitings{Waiting::block};
  std::vector<Start> starts{Start::fork};
  std::vector<std::pair<int, int>> peers{{1, 1}};  ///< producers, consumers
  std::vector<Peer> other_ends{Peer::process};
  /// Values of the axes that only some scenarios have, by the axes' names; what is missing is as
  /// usual.
  std::map<std::string, std::vector<std::int64_t>, std::less<>> loads;
  int repeats = 1;
  std::uint64_t depth = 64;
  std::int64_t warmup_ns = 20'000'000;
  std::int64_t min_time_ns = 50'000'000;
  std::int64_t timeout_ns = 20'000'000'000;
  std::uint64_t count = 0;  ///< 0: calibrated
  std::uint64_t seed = 0;
  Stopping stopping;
  bool in_pairs = false;       ///< two runs of a cell at a time, for calibrate
  bool quiet_machine = false;  ///< quiet.h
  std::string filter;          ///< a regular expression over keys, or ""
};

/// One transport × scenario × parameters, of which every repeat is a run.
struct PlannedCell {
  std::string transport;
  std::string scenario;
  std::optional<std::uint64_t> size;  ///< bytes; nothing where the scenario has no size
  SizeMix mix;                        ///< whose largest size `size` is; or no name
  Place place;
  Manner manner;
  Load load;
  std::string skipped;  ///< why it isn't run, or ""

  /// "burst/pipe/size:64/place:cross-core/window:64", and the manner's words after it.
  std::string key() const;
};

/// Why a run is in the plan: from the beginning, in place of a suspect one, because its cell was
/// still open, or in search of a rate.
enum class Why { planned, suspect, precision, target };
std::string_view text(Why why);

struct PlannedRun {
  std::size_t cell = 0;  ///< index into Plan::cells
  int repeat = 0;        ///< from 1
  Why why = Why::planned;
};

struct Plan {
  std::vector<PlannedCell> cells;
  std::vector<PlannedRun> order;  ///< every repeat of every due cell, each round shuffled anew;
                                  ///< then what was added while it was executed
  int repeats = 1;
  std::uint64_t depth = 64;
  std::int64_t warmup_ns = 0;
  std::int64_t min_time_ns = 0;
  std::int64_t timeout_ns = 0;
  std::uint64_t count = 0;
  std::uint64_t seed = 0;
  Stopping stopping{};
  bool in_pairs = false;
  bool quiet_machine = false;

  Params params(const PlannedCell& cell, TickRate rate) const;
  /// How long it will take, without what is added; skipped cells cost nothing.
  double estimate_s() const;
  /// The same from the run with that index on.
  double estimate_s(std::size_t from) const;
};

/// Makes the plan. Throws UsageError for a pattern that matches nothing.
Plan make_plan(const Selection& selection);

/// Fisher and Yates by hand: std::shuffle and the standard distributions differ from library to
/// library, and a recorded seed must give the same order everywhere.
void shuffle(std::vector<std::size_t>& items, std::mt19937_64& random);

/// The rows that a name or glob takes; `shm_posix` takes all of shm_posix.*. Throws UsageError,
/// with a suggestion, where it takes none.
std::vector<const Row*> match_rows(const std::string& pattern);
/// The scenarios that a name or glob takes, as indices. Throws UsageError where it takes none.
std::vector<std::size_t> match_scenarios(const std::string& pattern);

const Row* find_row(std::string_view name);
std::optional<std::size_t> find_scenario(std::string_view name);

/// Why a row can't do a scenario with these parameters, or "". What its types rule out has the
/// scenario's `needs` as its reason.
std::string misfit(const Row& row, std::size_t scenario, const Shape& shape,
                   Start start = Start::fork);

/// The words of --wait, --start, --peer and --peers. Throw UsageError.
Waiting parse_waiting(const std::string& word);
Start parse_start(const std::string& word);
Peer parse_peer(const std::string& word);
std::pair<int, int> parse_peers(const std::string& word);

/// A cell's manner as it stands in results files, and back: what is missing is as usual.
void add_manner(nlohmann::ordered_json& json, const Manner& manner);
Manner manner_from_json(const nlohmann::ordered_json& json);

/// A plan as it stands in results files and journals, and back. plan_from_json throws
/// nlohmann::json::exception where the document has another form, UsageError where a number is out
/// of its bounds.
nlohmann::ordered_json to_json(const Plan& plan);
/// [3, 1] or [3, 7, "suspect"], as it stands in plan.order.
nlohmann::ordered_json to_json(const PlannedRun& run);
PlannedRun planned_run_from_json(const nlohmann::ordered_json& json, const Plan& plan);
Plan plan_from_json(const nlohmann::ordered_json& json);

}  // namespace ipcbench
