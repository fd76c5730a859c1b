// ring.h: a single-producer single-consumer ring of message slots in shared memory.
//
// Each slot starts with a stamp that says which message it holds, so that the reader finds a
// message, its size and its first 56 bytes in one cache line, and no head index travels between
// the cores. The reader publishes how many slots it has released on a line of its own, which the
// writer reads only when the ring looks full (cached indices: Lee et al., "A lock-free, cache-
// efficient shared ring buffer for multi-core architectures", 2009; stamps in the slots: Giacomoni
// et al., "FastForward for efficient pipeline parallelism", 2008). How a side waits is the
// policy's: it gets a question to ask until the answer is yes, and is told when it may be.
#pragma once

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <new>

#include "harness/futex.h"
#include "harness/transport.h"
#include "harness/unix.h"

namespace ipcbench {

/// Waits by asking again and again. It needs a core for each end.
struct Spin {
  static constexpr bool needs_own_core = true;
  void wait(auto is_ready) {
    while (!is_ready()) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
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

/// Waits asleep in futex(2). The flag says that somebody sleeps, so that a wake costs no system
/// call while nobody does. Set the flag, look again, sleep; publish, look at the flag, wake: the
/// fences between the two steps of each side see to it that one of them notices the other.
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

template <class Wait>
class Ring {
 public:
  struct Slot {
    std::atomic<std::uint32_t> stamp;  ///< the message's number + 1, modulo 2^32
    std::uint32_t size;
    std::byte* payload() { return reinterpret_cast<std::byte*>(this + 1); }
  };

  /// The ring holds `depth` messages, or as many as fit into 8 MiB, but at least two.
  static std::size_t slots_for(const Shape& shape) {
    return std::clamp<std::size_t>((std::size_t{8} << 20) / stride_for(shape.size), 2,
                                   std::max<std::size_t>(2, shape.depth));
  }
  static std::size_t bytes_for(const Shape& shape) {
    return sizeof(Shared) + slots_for(shape) * stride_for(shape.size);
  }

  /// Makes a ring in `memory`, zeroed and of bytes_for(shape) bytes. In the runner.
  Ring(std::byte* memory, const Shape& shape)
      : shared_(new (memory) Shared),
        slots_(memory + sizeof(Shared)),
        stride_(stride_for(shape.size)),
        slot_count_(static_cast<std::uint32_t>(slots_for(shape))) {}

  class Producer {
   public:
    explicit Producer(const Ring& ring) : ring_(ring) {}
    Bytes reserve(std::size_t size) {
      if (next_ - released_ == ring_.slot_count_) [[unlikely]]
        wait_for_room();
      slot_ = ring_.slot(index_);
      slot_->size = static_cast<std::uint32_t>(size);
      return {slot_->payload(), size};
    }
    void commit() {
      slot_->stamp.store(++next_, std::memory_order_release);
      if (++index_ == ring_.slot_count_) index_ = 0;
      ring_.shared_->reader.wake();
    }

   private:
    void wait_for_room() {
      ring_.shared_->writer.wait([&] {
        released_ = ring_.shared_->released.load(std::memory_order_acquire);
        return next_ - released_ != ring_.slot_count_;
      });
    }

    Ring ring_;
    Slot* slot_ = nullptr;
    std::uint32_t next_ = 0;      ///< the number of the message to come; wraps around
    std::uint32_t released_ = 0;  ///< how many the reader had released when last asked
    std::uint32_t index_ = 0;
  };

  class Consumer {
   public:
    explicit Consumer(const Ring& ring) : ring_(ring) {}
    View peek(std::size_t) {
      Slot* slot = ring_.slot(index_);
      const std::uint32_t awaited = next_ + 1;
      ring_.shared_->reader.wait(
          [&] { return slot->stamp.load(std::memory_order_acquire) == awaited; });
      return {slot->payload(), slot->size};
    }
    void release() {
      if (++index_ == ring_.slot_count_) index_ = 0;
      ring_.shared_->released.store(++next_, std::memory_order_release);
      ring_.shared_->writer.wake();
    }

   private:
    Ring ring_;
    std::uint32_t next_ = 0;
    std::uint32_t index_ = 0;
  };

 private:
  struct Shared {
    alignas(128) std::atomic<std::uint32_t> released{0};  ///< slots released; the reader writes it
    alignas(128) Wait reader;                             ///< where the reader waits for a message
    alignas(128) Wait writer;                             ///< where the writer waits for room
  };

  /// Whole pairs of cache lines, because processors fetch lines in pairs.
  static std::size_t stride_for(std::size_t size) {
    return (sizeof(Slot) + size + 127) / 128 * 128;
  }
  Slot* slot(std::uint32_t index) const {
    return reinterpret_cast<Slot*>(slots_ + index * stride_);
  }

  Shared* shared_;
  std::byte* slots_;
  std::size_t stride_;
  std::uint32_t slot_count_;
};

}  // namespace ipcbench
