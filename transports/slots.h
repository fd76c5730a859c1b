// slots.h: a queue of message slots that needn't be shared memory: which slot holds which message,
// and which is free, is said by a few words that are.
#pragma once

#include <cstdint>
#include <new>

#include "transports/ring.h"

namespace ipcbench {

/// The words in shared memory, zeroed at first. Each line has one writer.
struct SlotWords {
  alignas(128) std::atomic<std::uint64_t> sent{0};      ///< messages; the producer writes it
  alignas(128) std::atomic<std::uint64_t> released{0};  ///< messages; the consumer writes it
  alignas(128) Futex reader;                            ///< where the consumer waits for a message
  alignas(128) Futex writer;                            ///< where the producer waits for room
};

/// What both ends know of the slots: the words, each message's size, and its place among them.
struct Slots {
  SlotWords* words;
  std::uint32_t* sizes;
  std::size_t count;
  std::size_t stride;

  /// As many slots as a ring in shared memory has, so that the two compare.
  static std::size_t count_for(const Shape& shape) { return Ring<Futex>::slots_for(shape); }
  static std::size_t bytes_for(const Shape& shape) {
    return sizeof(SlotWords) + count_for(shape) * sizeof(std::uint32_t);
  }
  /// Makes the words in `memory`, which is shared, zeroed and of bytes_for(shape) bytes; or takes
  /// up those that the other end has made there.
  Slots(std::byte* memory, const Shape& shape, bool is_ours)
      : words(is_ours ? new (memory) SlotWords
                      : std::launder(reinterpret_cast<SlotWords*>(memory))),
        sizes(reinterpret_cast<std::uint32_t*>(memory + sizeof(SlotWords))),
        count(count_for(shape)),
        stride((shape.size + 127) / 128 * 128) {}

  std::size_t place(std::uint64_t message) const { return message % count * stride; }
  std::uint32_t& size(std::uint64_t message) const { return sizes[message % count]; }
};

class SlotSender {
 public:
  explicit SlotSender(const Slots& slots) : slots_(slots) {}
  /// Waits until there is room for the next message and returns its place.
  std::size_t await() {
    if (next_ == full_at_) [[unlikely]]
      slots_.words->writer.wait([this] {
        full_at_ = slots_.words->released.load(std::memory_order_acquire) + slots_.count;
        return next_ != full_at_;
      });
    return slots_.place(next_);
  }
  void publish(std::size_t size) {
    slots_.size(next_) = static_cast<std::uint32_t>(size);
    slots_.words->sent.store(++next_, std::memory_order_release);
    slots_.words->reader.wake();
  }
  /// Waits until every message is released.
  void await_all_released() {
    slots_.words->writer.wait(
        [this] { return slots_.words->released.load(std::memory_order_acquire) == next_; });
  }

 private:
  Slots slots_;
  std::uint64_t next_ = 0;
  std::uint64_t full_at_ = slots_.count;  ///< the message for which there is no room, as last asked
};

class SlotReceiver {
 public:
  struct Message {
    std::size_t place;
    std::size_t size;
  };
  explicit SlotReceiver(const Slots& slots) : slots_(slots) {}
  Message await() {
    slots_.words->reader.wait(
        [this] { return slots_.words->sent.load(std::memory_order_acquire) != next_; });
    return {slots_.place(next_), slots_.size(next_)};
  }
  void release() {
    slots_.words->released.store(++next_, std::memory_order_release);
    slots_.words->writer.wake();
  }

 private:
  Slots slots_;
  std::uint64_t next_ = 0;
};

}  // namespace ipcbench
