// io_uring.multishot: one receive of io_uring(7) that goes on and on: each message lands in a
// buffer of a ring that the reader provides, and is read there.
#include <sys/socket.h>

#include <algorithm>
#include <bit>

#include "scenarios/matrix.h"
#include "transports/io_uring.h"

namespace ipcbench {
namespace {

/// Buffers, and the ring (io_uring_register_buf_ring(3)) in which the kernel finds free ones.
class ProvidedBuffers {
 public:
  ProvidedBuffers(IoUring& ring, std::size_t size, std::size_t count)
      : size_(size),
        mask_(static_cast<std::uint16_t>(count - 1)),
        memory_(size * count),
        ring_(sizeof(io_uring_buf) * count) {
    io_uring_buf_reg request{};
    request.ring_addr = reinterpret_cast<std::uintptr_t>(ring_.data());
    request.ring_entries = static_cast<std::uint32_t>(count);
    ring.register_with(IORING_REGISTER_PBUF_RING, &request, 1);
    for (std::size_t i = 0; i != count; ++i) give_back(static_cast<std::uint16_t>(i));
  }

  const std::byte* at(std::uint16_t id) const { return memory_.data() + id * size_; }
  void give_back(std::uint16_t id) {
    io_uring_buf& entry = entries()[tail_++ & mask_];
    entry.addr = reinterpret_cast<std::uintptr_t>(at(id));
    entry.len = static_cast<std::uint32_t>(size_);
    entry.bid = id;
    // The ring's tail lies in what the first entry doesn't use.
    std::atomic_ref(entries()->resv).store(tail_, std::memory_order_release);
  }

 private:
  io_uring_buf* entries() const { return reinterpret_cast<io_uring_buf*>(ring_.data()); }

  std::size_t size_;
  std::uint16_t mask_;
  std::uint16_t tail_ = 0;
  Mapping memory_, ring_;
};

/// Sends and receives have a ring each, so that the completion of a send needn't be looked for
/// behind messages that came before it.
struct End {
  Fd fd;
  IoUring sends;
  IoUring receives;
  ProvidedBuffers buffers;
  bool is_armed = false;
  std::uint16_t lent = 0;

  void send(View message) {
    io_uring_sqe& entry = sends.prepare(IORING_OP_SEND, fd.get());
    entry.addr = reinterpret_cast<std::uintptr_t>(message.data());
    entry.len = static_cast<std::uint32_t>(message.size());
    entry.msg_flags = MSG_NOSIGNAL;
    if (const int result = sends.complete(); result < 0) [[unlikely]] {
      errno = -result;
      fail("io_uring send");
    }
  }

  View peek(std::size_t) {
    while (true) {
      if (!is_armed) arm();
      const io_uring_cqe completion = receives.wait();
      receives.seen();
      is_armed = (completion.flags & IORING_CQE_F_MORE) != 0;
      if (completion.res > 0) [[likely]] {
        lent = static_cast<std::uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
        return {buffers.at(lent), static_cast<std::size_t>(completion.res)};
      }
      if (completion.res == 0) fail_closed("io_uring recv");
      // It ends when it finds no free buffer, and is handed in again.
      if (errno = -completion.res; errno != ENOBUFS && errno != EINTR) fail("io_uring recv");
    }
  }
  void release() { buffers.give_back(lent); }

 private:
  void arm() {
    io_uring_sqe& entry = receives.prepare(IORING_OP_RECV, fd.get());
    entry.flags = IOSQE_BUFFER_SELECT;
    entry.ioprio = IORING_RECV_MULTISHOT;
  }
};

class Multishot {
 public:
  static constexpr Facts facts{.name = "io_uring.multishot",
                               .summary = "UNIX seqpacket socket, multishot receive into a ring",
                               .family = Family::process,
                               .naming = Naming::inherited,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "Linux"};

  // Deferred task work came after multishot receives and rings of buffers.
  static std::string unavailable() {
    return IoUring::unavailable({IORING_OP_SEND, IORING_OP_RECV}, single_issuer);
  }
  /// The default send buffer, less what the kernel keeps of it (unix_dgram_sendmsg).
  static std::size_t message_max() {
    return read_number("/proc/sys/net/core/wmem_default", 212992) - 32;
  }

  // As many buffers as the depth asks for, within 2 MiB.
  explicit Multishot(const Shape& shape) : size_(shape.size), waiting_(shape.waiting) {
    const std::size_t fitting = (2 << 20) / std::max<std::size_t>(size_, 1);
    count_ =
        std::bit_floor(std::clamp<std::size_t>(fitting, 2, std::max<std::size_t>(2, shape.depth)));
    int fds[2];
    check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), "socketpair");
    for (const int i : {0, 1}) ends_[i] = Fd(fds[i]);
  }
  End producer() { return end(0); }
  End consumer() { return end(1); }

 private:
  End end(int which) {
    ends_[1 - which].close();
    IoUring receives(waiting_, single_issuer, static_cast<unsigned>(2 * count_));
    ProvidedBuffers buffers(receives, size_, count_);
    return {std::move(ends_[which]), IoUring(waiting_, single_issuer), std::move(receives),
            std::move(buffers)};
  }

  std::size_t size_, count_;
  Waiting waiting_;
  Fd ends_[2];
};

}  // namespace

std::vector<Row> io_uring_multishot_rows() {
  return {row<Multishot>()};
}

}  // namespace ipcbench
