// sysv_sem: the System V semaphore of semget(2). The kernel takes a dead holder's lock back.
#include <sys/ipc.h>
#include <sys/sem.h>

#include "scenarios/matrix.h"
#include "transports/semaphores.h"

namespace ipcbench {
namespace {

class SysvSem {
 public:
  static constexpr Facts facts{.name = "sysv_sem",
                               .summary = "System V semaphore",
                               .family = Family::sync,
                               .naming = Naming::key,
                               .handle = Handle::id,
                               .boundary = Boundary::none,
                               .persistence = Persistence::kernel,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_many,
                               .pollable = false,
                               .copies = 0,
                               .standard = "System V, POSIX XSI"};

  static std::string unavailable() {
    return ::access("/proc/sysvipc/sem", F_OK) == 0 ? "" : "the kernel has no System V IPC";
  }

  struct Opened {
    int semaphore;
    short flags;
    void up() { change(1); }
    void down() { change(-1); }
    void change(short by) {
      sembuf operation{0, by, flags};
      check(retry([&] { return ::semop(semaphore, &operation, 1); }), "semop");
    }
  };

  /// SEM_UNDO is for a lock alone: one whose holder dies is free again. What a signal has
  /// notified stays so when its sender is gone.
  SysvSem(const Shape& shape, int start)
      : name_(*shape.directory, NameKind::sysv_sem),
        semaphore_(
            check(::semget(name_.key(), 1, (name_.is_ours() ? IPC_CREAT | IPC_EXCL : 0) | 0600),
                  "semget", name_.text())),
        flags_(start == 1 ? SEM_UNDO : 0) {
    if (name_.is_ours()) check(::semctl(semaphore_, 0, SETVAL, start), "semctl", name_.text());
  }

  // A semaphore that is removed is gone at once, for those who use it too: it goes with the runner.
  Opened open() const { return {semaphore_, flags_}; }

 private:
  Name name_;
  int semaphore_;
  short flags_;
};

}  // namespace

std::vector<Row> sysv_sem_rows() {
  return {row<SemaphoreSignal<SysvSem>, SemaphoreLock<SysvSem>>()};
}

}  // namespace ipcbench
