// unix_seqpacket: the UNIX domain socket of type SOCK_SEQPACKET. Messages both ways, connected and
// in order, found by a path.
#include "scenarios/matrix.h"
#include "transports/socket.h"

namespace ipcbench {
namespace {

struct UnixSeqpacket {
  static constexpr Facts facts{.name = "unix_seqpacket",
                               .summary = "UNIX sequenced-packet socket, by path",
                               .family = Family::socket,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .copies = 2,
                               .standard = "POSIX"};

  static std::size_t message_max() { return unix_message_max(); }

  explicit UnixSeqpacket(const Shape& shape)
      : name_(*shape.directory, NameKind::path), listener_(make_socket(AF_UNIX, SOCK_SEQPACKET)) {
    bind_to(listener_, unix_address(name_.text()), name_.text());
    check(::listen(listener_.get(), 1), "listen", name_.text());
  }

  MessageEnd producer() {
    listener_.close();
    Fd socket = make_socket(AF_UNIX, SOCK_SEQPACKET);
    connect_to(socket, unix_address(name_.text()), name_.text());
    return {std::move(socket)};
  }
  MessageEnd consumer() {
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

std::vector<Row> unix_seqpacket_rows() {
  return {row<UnixSeqpacket>()};
}

}  // namespace ipcbench
