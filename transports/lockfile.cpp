// lockfile: a file that is the lock by being there: O_CREAT with O_EXCL takes it, unlink(2) gives
// it back (open(2)). Whoever waits looks again and again. It outlives a holder that dies.
#include <fcntl.h>
#include <sched.h>

#include "scenarios/matrix.h"
#include "transports/semaphores.h"

namespace ipcbench {
namespace {

/// A semaphore that is 0 where the file is there, and 1 where it isn't.
class Lockfile {
 public:
  static constexpr Facts facts{.name = "lockfile",
                               .summary = "file that only one process can create",
                               .family = Family::sync,
                               .naming = Naming::pathname,
                               .handle = Handle::none,
                               .boundary = Boundary::none,
                               .persistence = Persistence::filesystem,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_many,
                               .pollable = false,
                               .copies = 0,
                               .standard = "POSIX"};

  struct Opened {
    const char* path;
    void up() { check(::unlink(path), "unlink", path); }
    void down() {
      int fd;
      while ((fd = ::open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600)) == -1) {
        if (errno != EEXIST) fail("open", path);
        ::sched_yield();
      }
      ::close(fd);
    }
  };

  Lockfile(const Shape& shape, int start) : name_(*shape.directory, NameKind::path) {
    if (start == 0 && name_.is_ours()) open().down();
  }
  Opened open() const { return {name_.text().c_str()}; }

 private:
  Name name_;
};

}  // namespace

std::vector<Row> lockfile_rows() {
  return {row<SemaphoreSignal<Lockfile>, SemaphoreLock<Lockfile>>()};
}

}  // namespace ipcbench
