// shm_seqlock: a register in POSIX shared memory that holds the newest message alone. Who writes
// never waits, and overwrites what nobody has read yet; who reads never sees half a message.
#include <atomic>
#include <cstring>
#include <new>

#include "scenarios/matrix.h"
#include "transports/waits.h"

namespace ipcbench {
namespace {

/// A sequence lock. Its sequence is odd while the value changes, so that a reader which finds it
/// odd, or changed, reads again. The value is words that are atomic each, with fences around them:
/// Boehm, "Can seqlocks get along with programming language memory models?", 2012.
class SequenceLock {
 public:
  static std::size_t bytes_for(std::size_t size) {
    return sizeof(Shared) + (size + sizeof(std::uint64_t) - 1) / sizeof(Word) * sizeof(Word);
  }
  /// In zeroed memory; an object of atomics that are zero needs no more making.
  explicit SequenceLock(std::byte* memory) : shared_(reinterpret_cast<Shared*>(memory)) {}

  void write(View message) {
    const std::uint64_t sequence = shared_->sequence.load(std::memory_order_relaxed);
    shared_->sequence.store(sequence + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    shared_->size.store(message.size(), std::memory_order_relaxed);
    std::uint64_t word = 0;
    const std::size_t whole = message.size() / sizeof word * sizeof word;
    for (std::size_t at = 0; at != whole; at += sizeof word) {
      std::memcpy(&word, message.data() + at, sizeof word);
      word_at(at).store(word, std::memory_order_relaxed);
    }
    std::memcpy(&word, message.data() + whole, message.size() - whole);
    if (whole != message.size()) word_at(whole).store(word, std::memory_order_relaxed);
    shared_->sequence.store(sequence + 2, std::memory_order_release);
  }

  /// Waits for another message than the last one, and reads it.
  std::size_t read(Bytes buffer, std::uint64_t& last) {
    while (true) {
      std::uint64_t sequence = last;
      SpinYield().wait([&] {
        sequence = shared_->sequence.load(std::memory_order_acquire);
        return sequence != last && sequence % 2 == 0;
      });
      const std::size_t size =
          std::min<std::size_t>(shared_->size.load(std::memory_order_relaxed), buffer.size());
      std::uint64_t word = 0;
      const std::size_t whole = size / sizeof word * sizeof word;
      for (std::size_t at = 0; at != whole; at += sizeof word) {
        word = word_at(at).load(std::memory_order_relaxed);
        std::memcpy(buffer.data() + at, &word, sizeof word);
      }
      if (whole != size) word = word_at(whole).load(std::memory_order_relaxed);
      std::memcpy(buffer.data() + whole, &word, size - whole);
      std::atomic_thread_fence(std::memory_order_acquire);
      if (shared_->sequence.load(std::memory_order_relaxed) != sequence) continue;
      last = sequence;
      return size;
    }
  }

 private:
  using Word = std::atomic<std::uint64_t>;
  struct alignas(64) Shared {
    Word sequence;
    Word size;
  };
  Word& word_at(std::size_t at) const {
    return *reinterpret_cast<Word*>(reinterpret_cast<std::byte*>(shared_ + 1) + at);
  }

  Shared* shared_;
};

class ShmSeqlock {
 public:
  // One writes; of the readers, each would see every message that it is fast enough for.
  static constexpr Facts facts{.name = "shm_seqlock",
                               .summary = "register in shared memory: the last message wins",
                               .family = Family::shm,
                               .naming = Naming::pathname,
                               .handle = Handle::memory,
                               .boundary = Boundary::message,
                               .persistence = Persistence::kernel,
                               .delivery = Delivery::newest,
                               .peers = Peers::one_to_one,
                               .pollable = false,
                               .copies = 2,
                               .standard = "POSIX"};

  struct Producer {
    SequenceLock value;
    void send(View message) { value.write(message); }
  };
  struct Consumer {
    SequenceLock value;
    std::uint64_t last = 0;
    std::size_t recv(Bytes buffer) { return value.read(buffer, last); }
  };

  explicit ShmSeqlock(const Shape& shape)
      : name_(*shape.directory, NameKind::posix_shm),
        memory_(map_named(name_, SequenceLock::bytes_for(shape.size))) {}

  std::size_t depth() const { return 1; }
  Producer producer() { return {SequenceLock(memory_.data())}; }
  Consumer consumer() { return {SequenceLock(memory_.data())}; }

 private:
  Name name_;
  Mapping memory_;
};

}  // namespace

std::vector<Row> shm_seqlock_rows() {
  return {row<ShmSeqlock>()};
}

}  // namespace ipcbench
