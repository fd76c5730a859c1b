// posix_sem_unnamed: the POSIX semaphore of sem_init(3) in shared memory. A signal, and a lock
// that whoever likes may open.
#include <semaphore.h>

#include "scenarios/matrix.h"

namespace ipcbench {
namespace {

/// The semaphore starts at 0 as a signal (nothing to wait for) and at 1 as a lock (free).
template <unsigned int start>
class Semaphore {
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

  explicit Semaphore(const Shape&)
      : memory_(sizeof(sem_t)), semaphore_(reinterpret_cast<sem_t*>(memory_.data())) {
    check(::sem_init(semaphore_, 1, start), "sem_init");
  }

 protected:
  static void up(sem_t* semaphore) { check(::sem_post(semaphore), "sem_post"); }
  static void down(sem_t* semaphore) {
    check(retry([&] { return ::sem_wait(semaphore); }), "sem_wait");
  }
  sem_t* semaphore() const { return semaphore_; }

 private:
  Mapping memory_;
  sem_t* semaphore_;
};

struct SemaphoreSignal : Semaphore<0> {
  using Semaphore::Semaphore;
  struct Producer {
    sem_t* semaphore;
    void notify() { up(semaphore); }
  };
  struct Consumer {
    sem_t* semaphore;
    void wait() { down(semaphore); }
  };
  Producer producer() { return {semaphore()}; }
  Consumer consumer() { return {semaphore()}; }
};

struct SemaphoreLock : Semaphore<1> {
  using Semaphore::Semaphore;
  struct Holder {
    sem_t* semaphore;
    void lock() { down(semaphore); }
    void unlock() { up(semaphore); }
  };
  Holder producer() { return {semaphore()}; }
  Holder consumer() { return {semaphore()}; }
};

}  // namespace

std::vector<Row> posix_sem_unnamed_rows() {
  return {row<SemaphoreSignal, SemaphoreLock>()};
}

}  // namespace ipcbench
