// io_uring_futex: waiting for a futex and waking it as operations of io_uring(7), on a counter in
// shared memory. So an event loop can wait for a futex, as for a descriptor.
#include <new>

#include "scenarios/matrix.h"
#include "transports/io_uring.h"

namespace ipcbench {
namespace {

// Linux 6.7; the headers of Debian 12 don't have them.
constexpr std::uint8_t op_futex_wait = 51;
constexpr std::uint8_t op_futex_wake = 52;
constexpr int futex2_size_u32 = 2;                     ///< and not FUTEX2_PRIVATE
constexpr std::uint64_t futex_match_any = 0xffffffff;  ///< more bits than the word has: EINVAL

using Count = std::atomic<std::uint32_t>;

struct Futex {
  IoUring ring;
  Count& count;

  /// `value` is what the word is expected to hold, or how many waiters to wake. Returns the result.
  int operate(std::uint8_t opcode, std::uint64_t value, const char* call) {
    io_uring_sqe& entry = ring.prepare(opcode, futex2_size_u32);
    entry.addr = reinterpret_cast<std::uintptr_t>(&count);
    entry.off = value;
    entry.addr3 = futex_match_any;
    const int result = ring.complete();
    if (result < 0 && result != -EAGAIN && result != -EINTR) [[unlikely]] {
      errno = -result;
      fail(call);
    }
    return result;
  }
};

struct Producer {
  Futex futex;
  void notify() {
    futex.count.fetch_add(1, std::memory_order_release);
    futex.operate(op_futex_wake, 1, "io_uring futex_wake");
  }
};

// One consumer takes one notification at a time; while there is none, it sleeps.
struct Consumer {
  Futex futex;
  void wait() {
    while (futex.count.load(std::memory_order_acquire) == 0)
      futex.operate(op_futex_wait, 0, "io_uring futex_wait");
    futex.count.fetch_sub(1, std::memory_order_acquire);
  }
};

class IoUringFutex {
 public:
  static constexpr Facts facts{.name = "io_uring_futex",
                               .summary = "futex on a word of shared memory, through io_uring",
                               .family = Family::process,
                               .naming = Naming::inherited,
                               .handle = Handle::memory,
                               .boundary = Boundary::none,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_one,
                               .pollable = true,
                               .copies = 0,
                               .standard = "Linux"};

  static std::string unavailable() { return IoUring::unavailable({op_futex_wait, op_futex_wake}); }

  explicit IoUringFutex(const Shape& shape)
      : waiting_(shape.waiting), memory_(sizeof(Count)), count_(*new (memory_.data()) Count(0)) {}
  Producer producer() { return {{IoUring(waiting_), count_}}; }
  Consumer consumer() { return {{IoUring(waiting_), count_}}; }

 private:
  Waiting waiting_;
  Mapping memory_;
  Count& count_;
};

}  // namespace

std::vector<Row> io_uring_futex_rows() {
  return {row<IoUringFutex>()};
}

}  // namespace ipcbench
