// shm_hugetlb: anonymous shared memory in huge pages (MAP_HUGETLB of mmap(2)), with a ring in it.
#include <sys/mman.h>

#include <algorithm>

#include <fmt/format.h>

#include "transports/shm.h"

namespace ipcbench {
namespace {

constexpr std::size_t page_size = std::size_t{2} << 20;
constexpr int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | 21 << MAP_HUGE_SHIFT;

/// Mapped and unmapped in whole pages.
SharedMemory map_huge(const Name*, std::size_t size) {
  size = (size + page_size - 1) / page_size * page_size;
  void* const address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags | MAP_POPULATE, -1, 0);
  return {Mapping::adopt(check(address, "mmap", "MAP_HUGETLB"), size)};
}

/// Two rings, one each way, take two pages each: slots of 2 MiB, and what stands before them.
constexpr std::size_t pages_min = 4;

/// A mapping sets its pages aside, without touching them.
bool can_have(std::size_t pages) {
  const std::size_t size = pages * page_size;
  void* const address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (address == MAP_FAILED) return false;
  ::munmap(address, size);
  return true;
}

std::string unavailable() {
  return can_have(pages_min)
             ? ""
             : fmt::format("fewer than {} free huge pages; sysctl vm.nr_hugepages", pages_min);
}

/// Of the largest messages a ring holds two, and a run has two rings.
std::size_t message_max() {
  std::size_t pages = pages_min;
  while (pages < 64 && can_have(2 * pages)) pages *= 2;
  return pages * page_size / 4 - 4096;
}

}  // namespace

std::vector<Row> shm_hugetlb_rows() {
  static constexpr Memory memory{.name = "shm_hugetlb",
                                 .summary = "huge pages of shared memory",
                                 .naming = Naming::inherited,
                                 .persistence = Persistence::process,
                                 .standard = "Linux",
                                 .kind = std::nullopt,
                                 .map = map_huge,
                                 .unavailable = unavailable,
                                 .message_max = message_max};
  return ring_rows(memory);
}

}  // namespace ipcbench
