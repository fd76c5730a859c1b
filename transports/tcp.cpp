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
                               .copies = 2,
                               .standard = "POSIX"};

  explicit Tcp(const Shape&) : listener_(make_socket(AF_INET, SOCK_STREAM)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);  // port 0: the kernel chooses a free one
    bind_to(listener_, any, "127.0.0.1");
    check(::listen(listener_.get(), 1), "listen", "127.0.0.1");
    socklen_t size = sizeof address_;
    check(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address_), &size),
          "getsockname");
  }

  StreamEnd producer() {
    listener_.close();
    Fd socket = make_socket(AF_INET, SOCK_STREAM);
    connect_to(socket, address_, "127.0.0.1");
    return end(std::move(socket));
  }
  StreamEnd consumer() {
    Fd socket = accept_one(listener_);
    listener_.close();
    return end(std::move(socket));
  }

 private:
  /// Without TCP_NODELAY small answers wait for acknowledgements (tcp(7)).
  static StreamEnd end(Fd socket) {
    const int on = 1;
    check(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt",
          "TCP_NODELAY");
    return {std::move(socket)};
  }

  Fd listener_;
  sockaddr_in address_{};
};

}  // namespace

std::vector<Row> tcp_rows() {
  return {row<Tcp>()};
}

}  // namespace ipcbench
