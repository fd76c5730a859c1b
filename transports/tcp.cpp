// tcp: TCP over IPv4 on the loopback, without Nagle's delay. A byte stream both ways.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "scenarios/matrix.h"
#include "transports/socket.h"

namespace ipcbench {
namespace {

struct Tcp {
  static constexpr Facts facts{.name = "tcp",
                               .summary = "TCP on 127.0.0.1, TCP_NODELAY",
                               .family = Family::socket,
                               .naming = Naming::port,
                               .handle = Handle::fd,
                               .boundary = Boundary::stream,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "POSIX"};

  explicit Tcp(const Shape& shape)
      : port_(*shape.directory, NameKind::note), waiting_(shape.waiting) {
    if (!port_.is_ours()) return;
    listener_ = make_socket(AF_INET, SOCK_STREAM);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);  // port 0: the kernel chooses a free one
    bind_to(listener_, any, "127.0.0.1");
    check(::listen(listener_.get(), 1), "listen", "127.0.0.1");
    socklen_t size = sizeof any;
    check(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&any), &size), "getsockname");
    port_.publish(ntohs(any.sin_port));
  }

  StreamEnd producer() {
    listener_.close();
    Fd socket = make_socket(AF_INET, SOCK_STREAM);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port_.await_number()));
    connect_to(socket, address, "127.0.0.1");
    return end(std::move(socket));
  }
  StreamEnd consumer() {
    Fd socket = accept_one(listener_);
    listener_.close();
    return end(std::move(socket));
  }

 private:
  /// Without TCP_NODELAY small answers wait for acknowledgements (tcp(7)).
  StreamEnd end(Fd socket) const {
    const int on = 1;
    check(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt",
          "TCP_NODELAY");
    return {Waitable(std::move(socket), waiting_)};
  }

  Name port_;
  Waiting waiting_;
  Fd listener_;
};

}  // namespace

std::vector<Row> tcp_rows() {
  return {row<Tcp>()};
}

}  // namespace ipcbench
