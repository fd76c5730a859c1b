// ofd_lock: the record lock of fcntl(2) with F_OFD_SETLKW, which belongs to an open file
// description.
#include "scenarios/matrix.h"
#include "transports/file_lock.h"

namespace ipcbench {
namespace {

struct OfdLock : RecordLock<F_OFD_SETLKW> {
  static constexpr Facts facts =
      file_lock_facts("ofd_lock", "record lock of an open file", "Linux, POSIX.1-2024");
};

}  // namespace

std::vector<Row> ofd_lock_rows() {
  return {row<LockHandover<OfdLock>, FileLock<OfdLock>>()};
}

}  // namespace ipcbench
