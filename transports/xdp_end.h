// xdp_end.h: an end that sends and receives messages by an AF_XDP socket: each is one frame.
#pragma once

#include <fcntl.h>
#include <sched.h>

#include <cstring>
#include <stdexcept>

#include "harness/transport.h"
#include "transports/xdp_socket.h"

namespace ipcbench {

/// The first of those for local experiments (IEEE 802, clause 9.2.3).
inline constexpr std::uint16_t xdp_ether_type = 0x88B5;
/// An Ethernet header: two addresses, of which nobody here asks, and the type.
inline constexpr std::size_t xdp_header_size = 14;

class XdpEnd {
 public:
  // The socket has no call that blocks and receives: to block is to sleep in epoll_wait(2).
  XdpEnd(XdpSocket socket, Waiting waiting)
      : socket_(std::move(socket)),
        ready_(Fd(check(::fcntl(socket_.fd(), F_DUPFD_CLOEXEC, 0), "fcntl")),
               waiting == Waiting::block ? Waiting::poll : waiting) {}

  Bytes reserve(std::size_t size) {
    if (size + xdp_header_size > XdpSocket::frame_size) [[unlikely]]
      throw std::length_error("a message that is larger than a frame");
    while (!socket_.find_free(frame_)) ::sched_yield();
    const Bytes room = socket_.room(frame_);
    std::memset(room.data(), 0, xdp_header_size - sizeof xdp_ether_type);
    room[xdp_header_size - 2] = std::byte{xdp_ether_type >> 8};
    room[xdp_header_size - 1] = std::byte{xdp_ether_type & 0xFF};
    size_ = size;
    return room.subspan(xdp_header_size, size);
  }
  void commit() {
    socket_.put(frame_, xdp_header_size + size_);
    while (!socket_.send()) [[unlikely]] ::sched_yield();
  }
  std::size_t recv(Bytes buffer) {
    while (!socket_.has_received()) {
      errno = EAGAIN;
      ready_.await_readable("epoll_wait");
    }
    return copy_next(buffer);
  }
  std::size_t recv_within(Bytes buffer, std::int64_t ns) {
    Deadline deadline(ns);
    while (!socket_.has_received()) {
      errno = EAGAIN;
      if (!ready_.await_readable("epoll_wait", deadline)) return 0;
    }
    return copy_next(buffer);
  }

 private:
  std::size_t copy_next(Bytes buffer) {
    const xdp_desc frame = socket_.take();
    const View message = socket_.bytes(frame).subspan(xdp_header_size);
    if (message.size() > buffer.size()) [[unlikely]]
      throw std::runtime_error(fmt::format("recv: a message of {} bytes, expected at most {}",
                                           message.size(), buffer.size()));
    std::memcpy(buffer.data(), message.data(), message.size());
    socket_.give_back(frame);
    return message.size();
  }

  XdpSocket socket_;
  Waitable ready_;
  std::uint64_t frame_ = 0;
  std::size_t size_ = 0;
};

}  // namespace ipcbench
