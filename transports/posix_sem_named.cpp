// posix_sem_named: the POSIX semaphore of sem_open(3), which unrelated processes find by its name.
#include <fcntl.h>

#include "scenarios/matrix.h"
#include "transports/semaphores.h"

namespace ipcbench {
namespace {

class Named {
 public:
  static constexpr Facts facts{.name = "posix_sem_named",
                               .summary = "POSIX semaphore found by its name",
                               .family = Family::sync,
                               .naming = Naming::pathname,
                               .handle = Handle::memory,
                               .boundary = Boundary::none,
                               .persistence = Persistence::kernel,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_many,
                               .pollable = false,
                               .copies = 0,
                               .standard = "POSIX"};

  /// The C library keeps such semaphores as files in /dev/shm (sem_overview(7)).
  static std::string unavailable() {
    return ::access("/dev/shm", W_OK) == 0 ? "" : "/dev/shm is missing or can't be written to";
  }

  using Opened = PosixSemaphore;

  Named(const Shape& shape, unsigned int start) : name_(*shape.directory, NameKind::posix_sem) {
    const int flags = name_.is_ours() ? O_CREAT | O_EXCL : 0;
    semaphore_ = ::sem_open(name_.text().c_str(), flags, 0600, start);
    if (semaphore_ == SEM_FAILED) fail("sem_open", name_.text());
  }
  ~Named() { ::sem_close(semaphore_); }
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;

  Opened open() const { return {semaphore_}; }

 private:
  Name name_;
  sem_t* semaphore_;
};

}  // namespace

std::vector<Row> posix_sem_named_rows() {
  return {row<SemaphoreSignal<Named>, SemaphoreLock<Named>>()};
}

}  // namespace ipcbench
