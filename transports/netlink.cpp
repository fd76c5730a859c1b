// netlink: NETLINK_USERSOCK, netlink between two processes without the kernel as a party. Messages
// both ways, reliable and in order: a sender waits for room in the receiver's buffer.
#include "scenarios/matrix.h"
#include "transports/datagram.h"

namespace ipcbench {
namespace {

// Our messages have no nlmsghdr: between processes nobody reads it. A socket that is full for its
// sender is writable for epoll(7) all the same, so `poll` tries again and again like `spin`.
struct Netlink : PortPair<MessageEnd> {
  static constexpr Facts facts{.name = "netlink",
                               .summary = "netlink between processes, NETLINK_USERSOCK unicast",
                               .family = Family::socket,
                               .naming = Naming::port,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "Linux"};
  using PortPair::PortPair;
};

constexpr PortProtocol usersock{.domain = AF_NETLINK, .protocol = NETLINK_USERSOCK};

}  // namespace

std::vector<Row> netlink_rows() {
  return {row<Netlink>(Netlink::facts, usersock)};
}

}  // namespace ipcbench
