// io_uring_msg: IORING_OP_MSG_RING of io_uring(7). A process puts a completion into the ring of
// another one: 8 bytes of its own, and their number in the place of the result.
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <bit>
#include <sstream>

#include "scenarios/matrix.h"
#include "transports/io_uring.h"

namespace ipcbench {
namespace {

/// A ring's descriptor can't be sent over a socket, so each end tells its process and number, and
/// the other one takes it from there (pidfd_getfd(2)).
void publish(const Name& note, const IoUring& ring) {
  // Where Yama restricts ptrace, which decides on this too, the other end is allowed to.
  ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  note.publish(fmt::format("{} {}", ::getpid(), ring.fd()));
}
Fd take(const Name& note) {
  std::istringstream words(note.await());
  pid_t pid = -1;
  int number = -1;
  words >> pid >> number;
  const Fd process = open_pidfd(pid);
  return Fd(
      static_cast<int>(check(::syscall(SYS_pidfd_getfd, process.get(), number, 0), "pidfd_getfd")));
}

/// The end's own ring, and the other end's. A message that arrives is no completion of the sender's
/// own, which hears of failures alone.
struct Rings {
  IoUring own;
  Fd other;

  io_uring_sqe& prepare() {
    io_uring_sqe& entry = own.prepare(IORING_OP_MSG_RING, other.get());
    entry.flags = IOSQE_CQE_SKIP_SUCCESS;
    return entry;
  }
  const io_uring_cqe& wait() {
    const io_uring_cqe& completion = own.wait();
    if (completion.res < 0) [[unlikely]] {
      errno = -completion.res;
      fail("io_uring msg_ring");
    }
    return completion;
  }
};

// A ring that is full keeps what doesn't fit in a list without end, so that nothing would hold the
// producer back: it has as many credits as the depth, and gets half of them back at a time.

struct Producer {
  Rings rings;
  std::uint32_t credits;
  io_uring_sqe* entry = nullptr;

  Bytes reserve(std::size_t size) {
    if (credits == 0) [[unlikely]] {
      credits = static_cast<std::uint32_t>(rings.wait().res);
      rings.own.seen();
    }
    entry = &rings.prepare();
    entry->len = static_cast<std::uint32_t>(size);
    return {reinterpret_cast<std::byte*>(&entry->off), size};  // what completes: its user_data
  }
  void commit() {
    rings.own.submit();
    --credits;
  }
};

struct Consumer {
  Rings rings;
  std::uint32_t half;
  std::uint32_t taken = 0;

  View peek(std::size_t) {
    const io_uring_cqe& completion = rings.wait();
    return {reinterpret_cast<const std::byte*>(&completion.user_data),
            static_cast<std::size_t>(completion.res)};
  }
  void release() {
    rings.own.seen();
    if (++taken != half) return;
    rings.prepare().len = std::exchange(taken, 0);
    rings.own.submit();
  }
};

class MsgRing {
 public:
  static constexpr Facts facts{
      .name = "io_uring_msg",
      .summary = "a message is a completion in the other process's io_uring",
      .family = Family::process,
      .naming = Naming::pid,
      .handle = Handle::fd,
      .boundary = Boundary::message,
      .persistence = Persistence::process,
      .delivery = Delivery::reliable,
      .peers = Peers::one_to_one,
      .pollable = true,
      .copies = 1,
      .standard = "Linux"};

  static std::string unavailable() {
    const Fd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    const Fd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, self.get(), self.get(), 0)));
    if (!copy) return fmt::format("pidfd_getfd: {}", std::strerror(errno));
    return IoUring::unavailable({IORING_OP_MSG_RING});
  }
  static std::size_t message_max() { return sizeof(io_uring_cqe::user_data); }

  explicit MsgRing(const Shape& shape)
      : to_producer_(*shape.directory, NameKind::note),
        to_consumer_(*shape.directory, NameKind::note),
        waiting_(shape.waiting),
        depth_(static_cast<std::uint32_t>(std::clamp<std::size_t>(shape.depth, 1, 4096))) {}

  std::size_t depth() const { return depth_; }
  Producer producer() { return {meet(to_producer_, to_consumer_), depth_}; }
  Consumer consumer() { return {meet(to_consumer_, to_producer_), std::max(1U, depth_ / 2)}; }

 private:
  Rings meet(const Name& mine, const Name& others) const {
    IoUring own(waiting_, 0, std::bit_ceil(2 * depth_));
    publish(mine, own);
    return {std::move(own), take(others)};
  }

  Name to_producer_;
  Name to_consumer_;
  Waiting waiting_;
  std::uint32_t depth_;
};

}  // namespace

std::vector<Row> io_uring_msg_rows() {
  return {row<MsgRing>()};
}

}  // namespace ipcbench
