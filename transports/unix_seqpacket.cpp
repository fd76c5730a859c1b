// unix_seqpacket: the UNIX domain socket of type SOCK_SEQPACKET. Messages both ways, connected and
// in order.
#include "scenarios/matrix.h"
#include "transports/connection.h"

namespace ipcbench {
namespace {

struct UnixSeqpacket : Connection<MessageEnd> {
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

  using Connection::Connection;
};

// A type of its own: what several ends may share is decided by the type.
struct UnixSeqpacketPair : UnixSeqpacket {
  static constexpr Facts facts = facts_of_pair(UnixSeqpacket::facts, "unix_seqpacket.pair",
                                               "UNIX sequenced-packet socket, socketpair");

  using UnixSeqpacket::UnixSeqpacket;
};

}  // namespace

std::vector<Row> unix_seqpacket_rows() {
  constexpr const Facts& facts = UnixSeqpacket::facts;
  return {row<UnixSeqpacket>(facts, unix_path<SOCK_SEQPACKET>),
          row<UnixSeqpacket>(facts_of_abstract(facts, "unix_seqpacket.abstract",
                                               "UNIX sequenced-packet socket, abstract name"),
                             unix_abstract<SOCK_SEQPACKET>),
          row<UnixSeqpacketPair>(UnixSeqpacketPair::facts, unix_pair<SOCK_SEQPACKET>)};
}

}  // namespace ipcbench
