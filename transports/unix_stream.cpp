// unix_stream: the UNIX domain socket of type SOCK_STREAM. A byte stream both ways.
#include "scenarios/matrix.h"
#include "transports/connection.h"

namespace ipcbench {
namespace {

struct UnixStream : Connection<StreamEnd> {
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

  using Connection::Connection;
};

// A type of its own: what several ends may share is decided by the type.
struct UnixStreamPair : UnixStream {
  static constexpr Facts facts =
      facts_of_pair(UnixStream::facts, "unix_stream.pair", "UNIX stream socket, socketpair");

  using UnixStream::UnixStream;
};

}  // namespace

std::vector<Row> unix_stream_rows() {
  constexpr const Facts& facts = UnixStream::facts;
  return {row<UnixStream>(facts, unix_path<SOCK_STREAM>),
          row<UnixStream>(
              facts_of_abstract(facts, "unix_stream.abstract", "UNIX stream socket, abstract name"),
              unix_abstract<SOCK_STREAM>),
          row<UnixStreamPair>(UnixStreamPair::facts, unix_pair<SOCK_STREAM>)};
}

}  // namespace ipcbench
