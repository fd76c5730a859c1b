// unix_seqpacket: the UNIX domain socket of type SOCK_SEQPACKET. Messages both ways, connected and
// in order, found by a path.
#include "scenarios/matrix.h"
#include "transports/socket.h"

namespace ipcbench {
namespace {

struct UnixSeqpacket : UnixConnection<SOCK_SEQPACKET, MessageEnd> {
  static constexpr Facts facts{.name = "unix_seqpacket",
                               .summary = "UNIX sequenced-packet socket, by path",
                               .family = Family::socket,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "POSIX"};

  static std::size_t message_max() { return unix_message_max(); }

  using UnixConnection::UnixConnection;
};

}  // namespace

std::vector<Row> unix_seqpacket_rows() {
  return {row<UnixSeqpacket>()};
}

}  // namespace ipcbench
