// arrivals.h: what the two ends of a lossy channel know of each other: which messages have arrived,
// told from their numbers, and how far the other end is, told by memory that both share.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>

#include "harness/futex.h"
#include "harness/run.h"
#include "harness/unix.h"

namespace ipcbench {

/// Of the numbers whose lowest `size` bytes are those of `low`, the one nearest to `expected`.
inline std::uint64_t nearest_number(std::uint64_t low, std::size_t size, std::uint64_t expected) {
  if (size >= sizeof low) return low;
  const auto shift = static_cast<unsigned>(64 - 8 * size);
  const auto distance = static_cast<std::int64_t>((low - expected) << shift) >> shift;
  return expected + static_cast<std::uint64_t>(distance);
}

/// A message's first word, or as much of it as there is.
inline std::uint64_t first_word(View message) {
  std::uint64_t word = 0;
  if (message.size() >= sizeof word)
    std::memcpy(&word, message.data(), sizeof word);
  else
    std::memcpy(&word, message.data(), message.size());
  return word;
}

/// Which messages have arrived, by their numbers. Every number up to next() has arrived or is lost;
/// one that is late after all is no longer lost, but reordered (RFC 4737, section 3.3).
class Arrivals {
 public:
  static constexpr std::uint64_t memory = 1024;  ///< how far back a late message is recognised

  void add(std::uint64_t number) {
    if (number < base_) return;  // a straggler from the warm-up
    std::uint64_t& slot = seen_[number % memory];
    if (number >= next_) {
      next_ = number + 1;
    } else if (next_ - number > memory || slot == number + 1) {
      ++duplicates_;
      return;
    } else {
      ++reordered_;
    }
    slot = number + 1;
    ++arrived_;
  }
  /// What hasn't arrived of the numbers below `number` is lost.
  void give_up(std::uint64_t number) { next_ = std::max(next_, number); }
  /// Counts from here.
  void restart() {
    base_ = next_;
    arrived_ = reordered_ = duplicates_ = 0;
  }

  std::uint64_t next() const { return next_; }
  std::uint64_t arrived() const { return arrived_; }
  Losses losses() const { return {next_ - base_ - arrived_, reordered_, duplicates_}; }

 private:
  std::uint64_t next_ = 0;
  std::uint64_t base_ = 0;
  std::uint64_t arrived_ = 0;
  std::uint64_t reordered_ = 0;
  std::uint64_t duplicates_ = 0;
  std::array<std::uint64_t, memory> seen_{};  ///< number + 1, at number % memory
};

/// A number that only grows, which one end advances and the other one awaits. It sleeps as
/// transports/ring.h's Futex does.
class Progress {
 public:
  std::uint64_t now() const { return at_.load(std::memory_order_acquire); }
  void advance(std::uint64_t to) {
    at_.store(to, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (asleep_.load(std::memory_order_relaxed) == 0) return;
    asleep_.store(0, std::memory_order_relaxed);
    futex_wake(asleep_);
  }
  /// Waits until it is `least` and returns what it is.
  std::uint64_t await(std::uint64_t least) {
    while (now() < least) {
      asleep_.store(1, std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      if (now() < least) futex_wait(asleep_, 1);
      asleep_.store(0, std::memory_order_relaxed);
    }
    return now();
  }

 private:
  alignas(64) std::atomic<std::uint64_t> at_;
  alignas(64) std::atomic<std::uint32_t> asleep_;
};

}  // namespace ipcbench
