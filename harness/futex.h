// futex.h: futex(2) between processes.
//
// std::atomic::wait is of no use here: libstdc++ makes it private to one process.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>

#include "harness/unix.h"

namespace ipcbench {

static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

/// Sleeps while `word` holds `expected`. May return early; the caller looks again.
inline void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected) {
  if (::syscall(SYS_futex, &word, FUTEX_WAIT, expected, nullptr, nullptr, 0) == -1 &&
      errno != EAGAIN && errno != EINTR) [[unlikely]]
    fail("futex_wait");
}

/// Wakes at most `count` processes that sleep on `word`.
inline void futex_wake(std::atomic<std::uint32_t>& word, int count = 1) {
  if (::syscall(SYS_futex, &word, FUTEX_WAKE, count, nullptr, nullptr, 0) == -1) [[unlikely]]
    fail("futex_wake");
}

}  // namespace ipcbench
