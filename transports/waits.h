// waits.h: how a process waits for another one in the memory that they share, and is woken.
//
// A policy is an object in that memory. wait() gets a question to ask until the answer is yes;
// wake() says that it may be yes now. One process waits and one wakes, except with SpinYield.
// Wakes may be spurious and are never lost. Where somebody sleeps, a flag says so, so that a wake
// costs no system call while nobody does: set the flag, look again, sleep; publish, look at the
// flag, wake. The fences between the two steps of each side see to it that one of them notices the
// other.
#pragma once

#include <sched.h>

#include <atomic>
#include <cstdint>

#include "harness/futex.h"

namespace ipcbench {

inline void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Waits by asking again and again. It needs a core for each end.
struct Spin {
  static constexpr bool needs_own_core = true;
  void wait(auto is_ready) {
    while (!is_ready()) pause_briefly();
  }
  void wake() {}
};

/// Waits by giving the core to whoever else wants it, and asking again.
struct Yield {
  static constexpr bool needs_own_core = false;
  void wait(auto is_ready) {
    while (!is_ready()) ::sched_yield();
  }
  void wake() {}
};

/// Waits by asking again and again for a few microseconds, then as Yield does.
struct SpinYield {
  static constexpr bool needs_own_core = false;
  void wait(auto is_ready) {
    for (int left = 100; left > 0; --left) {
      if (is_ready()) return;
      pause_briefly();
    }
    while (!is_ready()) ::sched_yield();
  }
  void wake() {}
};

/// Waits asleep in futex(2). (An atomic read-modify-write of the flag in place of the fences makes
/// a flood on one core a fifth slower.)
class Futex {
 public:
  static constexpr bool needs_own_core = false;
  void wait(auto is_ready) {
    while (!is_ready()) {
      asleep_.store(1, std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      if (!is_ready()) futex_wait(asleep_, 1);
      asleep_.store(0, std::memory_order_relaxed);
    }
  }
  void wake() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (asleep_.load(std::memory_order_relaxed) == 0) return;
    asleep_.store(0, std::memory_order_relaxed);
    futex_wake(asleep_);
  }

 private:
  std::atomic<std::uint32_t> asleep_{0};
};

/// Waits asleep at a bell, which has sleep() and ring() and may be anything that counts. Whoever
/// takes the flag away rings, once; so every ring is slept for, and none is left over to pile up.
template <class Bell>
class Asleep {
 public:
  static constexpr bool needs_own_core = false;
  void wait(auto is_ready) {
    while (!is_ready()) {
      asleep_.store(1, std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      if (is_ready()) {
        if (asleep_.exchange(0, std::memory_order_acq_rel) == 0) bell_.sleep();
        return;
      }
      bell_.sleep();
    }
  }
  void wake() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (asleep_.load(std::memory_order_relaxed) == 0) return;
    if (asleep_.exchange(0, std::memory_order_acq_rel) == 1) bell_.ring();
  }
  Bell& bell() { return bell_; }

 private:
  std::atomic<std::uint32_t> asleep_{0};
  Bell bell_;
};

}  // namespace ipcbench
