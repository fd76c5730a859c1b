// shm_sysv: System V shared memory of shmget(2), found by its key, with a ring in it.
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "transports/shm.h"

namespace ipcbench {
namespace {

/// Detached by munmap(2), as well as by shmdt(2). Its pages are made present as those of other
/// mappings are, where the kernel can (5.14); otherwise they come when they are first touched.
SharedMemory attach(const Name* name, std::size_t size) {
  const int flags = 0600 | (name->is_ours() ? IPC_CREAT | IPC_EXCL : 0);
  const int id = check(::shmget(name->key(), size, flags), "shmget", name->text());
  void* const address = check(::shmat(id, nullptr, 0), "shmat", name->text());
  ::madvise(address, size, MADV_POPULATE_WRITE);
  return {Mapping::adopt(address, size)};
}

std::string unavailable() {
  return ::access("/proc/sysvipc/shm", F_OK) == 0 ? "" : "the kernel has no System V IPC";
}

}  // namespace

std::vector<Row> shm_sysv_rows() {
  static constexpr Memory memory{.name = "shm_sysv",
                                 .summary = "System V shared memory",
                                 .naming = Naming::key,
                                 .persistence = Persistence::kernel,
                                 .standard = "System V, POSIX XSI",
                                 .kind = NameKind::sysv_shm,
                                 .map = attach,
                                 .unavailable = unavailable};
  return ring_rows(memory);
}

}  // namespace ipcbench
