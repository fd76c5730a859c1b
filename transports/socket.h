// socket.h: what the socket transports share: the ends of a socket, and addresses.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "harness/transport.h"

namespace ipcbench {

/// One end of a connected byte-stream socket: both ends send and receive.
struct StreamEnd {
  Waitable fd;

  // MSG_NOSIGNAL: a dead peer is an error to report, not a SIGPIPE to die of.
  void send(View message) {
    while (true) {
      const ssize_t sent = ::send(fd.get(), message.data(), message.size(), MSG_NOSIGNAL);
      if (sent == static_cast<ssize_t>(message.size())) [[likely]]
        return;
      if (sent == -1)
        fd.await_writable("send");
      else
        message = message.subspan(static_cast<std::size_t>(sent));
    }
  }
  // MSG_WAITALL fills the buffer in one call where it can; a signal may still cut it short.
  std::size_t recv(Bytes buffer) {
    const std::size_t size = buffer.size();
    while (true) {
      const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_WAITALL);
      if (got == static_cast<ssize_t>(buffer.size())) [[likely]]
        return size;
      if (got == 0) fail_closed("recv");
      if (got == -1)
        fd.await_readable("recv");
      else
        buffer = buffer.subspan(static_cast<std::size_t>(got));
    }
  }
};

/// One end of a connected socket that keeps message boundaries: both ends send and receive.
struct MessageEnd {
  Waitable fd;

  void send(View message) {
    while (::send(fd.get(), message.data(), message.size(), MSG_NOSIGNAL) == -1)
      [[unlikely]] fd.await_writable("send");
  }
  // MSG_TRUNC returns the message's real size, so that a cut one is found out.
  std::size_t recv(Bytes buffer) {
    ssize_t got;
    while ((got = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_TRUNC)) == -1)
      [[unlikely]] fd.await_readable("recv");
    if (got == 0) [[unlikely]]
      fail_closed("recv");
    if (static_cast<std::size_t>(got) > buffer.size()) [[unlikely]]
      fail_truncated(static_cast<std::size_t>(got), buffer.size());
    return static_cast<std::size_t>(got);
  }

  [[noreturn, gnu::cold, gnu::noinline]] static void fail_truncated(std::size_t size,
                                                                    std::size_t expected) {
    throw std::runtime_error(
        fmt::format("recv: a message of {} bytes, expected at most {}", size, expected));
  }
};

/// A socket's address, of any family.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;

  SocketAddress() = default;
  template <class Address>
  SocketAddress(const Address& address, std::size_t bytes = sizeof(Address))
      : size(static_cast<socklen_t>(bytes)) {
    static_assert(sizeof(Address) <= sizeof storage);
    std::memcpy(&storage, &address, bytes);
  }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// The address of a path; or of an abstract name, which starts with a zero byte and has no other
/// end than its length (unix(7)).
inline SocketAddress unix_address(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    fail("sockaddr_un", name + ": a socket's path has at most 107 bytes; choose a shorter TMPDIR");
  }
  std::memcpy(address.sun_path, name.data(), name.size());
  const bool is_path = name[0] != '\0';
  return {address, offsetof(sockaddr_un, sun_path) + name.size() + is_path};
}

/// The loopback's address of AF_INET or AF_INET6. Port 0: the kernel chooses a free one.
inline SocketAddress loopback_address(int domain, std::uint16_t port = 0) {
  if (domain == AF_INET6) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = IN6ADDR_LOOPBACK_INIT;
    address.sin6_port = htons(port);
    return address;
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

inline Fd make_socket(int domain, int type, int protocol = 0) {
  return Fd(check(::socket(domain, type | SOCK_CLOEXEC, protocol), "socket"));
}

/// Why no such socket can be had at an address, or "". It is tried, and closed again.
inline std::string why_no_socket(int domain, int type, int protocol, const SocketAddress& address) {
  const Fd socket(::socket(domain, type | SOCK_CLOEXEC, protocol));
  if (!socket) return fmt::format("socket: {}", std::strerror(errno));
  if (::bind(socket.get(), address.get(), address.size) == 0) return "";
  return fmt::format("bind: {}", std::strerror(errno));
}

/// `name` is what a failure is told by.
inline void bind_to(const Fd& socket, const SocketAddress& address, std::string_view name) {
  check(::bind(socket.get(), address.get(), address.size), "bind", name);
}

inline void connect_to(const Fd& socket, const SocketAddress& address, std::string_view name) {
  check(retry([&] { return ::connect(socket.get(), address.get(), address.size); }), "connect",
        name);
}

/// What a socket is bound to.
inline SocketAddress address_of(const Fd& socket) {
  SocketAddress address;
  check(::getsockname(socket.get(), address.get(), &address.size), "getsockname");
  return address;
}

/// A name as people write it: abstract ones begin with @.
inline std::string shown(const Name& name) {
  std::string text = name.text();
  if (text[0] == '\0') text[0] = '@';
  return text;
}

/// The largest message that a fresh AF_UNIX socket takes: its send buffer, which is left at the
/// system's default, less what the kernel keeps of it (unix_dgram_sendmsg: sk_sndbuf - 32).
inline std::size_t unix_message_max() {
  return read_number("/proc/sys/net/core/wmem_default", 212992) - 32;
}

}  // namespace ipcbench
