// ring.h: a single-producer single-consumer ring of message slots in shared memory.
//
// Each slot ends with a stamp that says which message it holds, so that no head index travels
// between the cores. The writer fills a slot's cache lines front to back and each of them once: the
// reader, which polls the stamp, takes none of them away half-written. The reader publishes how
// many slots it has released on a line of its own, which the writer reads only when the ring looks
// full (cached indices: Lee et al., "A lock-free, cache-efficient shared ring buffer for multi-core
// architectures", 2009; stamps in the slots: Giacomoni et al., "FastForward for efficient pipeline
// parallelism", 2008). How a side waits is the policy's (waits.h).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <new>

#include "harness/transport.h"
#include "transports/waits.h"

namespace ipcbench {

template <class Wait>
class Ring {
 public:
  /// The ring holds `depth` messages, or as many as fit into 2 MiB, but at least two: a ring
  /// that stays in the cores' own caches floods 1 MiB messages 1.4 times as fast as one of 8 MiB.
  static std::size_t slots_for(const Shape& shape) {
    return std::clamp<std::size_t>((std::size_t{2} << 20) / stride_for(shape.size), 2,
                                   std::max<std::size_t>(2, shape.depth));
  }
  static std::size_t bytes_for(const Shape& shape) {
    return sizeof(Shared) + slots_for(shape) * stride_for(shape.size);
  }

  /// Makes a ring in `memory`, zeroed and of bytes_for(shape) bytes; or takes up the one that the
  /// other end has made there.
  Ring(std::byte* memory, const Shape& shape, bool is_ours)
      : shared_(is_ours ? new (memory) Shared : std::launder(reinterpret_cast<Shared*>(memory))),
        slots_(memory + sizeof(Shared)),
        slots_end_(memory + bytes_for(shape)),
        stride_(stride_for(shape.size)),
        room_(room_for(shape.size)),
        slot_count_(static_cast<std::uint32_t>(slots_for(shape))) {}

  /// Where its two sides wait: for a message, and for room.
  Wait& reader() const { return shared_->reader; }
  Wait& writer() const { return shared_->writer; }

  // What an end calls is inlined, the cold parts too: a call that gets the end's address would move
  // all of it from registers to memory, in every loop over messages.

  class Producer {
   public:
    explicit Producer(const Ring& ring)
        : ring_(ring), slot_(ring.slots_), full_at_(ring.slot_count_) {}
    Bytes reserve(std::size_t size) {
      if (next_ == full_at_) [[unlikely]]
        wait_for_room();
      size_ = size;
      return {slot_, size};
    }
    void commit() {
      ring_.stamp_of(slot_).store(stamp_for(++next_, size_), std::memory_order_release);
      slot_ = ring_.slot_after(slot_);
      ring_.shared_->reader.wake();
    }

   private:
    [[gnu::always_inline]] void wait_for_room() {
      const std::atomic<std::uint32_t>& released = ring_.shared_->released;
      const std::uint32_t full = next_ - ring_.slot_count_;
      std::uint32_t seen = full;
      ring_.shared_->writer.wait([&released, &seen, full] {
        seen = released.load(std::memory_order_acquire);
        return seen != full;
      });
      full_at_ = seen + ring_.slot_count_;
    }

    Ring ring_;
    std::byte* slot_;         ///< of the message to come
    std::size_t size_ = 0;    ///< of the message in it
    std::uint32_t next_ = 0;  ///< the number of the message to come; wraps around
    std::uint32_t full_at_;   ///< the number for which there is no room, as last asked
  };

  class Consumer {
   public:
    explicit Consumer(const Ring& ring) : ring_(ring), slot_(ring.slots_) {}
    [[gnu::always_inline]] View peek(std::size_t) {
      std::byte* slot = slot_;
      const Stamp& stamp = ring_.stamp_of(slot);
      const std::uint32_t awaited = next_ + 1;
      std::uint64_t found = 0;
      ring_.shared_->reader.wait([&stamp, &found, slot, awaited] {
        __builtin_prefetch(slot);  // the message's first line travels beside the stamp's
        found = stamp.load(std::memory_order_acquire);
        return static_cast<std::uint32_t>(found) == awaited;
      });
      return {slot, found >> 32};
    }
    void release() {
      slot_ = ring_.slot_after(slot_);
      ring_.shared_->released.store(++next_, std::memory_order_release);
      ring_.shared_->writer.wake();
    }

   private:
    Ring ring_;
    std::byte* slot_;         ///< of the message to come
    std::uint32_t next_ = 0;  ///< how many messages were released; wraps around
  };

 private:
  struct Shared {
    alignas(128) std::atomic<std::uint32_t> released{0};  ///< slots released; the reader writes it
    alignas(128) Wait reader;                             ///< where the reader waits for a message
    alignas(128) Wait writer;                             ///< where the writer waits for room
  };

  /// The message's number + 1, modulo 2^32, and above it the message's bytes: one store publishes
  /// both.
  using Stamp = std::atomic<std::uint64_t>;
  static std::uint64_t stamp_for(std::uint32_t number, std::size_t size) {
    return std::uint64_t{size} << 32 | number;
  }

  static std::size_t room_for(std::size_t size) {
    return (size + sizeof(Stamp) - 1) / sizeof(Stamp) * sizeof(Stamp);
  }
  /// Whole pairs of cache lines, because processors fetch lines in pairs.
  static std::size_t stride_for(std::size_t size) {
    return (room_for(size) + sizeof(Stamp) + 127) / 128 * 128;
  }
  Stamp& stamp_of(std::byte* slot) const { return *reinterpret_cast<Stamp*>(slot + room_); }
  std::byte* slot_after(std::byte* slot) const {
    return slot + stride_ == slots_end_ ? slots_ : slot + stride_;
  }

  Shared* shared_;
  std::byte* slots_;
  std::byte* slots_end_;
  std::size_t stride_;
  std::size_t room_;
  std::uint32_t slot_count_;
};

}  // namespace ipcbench
