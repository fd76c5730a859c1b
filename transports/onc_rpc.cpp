// onc_rpc: ONC RPC of libtirpc, the classic remote procedure call; on one machine, a local one.
//
// What is called stands in onc_rpc.x; its XDR routine and the client's stub are rpcgen's. No
// rpcbind knows of the program: the server serves a socket of its own, and clients connect to that.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "scenarios/matrix.h"
#include "transports/onc_rpc_ends.h"

namespace ipcbench {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

struct OncRpc {
  struct Variant {
    int domain;
    NameKind meeting;  ///< a path, or a note of the port
  };
  static constexpr Variant local{AF_UNIX, NameKind::path};
  static constexpr Variant tcp{AF_INET, NameKind::note};
  // The library waits in its own way, whatever the socket could.
  static constexpr Facts facts{.name = "onc_rpc.local",
                               .summary = "ONC RPC by libtirpc and rpcgen, over AF_LOCAL",
                               .family = Family::rpc,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_one,
                               .pollable = false,
                               .copies = 4,  // into the library's buffer, in, out, and out of it
                               .standard = "RFC 5531"};
  static std::size_t message_max() { return MESSAGE_MAX; }

  explicit OncRpc(const Shape& shape)
      : domain_(shape.variant_as<Variant>().domain),
        name_(*shape.directory, shape.variant_as<Variant>().meeting),
        size_(shape.size) {
    if (!name_.is_ours()) return;
    listener_ = make_socket(domain_, SOCK_STREAM);
    if (domain_ == AF_UNIX)
      bind_to(listener_, unix_address(name_.text()), name_.text());
    else
      bind_to(listener_, loopback(0), "127.0.0.1");
    check(::listen(listener_.get(), SOMAXCONN), "listen", name_.text());
    if (domain_ == AF_UNIX) return;
    sockaddr_in bound;
    socklen_t size = sizeof bound;
    check(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&bound), &size),
          "getsockname");
    name_.publish(ntohs(bound.sin_port));
  }

  onc_rpc::Client producer() {
    listener_.close();
    Fd socket = make_socket(domain_, SOCK_STREAM);
    if (domain_ == AF_UNIX) {
      connect_to(socket, unix_address(name_.text()), name_.text());
    } else {
      connect_to(socket, loopback(static_cast<std::uint16_t>(name_.await_number())), "127.0.0.1");
      const int on = 1;  // as the library does at the server's end
      check(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt",
            "TCP_NODELAY");
    }
    return {std::move(socket), size_};
  }
  onc_rpc::Server consumer() { return {std::move(listener_), size_}; }

 private:
  int domain_;
  Name name_;
  std::size_t size_;
  Fd listener_;
};

}  // namespace

std::vector<Row> onc_rpc_rows() {
  Facts tcp = OncRpc::facts;
  tcp.name = "onc_rpc.tcp";
  tcp.summary = "ONC RPC by libtirpc and rpcgen, over TCP on 127.0.0.1";
  tcp.naming = Naming::port;
  return {row<OncRpc>(OncRpc::facts, OncRpc::local), row<OncRpc>(tcp, OncRpc::tcp)};
}

}  // namespace ipcbench
