// futex: futex(2) on a counter in shared memory. What most other ways of sleeping are made of.
#include <new>

#include "harness/futex.h"
#include "scenarios/matrix.h"

namespace ipcbench {
namespace {

struct FutexSignal {
  static constexpr Facts facts{.name = "futex",
                               .summary = "futex on a word of shared memory",
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

  using Count = std::atomic<std::uint32_t>;

  struct Producer {
    Count& count;
    void notify() {
      count.fetch_add(1, std::memory_order_release);
      futex_wake(count);
    }
  };
  // One consumer takes one notification at a time; while there is none, it sleeps.
  struct Consumer {
    Count& count;
    void wait() {
      while (count.load(std::memory_order_acquire) == 0) futex_wait(count, 0);
      count.fetch_sub(1, std::memory_order_acquire);
    }
  };

  explicit FutexSignal(const Shape&)
      : memory_(sizeof(Count)), count_(*new (memory_.data()) Count(0)) {}
  Producer producer() { return {count_}; }
  Consumer consumer() { return {count_}; }

 private:
  Mapping memory_;
  Count& count_;
};

}  // namespace

std::vector<Row> futex_rows() {
  return {row<FutexSignal>()};
}

}  // namespace ipcbench
