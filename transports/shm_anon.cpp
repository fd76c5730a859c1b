// shm_anon: anonymous shared memory of mmap(2), which a child inherits, with a ring in it.
#include "transports/shm.h"

namespace ipcbench {

std::vector<Row> shm_anon_rows() {
  static constexpr Memory memory{
      .name = "shm_anon",
      .summary = "anonymous shared memory",
      .naming = Naming::inherited,
      .persistence = Persistence::process,
      .standard = "POSIX",
      .kind = std::nullopt,
      .map = [](const Name*, std::size_t size) { return SharedMemory{Mapping(size)}; }};
  return ring_rows(memory);
}

}  // namespace ipcbench
