// udplite: UDP-Lite (RFC 3828) over the loopback: UDP whose checksum covers only the first bytes.
#include "scenarios/matrix.h"
#include "transports/datagram.h"

namespace ipcbench {
namespace {

// The header's 8 bytes are the least that the checksum may cover, and what the protocol is for.
constexpr PortProtocol v4{.domain = AF_INET, .protocol = IPPROTO_UDPLITE, .checksum_coverage = 8};
constexpr PortProtocol v6{.domain = AF_INET6, .protocol = IPPROTO_UDPLITE, .checksum_coverage = 8};

}  // namespace

std::vector<Row> udplite_rows() {
  constexpr const char* summary = "UDP-Lite, checksum over the header alone";
  return {row<Udp>(renamed(Udp::facts, "udplite", summary, "Linux, FreeBSD"), v4),
          row<Udp>(renamed(Udp::facts, "udplite.v6", summary, "Linux, FreeBSD"), v6)};
}

}  // namespace ipcbench
