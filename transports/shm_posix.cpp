// shm_posix: POSIX shared memory of shm_open(3), with a ring in it. Messages are written and read
// in place: nothing is copied. A variant for each way that a side can wait.
#include "transports/shm.h"

namespace ipcbench {

std::vector<Row> shm_posix_rows() {
  static constexpr Memory memory{.name = "shm_posix",
                                 .summary = "POSIX shared memory",
                                 .naming = Naming::pathname,
                                 .persistence = Persistence::kernel,
                                 .standard = "POSIX",
                                 .kind = NameKind::posix_shm,
                                 .map = [](const Name* name, std::size_t size) {
                                   return SharedMemory{map_named(*name, size)};
                                 }};
  return ring_rows(memory);
}

}  // namespace ipcbench
