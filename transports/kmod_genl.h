// kmod_genl.h: a generic netlink socket that speaks the language of our kernel module's family.
#pragma once

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>

#include "transports/kmod.h"

namespace ipcbench {

/// What stands before the one attribute of each of our messages, and its length.
struct GenlHeader {
  nlmsghdr netlink;
  genlmsghdr generic;
  nlattr attribute;
};
static_assert(sizeof(GenlHeader) == NLMSG_HDRLEN + GENL_HDRLEN + NLA_HDRLEN);

class GenlSocket {
 public:
  /// A bound socket, which isn't told of messages that found no room: their sender is.
  explicit GenlSocket(Waiting waiting = Waiting::block) {
    Fd socket(check(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), "socket"));
    sockaddr_nl any{};
    any.nl_family = AF_NETLINK;
    check(::bind(socket.get(), reinterpret_cast<sockaddr*>(&any), sizeof any), "bind");
    const int on = 1;
    const int room = 4 << 20;  // as far as net.core.rmem_max allows
    check(::setsockopt(socket.get(), SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on), "setsockopt",
          "NETLINK_NO_ENOBUFS");
    check(::setsockopt(socket.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on), "setsockopt",
          "NETLINK_CAP_ACK");
    check(::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room), "setsockopt",
          "SO_RCVBUF");
    socket_ = Waitable(std::move(socket), waiting);
    const std::string_view name(IPCBENCH_FAMILY, sizeof IPCBENCH_FAMILY);
    family_ = family_named(std::as_bytes(std::span(name)));
  }

  /// Speaks for a session from now on.
  void join(int session) {
    std::uint64_t cookie = 0;
    check(::ioctl(session, IPCBENCH_IOC_COOKIE, &cookie), "ioctl", "cookie");
    const View bytes = std::as_bytes(std::span(&cookie, 1));
    send(family_, IPCBENCH_CMD_JOIN, IPCBENCH_ATTR_COOKIE, bytes, NLM_F_ACK);
    if ((errno = await_answer()) != 0) fail("netlink", "join");
  }
  /// Sends a message. With NLM_F_ACK an answer is to be awaited.
  void send(View message, std::uint16_t flags) {
    send(family_, IPCBENCH_CMD_SEND, IPCBENCH_ATTR_DATA, message, flags);
  }
  /// What became of the last message that was to be acknowledged: 0, or an errno.
  int await_answer() {
    struct {
      nlmsghdr header;
      nlmsgerr error;
    } answer;
    ssize_t got;
    while ((got = ::recv(socket_.get(), &answer, sizeof answer, 0)) == -1)
      socket_.await_readable("recv");
    if (got < static_cast<ssize_t>(sizeof answer.header + sizeof answer.error.error) ||
        answer.header.nlmsg_type != NLMSG_ERROR)
      throw std::runtime_error("netlink: expected an acknowledgement");
    return -answer.error.error;
  }
  /// Receives a message, and returns its size.
  std::size_t receive(Bytes buffer) { return receive(buffer, family_); }

 private:
  void send(std::uint16_t type, std::uint8_t command, std::uint16_t attribute, View data,
            std::uint16_t flags) {
    const auto size = static_cast<std::uint32_t>(data.size());
    GenlHeader header{};
    header.netlink.nlmsg_len = static_cast<std::uint32_t>(sizeof header + NLA_ALIGN(size));
    header.netlink.nlmsg_type = type;
    header.netlink.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    header.generic = {.cmd = command, .version = IPCBENCH_FAMILY_VERSION, .reserved = 0};
    header.attribute = {static_cast<std::uint16_t>(NLA_HDRLEN + size), attribute};
    std::uint32_t padding = 0;
    iovec parts[] = {{&header, sizeof header},
                     {const_cast<std::byte*>(data.data()), size},
                     {&padding, NLA_ALIGN(size) - size}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = std::size(parts);
    while (::sendmsg(socket_.get(), &message, 0) == -1) socket_.await_writable("sendmsg");
  }

  std::size_t receive(Bytes buffer, std::uint16_t type) {
    GenlHeader header{};
    std::uint32_t padding = 0;
    iovec parts[] = {
        {&header, sizeof header}, {buffer.data(), buffer.size()}, {&padding, sizeof padding}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = std::size(parts);
    while (::recvmsg(socket_.get(), &message, 0) == -1)
      [[unlikely]] socket_.await_readable("recvmsg");
    if (header.netlink.nlmsg_type == NLMSG_ERROR) {
      // The error stands where a message has its generic header.
      errno = -static_cast<int>(header.generic.cmd | header.generic.version << 8 |
                                header.generic.reserved << 16);
      fail("netlink");
    }
    const std::size_t size = header.attribute.nla_len - std::size_t{NLA_HDRLEN};
    if (header.netlink.nlmsg_type != type || (message.msg_flags & MSG_TRUNC) != 0 ||
        size > buffer.size() || header.netlink.nlmsg_len != sizeof header + NLA_ALIGN(size))
      throw std::runtime_error("netlink: not the message that was expected");
    return size;
  }

  /// The number that the kernel has given to the family of this name, with its zero at the end.
  std::uint16_t family_named(View name) {
    send(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, name, 0);
    alignas(nlattr) std::array<std::byte, 4096> reply{};
    check(retry([&] { return ::recv(socket_.get(), reply.data(), reply.size(), 0); }), "recv");
    const auto* header = reinterpret_cast<const nlmsghdr*>(reply.data());
    if (header->nlmsg_type == GENL_ID_CTRL) {
      for (std::size_t at = NLMSG_HDRLEN + GENL_HDRLEN; at + NLA_HDRLEN < header->nlmsg_len;) {
        const auto* attribute = reinterpret_cast<const nlattr*>(reply.data() + at);
        std::uint16_t number;
        std::memcpy(&number, attribute + 1, sizeof number);
        if (attribute->nla_type == CTRL_ATTR_FAMILY_ID) return number;
        at += NLA_ALIGN(std::max<std::size_t>(attribute->nla_len, NLA_HDRLEN));
      }
    }
    throw std::runtime_error("netlink: there is no family '" IPCBENCH_FAMILY "'");
  }

  Waitable socket_;
  std::uint16_t family_ = 0;
};

}  // namespace ipcbench
