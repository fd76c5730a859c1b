// kmod_waits.h: how a process waits for another one in memory of our kernel module (waits.h): in an
// ioctl that sleeps while a word is as expected, as futex(2) does, or in poll(2) for a bell, as
// with UIO.
#pragma once

#include <poll.h>

#include "transports/kmod.h"
#include "transports/ring.h"

namespace ipcbench {

/// A session for each side. Both are inherited, with the same numbers everywhere.
struct Sessions {
  int mine;    ///< of the side that sleeps
  int others;  ///< of the side that wakes it
};

/// Sleeps in the module while a word of the ring's memory says so.
class WordWait {
 public:
  static constexpr bool needs_own_core = false;
  void use(Sessions sessions, const std::byte* memory) {
    sessions_ = sessions;
    offset_ = static_cast<std::uint64_t>(reinterpret_cast<std::byte*>(&asleep_) - memory);
  }
  void wait(auto is_ready) {
    while (!is_ready()) {
      asleep_.store(1, std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      if (!is_ready()) call(sessions_.mine, IPCBENCH_IOC_WAIT);
      asleep_.store(0, std::memory_order_relaxed);
    }
  }
  void wake() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (asleep_.load(std::memory_order_relaxed) == 0) return;
    asleep_.store(0, std::memory_order_relaxed);
    call(sessions_.others, IPCBENCH_IOC_WAKE);
  }

 private:
  void call(int session, unsigned long request) const {
    const ipcbench_word word{.offset = offset_, .expected = 1, .reserved = 0};
    if (::ioctl(session, request, &word) == -1 && errno != EAGAIN && errno != EINTR) fail("ioctl");
  }

  std::atomic<std::uint32_t> asleep_{0};
  Sessions sessions_{};
  std::uint64_t offset_ = 0;
};

class PollBell {
 public:
  void use(Sessions sessions) { sessions_ = sessions; }
  void sleep() {
    pollfd waiting{sessions_.mine, POLLIN, 0};
    check(retry([&] { return ::poll(&waiting, 1, -1); }), "poll");
    std::uint32_t rung;
    if (check(::read(sessions_.mine, &rung, sizeof rung), "read") == 0) fail_closed("read");
  }
  void ring() {
    const std::uint32_t once = 1;
    check(::write(sessions_.others, &once, sizeof once), "write");
  }

 private:
  Sessions sessions_{};
};

inline void prepare(Spin&, Sessions, const std::byte*) {}
inline void prepare(Yield&, Sessions, const std::byte*) {}
inline void prepare(WordWait& wait, Sessions sessions, const std::byte* memory) {
  wait.use(sessions, memory);
}
inline void prepare(Asleep<PollBell>& wait, Sessions sessions, const std::byte*) {
  wait.bell().use(sessions);
}

}  // namespace ipcbench
