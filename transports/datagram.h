// datagram.h: what the sockets without a connection share: an end that gives up waiting, room in
// the receive buffer, and two processes that exchange the port numbers that the kernel has chosen.
#pragma once

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <sys/time.h>

#include <algorithm>
#include <exception>
#include <vector>

#include "transports/socket.h"

namespace ipcbench {

/// One end of a datagram socket whose messages may get lost.
struct DatagramEnd : MessageEnd {
  std::int64_t patience_ns = 0;  ///< as the socket knows it; 0: endless

  std::size_t recv(Bytes buffer) {
    be_patient(0);
    return MessageEnd::recv(buffer);
  }
  std::size_t recv_within(Bytes buffer, std::int64_t ns) {
    be_patient(ns);
    Deadline deadline(ns);
    ssize_t got;
    while ((got = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_TRUNC)) == -1)
      [[unlikely]] if (!fd.await_readable("recv", deadline)) return 0;
    if (static_cast<std::size_t>(got) > buffer.size()) [[unlikely]]
      fail_truncated(static_cast<std::size_t>(got), buffer.size());
    return static_cast<std::size_t>(got);
  }

 private:
  /// So that a receive that blocks gives up by itself, and needs no poll(2) before it.
  void be_patient(std::int64_t ns) {
    if (ns == patience_ns) [[likely]]
      return;
    const timeval time{ns / 1'000'000'000, ns % 1'000'000'000 / 1'000};
    check(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), "setsockopt",
          "SO_RCVTIMEO");
    patience_ns = ns;
  }
};

/// "" where `make` succeeds, else what it threw: for unavailable().
std::string why_not(auto make) {
  try {
    make();
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

inline int socket_number(const Fd& socket, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  check(::getsockopt(socket.get(), SOL_SOCKET, option, &value, &size), "getsockopt");
  return value;
}

/// The largest message that a socket takes which is connected to itself: found by trying.
inline std::size_t largest_message(const Fd& socket) {
  const std::vector<std::byte> message(static_cast<std::size_t>(socket_number(socket, SO_SNDBUF)));
  std::size_t fits = 0;
  for (std::size_t too_large = message.size() + 1; fits + 1 < too_large;) {
    const std::size_t size = fits + (too_large - fits) / 2;
    const bool is_refused = ::send(socket.get(), message.data(), size, MSG_DONTWAIT) == -1 &&
                            (errno == EMSGSIZE || errno == ENOBUFS);
    (is_refused ? too_large : fits) = size;
  }
  return fits;
}

/// What the kernel charges a receive buffer for a message of `size` bytes; `end` sends to itself.
std::size_t charge_of(auto end, std::size_t size) {
  std::vector<std::byte> message(size);
  end.send(message);
  pollfd waiting{end.fd.get(), POLLIN, 0};
  if (check(retry([&] { return ::poll(&waiting, 1, 1000); }), "poll") == 0)
    throw std::runtime_error("a message to oneself got lost");
  std::uint32_t memory[SK_MEMINFO_VARS] = {};
  socklen_t length = sizeof memory;
  check(::getsockopt(end.fd.get(), SOL_SOCKET, SO_MEMINFO, memory, &length), "getsockopt",
        "SO_MEMINFO");
  return std::max<std::size_t>(memory[SK_MEMINFO_RMEM_ALLOC], 1);
}

/// Gives a receive buffer room for `depth` messages that are charged so much each, as far as
/// net.core.rmem_max allows, and returns how many it holds. A quarter stays free: UDP gives back
/// what was read only when it is that much (udp_rmem_release in the kernel's net/ipv4/udp.c).
inline std::size_t make_room(const Fd& socket, std::size_t charge, std::size_t depth) {
  const std::size_t wanted = std::min<std::size_t>(depth * charge / 3 * 4, 1 << 30);
  if (static_cast<std::size_t>(socket_number(socket, SO_RCVBUF)) < wanted) {
    const auto half = static_cast<int>(wanted / 2);  // the kernel doubles it (socket(7))
    check(::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &half, sizeof half), "setsockopt",
          "SO_RCVBUF");
  }
  const auto room = static_cast<std::size_t>(socket_number(socket, SO_RCVBUF));
  return std::clamp<std::size_t>(room / 4 * 3 / charge, 1, depth);
}

/// A protocol whose addresses on this machine are numbers that the kernel gives.
struct PortProtocol {
  int domain;
  int protocol;
  int checksum_coverage = 0;  ///< of UDP-Lite, in bytes; 0: as it is

  /// The loopback's address with a port, or netlink's; 0 asks for a free one.
  SocketAddress address(std::int64_t port) const {
    if (domain != AF_NETLINK) return loopback_address(domain, static_cast<std::uint16_t>(port));
    sockaddr_nl netlink{};
    netlink.nl_family = AF_NETLINK;
    netlink.nl_pid = static_cast<std::uint32_t>(port);
    return netlink;
  }
  std::int64_t port_of(const Fd& socket) const {
    const SocketAddress any = address_of(socket);
    if (domain == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(any.storage).sin_port);
    if (domain == AF_INET6)
      return ntohs(reinterpret_cast<const sockaddr_in6&>(any.storage).sin6_port);
    return reinterpret_cast<const sockaddr_nl&>(any.storage).nl_pid;
  }
  /// A socket with a port of its own.
  Fd bound() const {
    Fd socket = make_socket(domain, SOCK_DGRAM, protocol);
    bind_to(socket, address(0), "loopback");
    if (checksum_coverage != 0)
      check(::setsockopt(socket.get(), protocol, 10 /* UDPLITE_SEND_CSCOV */, &checksum_coverage,
                         sizeof checksum_coverage),
            "setsockopt", "UDPLITE_SEND_CSCOV");
    return socket;
  }
  Fd connected_to_itself() const {
    Fd socket = bound();
    connect_to(socket, address(port_of(socket)), "loopback");
    return socket;
  }
};

/// Two sockets, each connected to the other: the kernel lets in nobody else's messages. Both ports
/// are the kernel's choice, so each end publishes its own.
template <class End>
class PortPair {
 public:
  using Variant = PortProtocol;

  static std::string unavailable(const Variant& protocol) {
    return why_not([&] { protocol.connected_to_itself(); });
  }
  static std::size_t message_max(const Variant& protocol) {
    return largest_message(protocol.connected_to_itself());
  }

  explicit PortPair(const Shape& shape)
      : protocol_(shape.variant_as<Variant>()),
        waiting_(shape.waiting),
        consumer_port_(*shape.directory, NameKind::note),
        producer_port_(*shape.directory, NameKind::note) {
    charge_ = charge_of(MessageEnd{Waitable(protocol_.connected_to_itself())}, shape.size);
    depth_ = make_room(protocol_.bound(), charge_, shape.depth);
    if (consumer_port_.is_ours()) consumer_ = open(consumer_port_);
  }

  std::size_t depth() const { return depth_; }

  End producer() {
    consumer_.close();
    return connected(open(producer_port_), consumer_port_.await_number());
  }
  End consumer() { return connected(std::move(consumer_), producer_port_.await_number()); }

 private:
  Fd open(const Name& port) const {
    Fd socket = protocol_.bound();
    make_room(socket, charge_, depth_);
    port.publish(protocol_.port_of(socket));
    return socket;
  }
  End connected(Fd socket, std::int64_t port) const {
    connect_to(socket, protocol_.address(port), "loopback");
    End end{};
    end.fd = Waitable(std::move(socket), waiting_);
    return end;
  }

  const Variant& protocol_;
  Waiting waiting_;
  Name consumer_port_;
  Name producer_port_;
  std::size_t charge_;
  std::size_t depth_;
  Fd consumer_;
};

/// UDP and UDP-Lite over the loopback. Their rows differ in names and in data.
struct Udp : PortPair<DatagramEnd> {
  static constexpr Facts facts{.name = "udp",
                               .summary = "UDP on 127.0.0.1",
                               .family = Family::socket,
                               .naming = Naming::port,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::lossy,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "POSIX"};
  using PortPair::PortPair;
};

constexpr Facts renamed(Facts facts, std::string_view name, std::string_view summary,
                        std::string_view standard) {
  facts.name = name;
  facts.summary = summary;
  facts.standard = standard;
  return facts;
}

}  // namespace ipcbench
