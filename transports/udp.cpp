// udp: UDP over the loopback, IPv4 and IPv6. Messages both ways, between connected sockets; what
// the receiver's buffer has no room for is lost.
#include "scenarios/matrix.h"
#include "transports/datagram.h"

namespace ipcbench {
namespace {

constexpr PortProtocol v4{.domain = AF_INET, .protocol = IPPROTO_UDP};
constexpr PortProtocol v6{.domain = AF_INET6, .protocol = IPPROTO_UDP};

}  // namespace

std::vector<Row> udp_rows() {
  return {row<Udp>(Udp::facts, v4),
          row<Udp>(renamed(Udp::facts, "udp.v6", "UDP on ::1", "POSIX"), v6)};
}

}  // namespace ipcbench
