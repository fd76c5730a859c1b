// sctp: SCTP on the loopback, in its one-to-one style. Messages both ways, connected and in order.
#include <sys/socket.h>

#include <cstdint>

#include <linux/sctp.h>  // wants both of those

#include "scenarios/matrix.h"
#include "transports/connection.h"

namespace ipcbench {
namespace {

struct SctpEnd {
  Waitable fd;

  void send(View message) {
    while (::send(fd.get(), message.data(), message.size(), MSG_NOSIGNAL) == -1)
      [[unlikely]] fd.await_writable("send");
  }
  // A message that the receive buffer can't hold is delivered in parts, and MSG_EOR marks the last
  // of them (RFC 6458, section 3.1.4).
  std::size_t recv(Bytes buffer) {
    std::size_t size = 0;
    while (true) {
      iovec rest{buffer.data() + size, buffer.size() - size};
      msghdr header{};
      header.msg_iov = &rest;
      header.msg_iovlen = 1;
      const ssize_t got = ::recvmsg(fd.get(), &header, 0);
      if (got == 0) [[unlikely]]
        fail_closed("recvmsg");
      if (got == -1) [[unlikely]] {
        fd.await_readable("recvmsg");
        continue;
      }
      size += static_cast<std::size_t>(got);
      if ((header.msg_flags & MSG_EOR) != 0) [[likely]]
        return size;
      if (size == buffer.size()) [[unlikely]]
        MessageEnd::fail_truncated(size + 1, size);
    }
  }
};

struct Sctp : Connection<SctpEnd> {
  static constexpr Facts facts{.name = "sctp",
                               .summary = "SCTP on 127.0.0.1, one to one, SCTP_NODELAY",
                               .family = Family::socket,
                               .naming = Naming::port,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 3,  // chunks are copied once more, into their packet
                               .standard = "Linux, BSD (RFC 6458)"};

  static std::string unavailable(const Connected& how) {
    return why_no_socket(how.domain, how.type, how.protocol, loopback_address(how.domain));
  }
  /// A sender that waits does so until the send buffer has room for the whole message
  /// (sctp_wait_for_sndbuf), so one that is larger may wait for ever.
  static std::size_t message_max() {
    return read_number("/proc/sys/net/core/wmem_default", 212992);
  }

  using Connection::Connection;
};

template <int domain>
constexpr Connected one_to_one{.domain = domain,
                               .type = SOCK_STREAM,
                               .protocol = IPPROTO_SCTP,
                               .address = loopback<domain>,
                               .option_level = IPPROTO_SCTP,
                               .option = SCTP_NODELAY};

}  // namespace

std::vector<Row> sctp_rows() {
  return {row<Sctp>(Sctp::facts, one_to_one<AF_INET>),
          row<Sctp>(facts_like(Sctp::facts, "sctp.v6", "SCTP on ::1, one to one, SCTP_NODELAY"),
                    one_to_one<AF_INET6>)};
}

}  // namespace ipcbench
