// flock: the lock of flock(2), which belongs to an open file description.
#include <sys/file.h>

#include "scenarios/matrix.h"
#include "transports/file_lock.h"

namespace ipcbench {
namespace {

struct Flock {
  static constexpr Facts facts = file_lock_facts("flock", "lock on an open file", "BSD, Linux");

  static void take(int file) {
    check(retry([&] { return ::flock(file, LOCK_EX); }), "flock");
  }
  static void give(int file) { check(::flock(file, LOCK_UN), "flock"); }
};

}  // namespace

std::vector<Row> flock_rows() {
  return {row<LockHandover<Flock>, FileLock<Flock>>()};
}

}  // namespace ipcbench
