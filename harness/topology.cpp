#include "harness/topology.h"

#include <hwloc.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/text.h"

namespace ipcbench {
namespace {

constexpr std::array<std::string_view, 3> names{"same-core", "cross-core", "none"};

using TopologyHandle = std::unique_ptr<hwloc_topology, decltype(&hwloc_topology_destroy)>;

TopologyHandle load() {
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) throw std::runtime_error("hwloc_topology_init failed");
  TopologyHandle handle(topology, &hwloc_topology_destroy);
  if (hwloc_topology_load(topology) != 0) throw std::runtime_error("hwloc_topology_load failed");
  return handle;
}

using CpuSet = std::unique_ptr<hwloc_bitmap_s, decltype(&hwloc_bitmap_free)>;

/// The processors that this process is bound to. A made-up topology (HWLOC_SYNTHETIC, as in tests)
/// has nothing to do with them: there all may be used.
CpuSet binding(hwloc_topology_t topology) {
  CpuSet set(hwloc_bitmap_alloc_full(), &hwloc_bitmap_free);
  if (hwloc_topology_is_thissystem(topology) != 0)
    hwloc_get_cpubind(topology, set.get(), HWLOC_CPUBIND_PROCESS);
  return set;
}

/// A processor's core; where the machine doesn't tell cores, each processor is its own.
int core_of(hwloc_topology_t topology, hwloc_obj_t processor) {
  hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, processor);
  return static_cast<int>((core == nullptr ? processor : core)->logical_index);
}

/// The last-level cache above a processor: the outermost cache object there is.
int last_level_cache(hwloc_obj_t processor) {
  int index = -1;
  for (hwloc_obj_t object = processor->parent; object != nullptr; object = object->parent)
    if (hwloc_obj_type_is_dcache(object->type) != 0) index = static_cast<int>(object->gp_index);
  return index;
}

int count(hwloc_topology_t topology, hwloc_obj_type_t type) {
  return hwloc_get_nbobjs_by_type(topology, type);
}

nlohmann::json cache_record(hwloc_topology_t topology) {
  nlohmann::json caches = nlohmann::json::array();
  for (const hwloc_obj_type_t type :
       {HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE, HWLOC_OBJ_L4CACHE}) {
    hwloc_obj_t first = hwloc_get_obj_by_type(topology, type, 0);
    if (first == nullptr) continue;
    caches.push_back({{"level", first->attr->cache.depth},
                      {"bytes", first->attr->cache.size},
                      {"count", count(topology, type)},
                      {"shared_by", hwloc_bitmap_weight(first->cpuset)}});
  }
  return caches;
}

}  // namespace

Topology::Topology() {
  const TopologyHandle handle = load();
  hwloc_topology_t topology = handle.get();
  const CpuSet bound = binding(topology);
  hwloc_obj_t processor = nullptr;
  while ((processor = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, processor)) != nullptr) {
    const int cpu = static_cast<int>(processor->os_index);
    if (hwloc_bitmap_isset(bound.get(), processor->os_index) == 0) continue;
    processors_.push_back({cpu, core_of(topology, processor), last_level_cache(processor)});
  }
  std::sort(processors_.begin(), processors_.end(),
            [](const Processor& a, const Processor& b) { return a.cpu < b.cpu; });
  for (const Processor& one : processors_) allowed_.push_back(one.cpu);
  record_ = {{"packages", count(topology, HWLOC_OBJ_PACKAGE)},
             {"cores", count(topology, HWLOC_OBJ_CORE)},
             {"processors", count(topology, HWLOC_OBJ_PU)},
             {"numa_nodes", count(topology, HWLOC_OBJ_NUMANODE)},
             {"caches", cache_record(topology)}};
}

Place Topology::place(std::string_view placement) const {
  Place place{.name = std::string(placement), .cpus = {-1, -1}, .impossible = ""};
  if (placement == "none") return place;
  const auto zero = std::find_if(processors_.begin(), processors_.end(),
                                 [](const Processor& one) { return one.cpu == 0; });
  const int busy_core = zero == processors_.end() ? -1 : zero->core;
  if (placement == "same-core") {
    const auto quiet = std::find_if(processors_.begin(), processors_.end(),
                                    [&](const Processor& one) { return one.core != busy_core; });
    const int cpu = (quiet == processors_.end() ? processors_.begin() : quiet)->cpu;
    place.cpus = {cpu, cpu};
    return place;
  }
  if (placement != "cross-core")
    throw std::invalid_argument(
        fmt::format("--placement '{}': expected {}", printable(placement), fmt::join(names, ", ")));
  // A near cache counts more than staying away from CPU 0; of equals the first pair is taken.
  int best = -1;
  for (const Processor& first : processors_)
    for (const Processor& second : processors_) {
      if (first.cpu >= second.cpu || first.core == second.core) continue;
      const int score = (first.cache == second.cache ? 2 : 0) +
                        (first.core != busy_core && second.core != busy_core ? 1 : 0);
      if (score <= best) continue;
      best = score;
      place.cpus = {first.cpu, second.cpu};
    }
  if (best < 0)
    place.impossible =
        fmt::format("needs two cores; this process may use CPU {} alone", cpu_list_text(allowed_));
  return place;
}

Place Topology::pin(int producer_cpu, int consumer_cpu) const {
  for (const int cpu : {producer_cpu, consumer_cpu})
    if (std::find(allowed_.begin(), allowed_.end(), cpu) == allowed_.end())
      throw std::invalid_argument(
          fmt::format("--pin: there is no CPU {} that this process may use; expected two of {}",
                      cpu, cpu_list_text(allowed_)));
  return {.name = fmt::format("pin:{},{}", producer_cpu, consumer_cpu),
          .cpus = {producer_cpu, consumer_cpu},
          .impossible = ""};
}

std::span<const std::string_view> placement_names() {
  return names;
}

std::string cpu_list_text(const std::vector<int>& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (!text.empty()) text += ",";
    text += last == i ? fmt::format("{}", cpus[i]) : fmt::format("{}-{}", cpus[i], cpus[last]);
    i = last + 1;
  }
  return text;
}

}  // namespace ipcbench
