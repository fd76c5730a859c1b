// unix_fd: passing a descriptor over a UNIX domain socket (SCM_RIGHTS, unix(7)). A message is a
// memfd: made, filled in place, passed, mapped by the receiver and closed by both.
#include <sys/mman.h>

#include <algorithm>

#include "scenarios/matrix.h"
#include "transports/connection.h"

namespace ipcbench {
namespace {

/// Sends and receives whole files. The payload is written and read where it lies.
struct FileEnd {
  Waitable fd;
  Fd file{};
  Mapping out{};  ///< until the next message
  Mapping in{};

  Bytes reserve(std::size_t size) {
    file = Fd(check(::memfd_create("ipcbench-message", MFD_CLOEXEC), "memfd_create"));
    check(::ftruncate(file.get(), static_cast<off_t>(size)), "ftruncate", "memfd");
    out = Mapping(size, file.get());
    return {out.data(), size};
  }
  void commit() {
    Packet packet(out.size());
    cmsghdr* control = CMSG_FIRSTHDR(&packet.header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = file.get();
    std::memcpy(CMSG_DATA(control), &number, sizeof number);
    while (::sendmsg(fd.get(), &packet.header, MSG_NOSIGNAL) == -1)
      [[unlikely]] fd.await_writable("sendmsg");
    file.close();
  }

  View peek(std::size_t) {
    Packet packet(0);
    ssize_t got;
    while ((got = ::recvmsg(fd.get(), &packet.header, MSG_CMSG_CLOEXEC)) == -1)
      [[unlikely]] fd.await_readable("recvmsg");
    if (got == 0) [[unlikely]]
      fail_closed("recvmsg");
    const cmsghdr* control = CMSG_FIRSTHDR(&packet.header);
    if (control == nullptr || control->cmsg_type != SCM_RIGHTS) [[unlikely]]
      throw std::runtime_error("recvmsg: a message without a descriptor");
    int number;
    std::memcpy(&number, CMSG_DATA(control), sizeof number);
    const Fd received(number);
    in = Mapping(packet.size, received.get());
    return {in.data(), in.size()};
  }
  void release() { in = Mapping(); }

 private:
  /// What goes through the socket itself: the file's size and, beside it, its descriptor.
  struct Packet {
    explicit Packet(std::uint64_t bytes) : size(bytes) {}
    Packet(const Packet&) = delete;
    Packet& operator=(const Packet&) = delete;

    std::uint64_t size;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    iovec part{&size, sizeof size};
    msghdr header{nullptr, 0, &part, 1, control, sizeof control, 0};
  };
};

struct UnixFd : Connection<FileEnd> {
  static constexpr Facts facts{.name = "unix_fd",
                               .summary = "a memfd for each message, passed by SCM_RIGHTS",
                               .family = Family::socket,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 0,
                               .standard = "Linux"};

  explicit UnixFd(const Shape& shape) : Connection(shape), depth_(possible_depth(shape)) {}
  FileEnd producer() { return limited(Connection::producer()); }
  FileEnd consumer() { return limited(Connection::consumer()); }

 private:
  /// Files that are under way take memory that no buffer's limit counts.
  static std::size_t possible_depth(const Shape& shape) {
    constexpr std::size_t memory_max = std::size_t{64} << 20;
    return std::clamp<std::size_t>(memory_max / std::max<std::size_t>(shape.size, 1), 1,
                                   shape.depth);
  }
  /// A packet takes about 1 KiB of the send buffer, which the kernel makes twice what is asked for
  /// and no smaller than holds a few of them (socket(7)).
  FileEnd limited(FileEnd end) const {
    const int size = static_cast<int>(depth_ * 512);
    check(::setsockopt(end.fd.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size), "setsockopt",
          "SO_SNDBUF");
    return end;
  }

  std::size_t depth_;
};

}  // namespace

std::vector<Row> unix_fd_rows() {
  return {row<UnixFd>(UnixFd::facts, unix_path<SOCK_SEQPACKET>)};
}

}  // namespace ipcbench
