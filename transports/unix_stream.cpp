// unix_stream: the UNIX domain socket of type SOCK_STREAM. A byte stream both ways, found by a
// path.
#include "scenarios/matrix.h"
#include "transports/socket.h"

namespace ipcbench {
namespace {

struct UnixStream : UnixConnection<SOCK_STREAM, StreamEnd> {
  static constexpr Facts facts{.name = "unix_stream",
                               .summary = "UNIX stream socket, by path",
                               .family = Family::socket,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::stream,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "POSIX"};

  using UnixConnection::UnixConnection;
};

}  // namespace

std::vector<Row> unix_stream_rows() {
  return {row<UnixStream>()};
}

}  // namespace ipcbench
