// load.h: what a scenario sends, when, and with how many processes: the axes that only some
// scenarios have, beside the size, the placement and the manner that all of them share.
//
// An axis is one line of the table in load.cpp: its flag, its place in keys and results files, and
// its bounds come from there.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ipcbench {

struct ScenarioFacts;

/// Which side handles every byte of a message. A side that doesn't writes or reads its first word
/// alone, which tells one message from the others.
enum class Touch : std::int64_t { none, write, read, both };
/// When the messages of an open loop are due: one every period, or as a Poisson process has them.
enum class ArrivalLaw : std::int64_t { fixed, poisson };

/// The values that a run has; those of axes that its scenario doesn't have mean nothing.
struct Load {
  std::int64_t touch = static_cast<std::int64_t>(Touch::both);
  std::int64_t window = 64;          ///< messages before an acknowledgement
  std::int64_t gap_ns = 10'000'000;  ///< idle time before a message
  std::int64_t rate_per_s = 10'000;  ///< messages that are due in a second
  std::int64_t arrivals = 1;         ///< ArrivalLaw
  std::int64_t hold_ns = 0;          ///< length of a critical section
  std::int64_t crowd = 2;            ///< processes on the side that has many
  bool operator==(const Load&) const = default;

  bool is_written() const { return (touch & static_cast<std::int64_t>(Touch::write)) != 0; }
  bool is_read() const { return (touch & static_cast<std::int64_t>(Touch::read)) != 0; }
};

struct Axis {
  std::string_view name;  ///< "window": --window, and "/window:64" in keys
  std::string_view key;   ///< in results files, with its unit: "gap_ns"
  std::int64_t Load::*value;
  std::int64_t low;
  std::int64_t high;
  bool is_shown;                        ///< in keys even where it has its usual value
  std::vector<std::string_view> words;  ///< of the values 0, 1, …; none where it is a number
  std::int64_t (*parse)(const std::string& word, const Axis& axis);  ///< throws UsageError
  std::string (*text)(std::int64_t value, const Axis& axis);
};
const std::vector<Axis>& all_axes();

/// Whether runs of the scenario differ by this axis.
bool has_axis(const ScenarioFacts& scenario, const Axis& axis);

/// The parts of a key: "window:64", "gap:10ms".
std::vector<std::string> load_words(const Load& load, const ScenarioFacts& scenario);

/// The scenario's axes as they stand in results files, and back: what is missing is as usual.
/// load_from_json throws UsageError for a value out of its bounds.
void add_load(nlohmann::ordered_json& json, const Load& load, const ScenarioFacts& scenario);
Load load_from_json(const nlohmann::ordered_json& json);

}  // namespace ipcbench
