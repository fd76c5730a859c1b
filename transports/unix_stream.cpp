// unix_stream: the UNIX domain socket of type SOCK_STREAM. A byte stream both ways, found by a
// path.
#include "scenarios/matrix.h"
#include "transports/socket.h"

namespace ipcbench {
namespace {

struct UnixStream {
  static constexpr Facts facts{.name = "unix_stream",
                               .summary = "UNIX stream socket, by path",
                               .family = Family::socket,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::stream,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .copies = 2,
                               .standard = "POSIX"};

  explicit UnixStream(const Shape& shape)
      : name_(*shape.directory, NameKind::path), listener_(make_socket(AF_UNIX, SOCK_STREAM)) {
    bind_to(listener_, unix_address(name_.text()), name_.text());
    check(::listen(listener_.get(), 1), "listen", name_.text());
  }

  StreamEnd producer() {
    listener_.close();
    Fd socket = make_socket(AF_UNIX, SOCK_STREAM);
    connect_to(socket, unix_address(name_.text()), name_.text());
    return {std::move(socket)};
  }
  StreamEnd consumer() {
    Fd socket = accept_one(listener_);
    listener_.close();
    name_.unlink();
    return {std::move(socket)};
  }

 private:
  Name name_;
  Fd listener_;
};

}  // namespace

std::vector<Row> unix_stream_rows() {
  return {row<UnixStream>()};
}

}  // namespace ipcbench
