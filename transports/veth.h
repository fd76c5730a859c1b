// veth.h: two network interfaces with a cable between them (veth(4)): what goes out of one comes in
// at the other. Made by rtnetlink(7), in the network namespace of the calling process.
#pragma once

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "harness/unix.h"

namespace ipcbench {

/// A request to rtnetlink about a link: attributes, which may hold others, after a header.
class LinkRequest {
 public:
  LinkRequest(std::uint16_t type, std::uint16_t flags, const ifinfomsg& link) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<__u16>(NLM_F_REQUEST | NLM_F_ACK | flags);
    put(&header, sizeof header);
    put(&link, sizeof link);
  }
  void add(std::uint16_t type, const void* value, std::size_t size) {
    const std::size_t start = begin(type);
    put(value, size);
    end(start);
  }
  void add(std::uint16_t type, const std::string& text) {
    add(type, text.c_str(), text.size() + 1);
  }
  void add(std::uint16_t type, std::uint32_t number) { add(type, &number, sizeof number); }
  /// Returns what end() is to be called with, when all that it holds is added.
  std::size_t begin(std::uint16_t type) {
    const std::size_t start = bytes_.size();
    const rtattr header{0, type};
    put(&header, sizeof header);
    return start;
  }
  void end(std::size_t start) {
    const auto size = static_cast<std::uint16_t>(bytes_.size() - start);
    std::memcpy(bytes_.data() + start, &size, sizeof size);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }
  void put(const void* value, std::size_t size) {
    const auto* first = static_cast<const std::byte*>(value);
    bytes_.insert(bytes_.end(), first, first + size);
  }

  /// Throws std::system_error with what the kernel answers, unless that is a success.
  void send(const std::string& name) {
    const auto size = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &size, sizeof size);
    const Fd socket(check(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "socket"));
    check(::send(socket.get(), bytes_.data(), bytes_.size(), 0), "send", "rtnetlink");
    alignas(nlmsghdr) char answer[4096];
    const auto receive = [&] { return ::recv(socket.get(), answer, sizeof answer, 0); };
    check(retry(receive), "recv", "rtnetlink");
    nlmsgerr result;
    std::memcpy(&result, answer + NLMSG_HDRLEN, sizeof result);
    errno = -result.error;
    if (result.error != 0) fail("rtnetlink", name);
  }

 private:
  std::vector<std::byte> bytes_;
};

class Veth {
 public:
  /// Names of the two interfaces, of up to 15 bytes. They are made only if they are ours.
  Veth(std::string first, std::string second, std::uint32_t mtu, bool is_ours)
      : first_(std::move(first)), second_(std::move(second)), owner_(is_ours ? ::getpid() : 0) {
    if (!is_ours) return;
    const ifinfomsg down{};
    LinkRequest request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, down);
    describe(request, first_, mtu);
    const std::size_t info = request.begin(IFLA_LINKINFO);
    request.add(IFLA_INFO_KIND, "veth");
    const std::size_t data = request.begin(IFLA_INFO_DATA);
    const std::size_t peer = request.begin(VETH_INFO_PEER);
    request.put(&down, sizeof down);
    describe(request, second_, mtu);
    for (const std::size_t nest : {peer, data, info}) request.end(nest);
    request.send(first_);
    raise(first_);
    raise(second_);
  }
  Veth(const Veth&) = delete;
  Veth& operator=(const Veth&) = delete;
  /// Of the two, the second one goes with the first.
  ~Veth() {
    if (owner_ != ::getpid()) return;
    try {
      LinkRequest request(RTM_DELLINK, 0, {});
      request.add(IFLA_IFNAME, first_);
      request.send(first_);
    } catch (const std::exception&) {
      // It goes with its namespace.
    }
  }

  const std::string& first() const { return first_; }
  const std::string& second() const { return second_; }

 private:
  /// With one queue each way: a program sees all that comes in.
  static void describe(LinkRequest& request, const std::string& name, std::uint32_t mtu) {
    request.add(IFLA_IFNAME, name);
    request.add(IFLA_MTU, mtu);
    request.add(IFLA_NUM_TX_QUEUES, 1U);
    request.add(IFLA_NUM_RX_QUEUES, 1U);
  }

  static void raise(const std::string& name) {
    ifinfomsg up{};
    up.ifi_flags = up.ifi_change = IFF_UP;
    LinkRequest request(RTM_SETLINK, 0, up);
    request.add(IFLA_IFNAME, name);
    request.send(name);
  }

  std::string first_;
  std::string second_;
  pid_t owner_;
};

}  // namespace ipcbench
