// mpmc_ring.h: a ring of message slots in shared memory, for several producers and consumers.
//
// Dmitry Vyukov's bounded queue ("Bounded MPMC queue", 1024cores.net): every slot has a turn that
// says whose it is. A producer takes the next position by compare-and-swap once the slot there is
// free, writes the slot, and gives it to the consumers by its turn; a consumer does the same the
// other way round. A slot is lent while it is written and while it is read: nothing is copied.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <climits>
#include <cstdint>
#include <memory>
#include <new>

#include "harness/transport.h"
#include "transports/waits.h"

namespace ipcbench {

/// Waits asleep in futex(2), as many as like. A wake wakes all of them: slots become ready out of
/// turn, and only the sleepers know whose turn it is.
class FutexForMany {
 public:
  void wait(auto is_ready) {
    while (!is_ready()) {
      const std::uint32_t seen = wakes_.load(std::memory_order_acquire);
      asleep_.fetch_add(1, std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      const bool ready = is_ready();
      if (!ready) futex_wait(wakes_, seen);
      asleep_.fetch_sub(1, std::memory_order_relaxed);
      if (ready) return;
    }
  }
  void wake() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (asleep_.load(std::memory_order_relaxed) == 0) return;
    wakes_.fetch_add(1, std::memory_order_release);
    futex_wake(wakes_, INT_MAX);
  }

 private:
  std::atomic<std::uint32_t> asleep_{0};
  std::atomic<std::uint32_t> wakes_{0};
};

template <class Wait>
class MpmcRing {
  using Turn = std::atomic<std::uint64_t>;
  struct Slot {
    Turn turn;  ///< position: free for it; position + 1: holds its message
    std::uint64_t size;
    std::byte* message() { return reinterpret_cast<std::byte*>(this + 1); }
  };
  struct alignas(128) Side {
    std::atomic<std::uint64_t> position{0};  ///< the next to take
    alignas(128) Wait wait;                  ///< where those wait who find nothing there
  };
  struct Shared {
    Side producers;
    Side consumers;
  };

 public:
  /// A power of two: `depth` messages, or as many as fit into 2 MiB, but at least two.
  static std::size_t slots_for(const Shape& shape) {
    const std::size_t depth = std::max<std::size_t>(2, shape.depth);
    return std::bit_floor(
        std::clamp<std::size_t>((std::size_t{2} << 20) / stride_for(shape.size), 2, depth));
  }
  static std::size_t bytes_for(const Shape& shape) {
    return sizeof(Shared) + slots_for(shape) * stride_for(shape.size);
  }

  /// Makes a ring in `memory`, of bytes_for(shape) bytes; or takes up the one that is there.
  MpmcRing(std::byte* memory, const Shape& shape, bool is_ours)
      : shared_(is_ours ? new (memory) Shared : std::launder(reinterpret_cast<Shared*>(memory))),
        slots_(memory + sizeof(Shared)),
        stride_(stride_for(shape.size)),
        slot_count_(slots_for(shape)) {
    if (!is_ours) return;
    for (std::uint64_t position = 0; position != slot_count_; ++position)
      slot_at(position)->turn.store(position, std::memory_order_relaxed);
  }

  class Producer {
   public:
    explicit Producer(const MpmcRing& ring) : ring_(ring) {}
    Bytes reserve(std::size_t size) {
      ring_.shared_->producers.wait.wait(
          [this] { return ring_.take(ring_.shared_->producers, 0, position_); });
      Slot* const slot = ring_.slot_at(position_);
      slot->size = size;
      return {slot->message(), size};
    }
    void commit() {
      ring_.slot_at(position_)->turn.store(position_ + 1, std::memory_order_release);
      ring_.shared_->consumers.wait.wake();
    }

   private:
    MpmcRing ring_;
    std::uint64_t position_ = 0;
  };

  class Consumer {
   public:
    explicit Consumer(const MpmcRing& ring) : ring_(ring) {}
    View peek(std::size_t) {
      ring_.shared_->consumers.wait.wait(
          [this] { return ring_.take(ring_.shared_->consumers, 1, position_); });
      Slot* const slot = ring_.slot_at(position_);
      return {slot->message(), slot->size};
    }
    void release() {
      ring_.slot_at(position_)->turn.store(position_ + ring_.slot_count_,
                                           std::memory_order_release);
      ring_.shared_->producers.wait.wake();
    }

   private:
    MpmcRing ring_;
    std::uint64_t position_ = 0;
  };

 private:
  static std::size_t stride_for(std::size_t size) {
    return (sizeof(Slot) + size + 127) / 128 * 128;
  }
  Slot* slot_at(std::uint64_t position) const {
    return reinterpret_cast<Slot*>(slots_ + (position & (slot_count_ - 1)) * stride_);
  }

  /// Takes the side's next position if it is its turn: that slot's turn is the position plus
  /// `ahead`. A turn further on says that somebody else has taken the position meanwhile.
  bool take(Side& side, std::uint64_t ahead, std::uint64_t& taken) const {
    std::uint64_t position = side.position.load(std::memory_order_relaxed);
    while (true) {
      const std::uint64_t turn = slot_at(position)->turn.load(std::memory_order_acquire);
      const auto distance = static_cast<std::int64_t>(turn - (position + ahead));
      if (distance < 0) return false;
      if (distance > 0) {
        position = side.position.load(std::memory_order_relaxed);
      } else if (side.position.compare_exchange_weak(position, position + 1,
                                                     std::memory_order_relaxed)) {
        taken = position;
        return true;
      }
    }
  }

  Shared* shared_;
  std::byte* slots_;
  std::size_t stride_;
  std::uint64_t slot_count_;
};

}  // namespace ipcbench
