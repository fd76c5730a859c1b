// fcntl_lock: the record lock of fcntl(2), which belongs to a process.
#include "scenarios/matrix.h"
#include "transports/file_lock.h"

namespace ipcbench {
namespace {

struct FcntlLock : RecordLock<F_SETLKW> {
  static constexpr Facts facts =
      file_lock_facts("fcntl_lock", "record lock of a process on a file", "POSIX");
};

}  // namespace

std::vector<Row> fcntl_lock_rows() {
  return {row<LockHandover<FcntlLock>, FileLock<FcntlLock>>()};
}

}  // namespace ipcbench
