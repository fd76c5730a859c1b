// tcp: TCP on the loopback, over IPv4 and IPv6, with and without Nagle's delay. A byte stream both
// ways.
#include <netinet/tcp.h>

#include "scenarios/matrix.h"
#include "transports/connection.h"

namespace ipcbench {
namespace {

struct Tcp : Connection<StreamEnd> {
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

  static std::string unavailable(const Connected& how) {
    return why_no_socket(how.domain, how.type, how.protocol, loopback_address(how.domain));
  }

  using Connection::Connection;
};

constexpr Connected nagle{.domain = AF_INET, .type = SOCK_STREAM, .address = loopback<AF_INET>};
constexpr Connected v6_nagle{
    .domain = AF_INET6, .type = SOCK_STREAM, .address = loopback<AF_INET6>};

/// Without TCP_NODELAY small answers may wait for acknowledgements (tcp(7)).
constexpr Connected without_delay(Connected how) {
  how.option_level = IPPROTO_TCP;
  how.option = TCP_NODELAY;
  return how;
}
constexpr Connected no_delay = without_delay(nagle);
constexpr Connected v6_no_delay = without_delay(v6_nagle);

}  // namespace

std::vector<Row> tcp_rows() {
  constexpr const Facts& facts = Tcp::facts;
  return {row<Tcp>(facts, no_delay),
          row<Tcp>(facts_like(facts, "tcp.nagle", "TCP on 127.0.0.1, with Nagle's delay"), nagle),
          row<Tcp>(facts_like(facts, "tcp.v6", "TCP on ::1, TCP_NODELAY"), v6_no_delay),
          row<Tcp>(facts_like(facts, "tcp.v6_nagle", "TCP on ::1, with Nagle's delay"), v6_nagle)};
}

}  // namespace ipcbench
