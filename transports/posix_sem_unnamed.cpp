// posix_sem_unnamed: the POSIX semaphore of sem_init(3) in shared memory.
#include "scenarios/matrix.h"
#include "transports/semaphores.h"

namespace ipcbench {
namespace {

class Unnamed {
 public:
  static constexpr Facts facts{.name = "posix_sem_unnamed",
                               .summary = "POSIX semaphore in shared memory",
                               .family = Family::sync,
                               .naming = Naming::inherited,
                               .handle = Handle::memory,
                               .boundary = Boundary::none,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_many,
                               .pollable = false,
                               .copies = 0,
                               .standard = "POSIX"};

  using Opened = PosixSemaphore;

  Unnamed(const Shape&, unsigned int start) : memory_(sizeof(sem_t)) {
    check(::sem_init(open().semaphore, 1, start), "sem_init");
  }
  Opened open() const { return {reinterpret_cast<sem_t*>(memory_.data())}; }

 private:
  Mapping memory_;
};

}  // namespace

std::vector<Row> posix_sem_unnamed_rows() {
  return {row<SemaphoreSignal<Unnamed>, SemaphoreLock<Unnamed>>()};
}

}  // namespace ipcbench
