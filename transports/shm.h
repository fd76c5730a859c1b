// shm.h: memory that two processes share, as data: how each kind of it is made, found and passed.
// The ring of ring.h runs over all of them, so that it is compiled once for each way to wait.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/name.h"
#include "harness/row.h"
#include "harness/run.h"

namespace ipcbench {

/// Memory that is mapped, and the descriptors by which it has yet to reach the other process.
struct SharedMemory {
  Mapping mapping;
  std::vector<Fd> fds = {};
};

struct Memory {
  std::string_view name;     ///< of the rows, before the dot
  std::string_view summary;  ///< what it is: "POSIX shared memory"
  Naming naming;
  Persistence persistence;
  std::string_view standard;
  std::optional<NameKind> kind;  ///< of its name, if it has one
  /// In the transport's constructor: makes `size` zeroed bytes; or finds them, where the name isn't
  /// ours. The name is null where there is no kind.
  SharedMemory (*map)(const Name* name, std::size_t size);
  /// In the process of an end: what is left to do there. It may map the memory anew.
  void (*open)(SharedMemory& memory, Side side) = nullptr;
  std::string (*unavailable)() = nullptr;
  std::size_t (*message_max)() = nullptr;
};

/// A row for each way that a side of the ring can wait. `memory` lives for ever.
std::vector<Row> ring_rows(const Memory& memory);

}  // namespace ipcbench
