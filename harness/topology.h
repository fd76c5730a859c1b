// topology.h: where the two ends of a run can be pinned, from the machine's real topology.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace ipcbench {

/// Where the two ends of a run go, and what that is called in keys.
struct Place {
  std::string name;                 ///< "same-core", "cross-core", "none" or "pin:0,1"
  std::array<int, 2> cpus{-1, -1};  ///< of the producer and the consumer; -1: not pinned
  std::string impossible;           ///< why this machine has no such place, or ""
};

/// The processors that this process may use, by hwloc. Made once, in the driver.
class Topology {
 public:
  Topology();

  /// "same-core": both ends on one processor, so that they take turns. "cross-core": on two cores
  /// that share as near a cache as there is, and are no siblings of one core. "none": unpinned.
  /// CPU 0, which serves most interrupts, is left out where there is a choice. Throws
  /// std::invalid_argument for any other word.
  Place place(std::string_view placement) const;
  /// Throws std::invalid_argument unless this process may use both processors.
  Place pin(int producer_cpu, int consumer_cpu) const;

  const std::vector<int>& allowed() const { return allowed_; }
  /// Packages, cores, processors, NUMA nodes and caches, for the machine record.
  const nlohmann::json& record() const { return record_; }

 private:
  /// One processor (a hardware thread) that may be used.
  struct Processor {
    int cpu;
    int core;   ///< siblings have the same one
    int cache;  ///< those that share the last-level cache have the same one
  };

  std::vector<Processor> processors_;
  std::vector<int> allowed_;
  nlohmann::json record_;
};

/// The words that --placement takes.
std::span<const std::string_view> placement_names();

/// "0-3,8".
std::string cpu_list_text(const std::vector<int>& cpus);

}  // namespace ipcbench
