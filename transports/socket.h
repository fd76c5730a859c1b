// socket.h: what the socket transports share: the ends of a socket, and how two processes meet.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
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

inline Fd make_socket(int domain, int type) {
  return Fd(check(::socket(domain, type | SOCK_CLOEXEC, 0), "socket"));
}

inline sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    fail("sockaddr_un", path + ": a socket's path has at most 107 bytes; choose a shorter TMPDIR");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

template <class Address>
void bind_to(const Fd& socket, const Address& address, std::string_view name) {
  check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind",
        name);
}

template <class Address>
void connect_to(const Fd& socket, const Address& address, std::string_view name) {
  const auto* any = reinterpret_cast<const sockaddr*>(&address);
  check(retry([&] { return ::connect(socket.get(), any, sizeof address); }), "connect", name);
}

inline Fd accept_one(const Fd& listener) {
  return Fd(check(retry([&] { return ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC); }),
                  "accept4"));
}

/// The ends of a connected AF_UNIX socket of a type, whose processes meet at a path: the runner
/// listens there, the producer connects, the consumer accepts and takes the path away.
template <int type, class End>
class UnixConnection {
 public:
  explicit UnixConnection(const Shape& shape)
      : name_(*shape.directory, NameKind::path), waiting_(shape.waiting) {
    if (!name_.is_ours()) return;
    listener_ = make_socket(AF_UNIX, type);
    bind_to(listener_, unix_address(name_.text()), name_.text());
    check(::listen(listener_.get(), 1), "listen", name_.text());
  }

  End producer() {
    listener_.close();
    Fd socket = make_socket(AF_UNIX, type);
    connect_to(socket, unix_address(name_.text()), name_.text());
    return {Waitable(std::move(socket), waiting_)};
  }
  End consumer() {
    Fd socket = accept_one(listener_);
    listener_.close();
    name_.unlink();
    return {Waitable(std::move(socket), waiting_)};
  }

 private:
  Name name_;
  Waiting waiting_;
  Fd listener_;
};

/// The largest message that a fresh AF_UNIX socket takes: its send buffer, which is left at the
/// system's default, less what the kernel keeps of it (unix_dgram_sendmsg: sk_sndbuf - 32).
inline std::size_t unix_message_max() {
  return read_number("/proc/sys/net/core/wmem_default", 212992) - 32;
}

}  // namespace ipcbench
