// futex: futex(2) on a word in shared memory. What most other ways of sleeping are made of.
#include <new>

#include "harness/futex.h"
#include "scenarios/matrix.h"
#include "transports/semaphores.h"

namespace ipcbench {
namespace {

using Word = std::atomic<std::uint32_t>;

constexpr Facts facts_of(std::string_view name, std::string_view summary) {
  return {.name = name,
          .summary = summary,
          .family = Family::sync,
          .naming = Naming::inherited,
          .handle = Handle::memory,
          .boundary = Boundary::none,
          .persistence = Persistence::process,
          .delivery = Delivery::reliable,
          .peers = Peers::many_to_many,
          .pollable = false,
          .copies = 0,
          .standard = "Linux"};
}

/// Sleeps in futex(2).
struct One {
  static constexpr Facts facts = facts_of("futex", "futex on a word of shared memory");
  static void sleep(Word& word, std::uint32_t expected) { futex_wait(word, expected); }
};

/// Sleeps in futex_waitv(2), which can wait for many words at once; here for one, so that what the
/// call costs is seen beside futex(2).
struct Vector {
  static constexpr Facts facts =
      facts_of("futex.waitv", "futex on a word of shared memory, waits in futex_waitv");
  static std::string unavailable() {
    const long result = ::syscall(SYS_futex_waitv, nullptr, 0, 0, nullptr, 0);  // EINVAL
    return result == -1 && errno == ENOSYS ? "the kernel has no futex_waitv(2)" : "";
  }
  static void sleep(Word& word, std::uint32_t expected) {
    const futex_waitv waiter{expected, reinterpret_cast<std::uintptr_t>(&word), FUTEX_32, 0};
    if (::syscall(SYS_futex_waitv, &waiter, 1, 0, nullptr, 0) == -1 && errno != EAGAIN &&
        errno != EINTR) [[unlikely]]
      fail("futex_waitv");
  }
};

/// A word that both processes inherit.
template <class Sleep>
class Futex : public Sleep {
 public:
  explicit Futex(std::uint32_t start)
      : memory_(sizeof(Word)), word_(*new (memory_.data()) Word(start)) {}
  Word& word() const { return word_; }

 private:
  Mapping memory_;
  Word& word_;
};

/// The word counts the notifications that nobody has taken yet.
template <class Sleep>
struct Count : Futex<Sleep> {
  struct Opened {
    Word& count;
    void up() {
      count.fetch_add(1, std::memory_order_release);
      futex_wake(count);
    }
    void down() {
      std::uint32_t seen = count.load(std::memory_order_relaxed);
      while (true) {
        if (seen == 0) {
          Sleep::sleep(count, 0);
          seen = count.load(std::memory_order_relaxed);
        } else if (count.compare_exchange_weak(seen, seen - 1, std::memory_order_acquire,
                                               std::memory_order_relaxed)) {
          return;
        }
      }
    }
  };

  Count(const Shape&, std::uint32_t start) : Futex<Sleep>(start) {}
  Opened open() const { return {this->word()}; }
};

/// The third mutex of Drepper, "Futexes Are Tricky" (2011): free, held, or held and perhaps waited
/// for. Only the last costs its holder a system call.
template <class Sleep>
struct FutexLock : Futex<Sleep> {
  static constexpr std::uint32_t free = 0;
  static constexpr std::uint32_t held = 1;
  static constexpr std::uint32_t waited_for = 2;

  struct Holder {
    Word& state;
    void lock() {
      std::uint32_t seen = free;
      if (state.compare_exchange_strong(seen, held, std::memory_order_acquire)) return;
      if (seen != waited_for) seen = state.exchange(waited_for, std::memory_order_acquire);
      while (seen != free) {
        Sleep::sleep(state, waited_for);
        seen = state.exchange(waited_for, std::memory_order_acquire);
      }
    }
    void unlock() {
      if (state.exchange(free, std::memory_order_release) == waited_for) futex_wake(state);
    }
  };

  explicit FutexLock(const Shape&) : Futex<Sleep>(free) {}
  Holder producer() { return {this->word()}; }
  Holder consumer() { return {this->word()}; }
};

template <class Sleep>
Row futex_row() {
  return row<SemaphoreSignal<Count<Sleep>>, FutexLock<Sleep>>();
}

}  // namespace

std::vector<Row> futex_rows() {
  return {futex_row<One>(), futex_row<Vector>()};
}

}  // namespace ipcbench
