// semaphores.h: whatever counts up, and waits to count down, is a signal and a lock.
//
// A Semaphore is constructed with (shape, start) in the constructor's process, and each end opens
// it for itself: open() gives an Opened with up() and down(). It starts at 0 as a signal (there is
// nothing to wait for) and at 1 as a lock (it is free); whoever likes may open such a lock.
#pragma once

#include <semaphore.h>

#include "harness/transport.h"

namespace ipcbench {

template <class Semaphore>
struct SemaphoreSignal : Semaphore {
  using Opened = typename Semaphore::Opened;
  struct Producer {
    Opened semaphore;
    void notify() { semaphore.up(); }
  };
  struct Consumer {
    Opened semaphore;
    void wait() { semaphore.down(); }
  };

  explicit SemaphoreSignal(const Shape& shape) : Semaphore(shape, 0) {}
  Producer producer() { return {this->open()}; }
  Consumer consumer() { return {this->open()}; }
};

template <class Semaphore>
struct SemaphoreLock : Semaphore {
  using Opened = typename Semaphore::Opened;
  struct Holder {
    Opened semaphore;
    void lock() { semaphore.down(); }
    void unlock() { semaphore.up(); }
  };

  explicit SemaphoreLock(const Shape& shape) : Semaphore(shape, 1) {}
  Holder producer() { return {this->open()}; }
  Holder consumer() { return {this->open()}; }
};

/// An end of a POSIX semaphore, named or not.
struct PosixSemaphore {
  sem_t* semaphore;
  void up() { check(::sem_post(semaphore), "sem_post"); }
  void down() {
    check(retry([&] { return ::sem_wait(semaphore); }), "sem_wait");
  }
};

}  // namespace ipcbench
