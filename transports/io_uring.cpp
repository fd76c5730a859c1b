// io_uring: reads and writes of a pipe, sends and receives of a UNIX socket, handed in through the
// rings of io_uring(7). Byte streams.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scenarios/matrix.h"
#include "transports/io_uring.h"

namespace ipcbench {
namespace {

/// One operation on a descriptor, again and again until all bytes are through.
struct Operation {
  std::uint8_t opcode;
  std::uint32_t flags;  ///< of send(2) and recv(2)
  const char* call;

  std::size_t transfer_all(IoUring& ring, const Fd& fd, const std::byte* data,
                           std::size_t size) const {
    for (std::size_t done = 0; done != size;) {
      io_uring_sqe& entry = ring.prepare(opcode, fd.get());
      entry.addr = reinterpret_cast<std::uintptr_t>(data + done);
      entry.len = static_cast<std::uint32_t>(size - done);
      entry.msg_flags = flags;
      const int result = ring.complete();
      if (result > 0) [[likely]]
        done += static_cast<std::size_t>(result);
      else if (result == 0)
        fail_closed(call);
      else if (errno = -result; errno != EINTR)
        fail(call);
    }
    return size;
  }
};

constexpr Operation read_pipe{IORING_OP_READ, 0, "io_uring read"};
constexpr Operation write_pipe{IORING_OP_WRITE, 0, "io_uring write"};
// With MSG_WAITALL the kernel goes on by itself until the whole buffer is through.
constexpr Operation send_socket{IORING_OP_SEND, MSG_NOSIGNAL | MSG_WAITALL, "io_uring send"};
constexpr Operation receive_socket{IORING_OP_RECV, MSG_WAITALL, "io_uring recv"};

struct Pipe {
  static constexpr Facts facts{.name = "io_uring.pipe",
                               .summary = "anonymous pipe, read and written through io_uring",
                               .family = Family::process,
                               .naming = Naming::inherited,
                               .handle = Handle::fd,
                               .boundary = Boundary::stream,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_many,
                               .pollable = true,
                               .copies = 2,
                               .standard = "Linux"};

  static std::string unavailable() {
    return IoUring::unavailable({read_pipe.opcode, write_pipe.opcode});
  }

  struct Producer {
    IoUring ring;
    Fd fd;
    void send(View message) { write_pipe.transfer_all(ring, fd, message.data(), message.size()); }
  };
  struct Consumer {
    IoUring ring;
    Fd fd;
    std::size_t recv(Bytes buffer) {
      return read_pipe.transfer_all(ring, fd, buffer.data(), buffer.size());
    }
  };

  // The pipe itself blocks, in every way of waiting: it is the ring that is waited for.
  explicit Pipe(const Shape& shape) : waiting_(shape.waiting) {
    int fds[2];
    check(::pipe2(fds, O_CLOEXEC), "pipe2");
    read_end_ = Fd(fds[0]);
    write_end_ = Fd(fds[1]);
  }
  Producer producer() {
    read_end_.close();
    return {IoUring(waiting_), std::move(write_end_)};
  }
  Consumer consumer() {
    write_end_.close();
    return {IoUring(waiting_), std::move(read_end_)};
  }

 private:
  Waiting waiting_;
  Fd read_end_;
  Fd write_end_;
};

struct Socket {
  static constexpr Facts facts{.name = "io_uring.socket",
                               .summary = "UNIX stream socket through io_uring, deferred task work",
                               .family = Family::process,
                               .naming = Naming::inherited,
                               .handle = Handle::fd,
                               .boundary = Boundary::stream,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "Linux"};

  static std::string unavailable() {
    return IoUring::unavailable({send_socket.opcode, receive_socket.opcode}, single_issuer);
  }

  struct End {
    IoUring ring;
    Fd fd;
    void send(View message) { send_socket.transfer_all(ring, fd, message.data(), message.size()); }
    std::size_t recv(Bytes buffer) {
      return receive_socket.transfer_all(ring, fd, buffer.data(), buffer.size());
    }
  };

  explicit Socket(const Shape& shape) : waiting_(shape.waiting) {
    int fds[2];
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), "socketpair");
    for (const int i : {0, 1}) ends_[i] = Fd(fds[i]);
  }
  End producer() { return end(0); }
  End consumer() { return end(1); }

 private:
  End end(int which) {
    ends_[1 - which].close();
    return {IoUring(waiting_, single_issuer), std::move(ends_[which])};
  }

  Waiting waiting_;
  Fd ends_[2];
};

}  // namespace

std::vector<Row> io_uring_rows() {
  return {row<Pipe>(), row<Socket>()};
}

}  // namespace ipcbench
