// explain.h: what else moved in a cell that has become slower: processor time, switches, faults,
// system calls, instructions, from runs with counters.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/results.h"

namespace ipcbench {

/// One measure of a cell's runs on both sides, for one message.
struct Movement {
  std::string name;
  std::optional<double> base;  ///< medians over the runs; nothing where it can't be had
  std::optional<double> fresh;
  std::string missing;  ///< why one of them is
};

struct Explanation {
  std::string key;
  int base_runs = 0;
  int new_runs = 0;
  std::vector<Movement> movements;  ///< the largest first, what is missing last
};

/// From runs of this cell, as they stand in results files.
Explanation explain(const std::string& key, const std::vector<Json>& base,
                    const std::vector<Json>& fresh);

/// Lines for people: what moved by more than the margin, what didn't, what can't be told.
std::string render(const Explanation& explanation, double margin);
Json to_json(const Explanation& explanation);

}  // namespace ipcbench
