// unix_dgram: the UNIX domain socket of type SOCK_DGRAM. Messages both ways, reliable and in order
// unlike UDP's, between two sockets that are bound to paths and connected to each other.
#include "scenarios/matrix.h"
#include "transports/socket.h"

namespace ipcbench {
namespace {

struct UnixDgram {
  static constexpr Facts facts{.name = "unix_dgram",
                               .summary = "UNIX datagram socket, by path",
                               .family = Family::socket,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "POSIX"};

  static std::size_t message_max() { return unix_message_max(); }

  explicit UnixDgram(const Shape& shape)
      : waiting_(shape.waiting),
        producer_name_(*shape.directory, NameKind::path),
        consumer_name_(*shape.directory, NameKind::path),
        producer_(make_socket(AF_UNIX, SOCK_DGRAM)),
        consumer_(make_socket(AF_UNIX, SOCK_DGRAM)) {
    bind_to(producer_, unix_address(producer_name_.text()), producer_name_.text());
    bind_to(consumer_, unix_address(consumer_name_.text()), consumer_name_.text());
    // Both ways at once: a socket that is connected elsewhere refuses others with EPERM, and only
    // a mutually connected pair is free of the limit of max_dgram_qlen messages (unix(7)).
    connect_to(producer_, unix_address(consumer_name_.text()), consumer_name_.text());
    connect_to(consumer_, unix_address(producer_name_.text()), producer_name_.text());
    producer_name_.unlink();
    consumer_name_.unlink();
  }

  MessageEnd producer() {
    consumer_.close();
    return {Waitable(std::move(producer_), waiting_)};
  }
  MessageEnd consumer() {
    producer_.close();
    return {Waitable(std::move(consumer_), waiting_)};
  }

 private:
  Waiting waiting_;
  Name producer_name_;
  Name consumer_name_;
  Fd producer_;
  Fd consumer_;
};

}  // namespace

std::vector<Row> unix_dgram_rows() {
  return {row<UnixDgram>()};
}

}  // namespace ipcbench
