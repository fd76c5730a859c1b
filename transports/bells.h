// bells.h: what a process can sleep at (waits.h), and what of it lies outside the shared memory.
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <unistd.h>

#include "harness/name.h"
#include "harness/transport.h"
#include "harness/unix.h"
#include "transports/waits.h"

namespace ipcbench {

/// What each process keeps beside the memory, for as long as it uses the policy there: nothing,
/// unless the bell has a Keeper. It is constructed in the transport's constructor.
template <class Wait>
struct Keeper {
  Keeper(const Shape&, Wait&) {}
};
template <class Bell>
requires requires {
  typename Bell::Keeper;
}
struct Keeper<Asleep<Bell>> : Bell::Keeper {
  Keeper(const Shape& shape, Asleep<Bell>& wait) : Bell::Keeper(shape, wait.bell()) {}
};

/// The counter of eventfd(2). A descriptor that is inherited has the same number everywhere.
class EventfdBell {
 public:
  struct Keeper {
    Keeper(const Shape&, EventfdBell& bell) : fd(check(::eventfd(0, EFD_CLOEXEC), "eventfd")) {
      bell.fd_ = fd.get();
    }
    Fd fd;
  };
  void sleep() {
    std::uint64_t count;
    check(retry([&] { return ::read(fd_, &count, sizeof count); }), "read");
  }
  void ring() {
    const std::uint64_t one = 1;
    check(retry([&] { return ::write(fd_, &one, sizeof one); }), "write");
  }

 private:
  int fd_ = -1;
};

/// The POSIX semaphore of sem_init(3).
class PosixSemBell {
 public:
  PosixSemBell() { check(::sem_init(&semaphore_, 1, 0), "sem_init"); }
  void sleep() {
    check(retry([&] { return ::sem_wait(&semaphore_); }), "sem_wait");
  }
  void ring() { check(::sem_post(&semaphore_), "sem_post"); }

 private:
  sem_t semaphore_;
};

/// The System V semaphore of semget(2). Its identifier is good in every process.
class SysvSemBell {
 public:
  struct Keeper {
    Keeper(const Shape& shape, SysvSemBell& bell) : name(*shape.directory, NameKind::sysv_sem) {
      if (name.is_ours())
        bell.id_ =
            check(::semget(name.key(), 1, IPC_CREAT | IPC_EXCL | 0600), "semget", name.text());
    }
    Name name;
  };
  void sleep() { change(-1); }
  void ring() { change(1); }

 private:
  void change(short by) {
    sembuf operation{0, by, 0};
    check(retry([&] { return ::semop(id_, &operation, 1); }), "semop");
  }
  int id_ = -1;
};

/// The condition variable of pthread_cond_wait(3), with its mutex.
class CondBell {
 public:
  CondBell() {
    pthread_mutexattr_t of_mutex;
    pthread_condattr_t of_cond;
    must(::pthread_mutexattr_init(&of_mutex), "pthread_mutexattr_init");
    must(::pthread_mutexattr_setpshared(&of_mutex, PTHREAD_PROCESS_SHARED),
         "pthread_mutexattr_setpshared");
    must(::pthread_mutex_init(&mutex_, &of_mutex), "pthread_mutex_init");
    must(::pthread_condattr_init(&of_cond), "pthread_condattr_init");
    must(::pthread_condattr_setpshared(&of_cond, PTHREAD_PROCESS_SHARED),
         "pthread_condattr_setpshared");
    must(::pthread_cond_init(&rung_, &of_cond), "pthread_cond_init");
  }
  void sleep() {
    must(::pthread_mutex_lock(&mutex_), "pthread_mutex_lock");
    while (!is_rung_) must(::pthread_cond_wait(&rung_, &mutex_), "pthread_cond_wait");
    is_rung_ = false;
    must(::pthread_mutex_unlock(&mutex_), "pthread_mutex_unlock");
  }
  /// It signals after the unlock, so that the one who wakes doesn't find the mutex taken.
  void ring() {
    must(::pthread_mutex_lock(&mutex_), "pthread_mutex_lock");
    is_rung_ = true;
    must(::pthread_mutex_unlock(&mutex_), "pthread_mutex_unlock");
    must(::pthread_cond_signal(&rung_), "pthread_cond_signal");
  }

 private:
  static void must(int error, const char* call) {
    if (error == 0) [[likely]]
      return;
    errno = error;
    fail(call);
  }

  pthread_mutex_t mutex_;
  pthread_cond_t rung_;
  bool is_rung_ = false;
};

}  // namespace ipcbench
