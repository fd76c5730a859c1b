// mptcp: Multipath TCP on the loopback, over IPv4 and IPv6. A byte stream both ways, here over its
// one and only path.
#include <linux/mptcp.h>
#include <netinet/tcp.h>

#include "scenarios/matrix.h"
#include "transports/connection.h"

namespace ipcbench {
namespace {

struct Mptcp : Connection<StreamEnd> {
  static constexpr Facts facts{.name = "mptcp",
                               .summary = "Multipath TCP on 127.0.0.1, TCP_NODELAY",
                               .family = Family::socket,
                               .naming = Naming::port,
                               .handle = Handle::fd,
                               .boundary = Boundary::stream,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "Linux (the protocol: RFC 8684)"};

  static std::string unavailable(const Connected& how) {
    if (read_text("/proc/sys/net/mptcp/enabled") == "0") return "net.mptcp.enabled is 0";
    return why_no_socket(how.domain, how.type, how.protocol, loopback_address(how.domain));
  }

  using Connection::Connection;
  StreamEnd producer() { return checked(Connection::producer()); }
  StreamEnd consumer() { return checked(Connection::consumer()); }

 private:
  /// Whatever the two ends can't agree on makes it plain TCP, and nobody is told.
  static StreamEnd checked(StreamEnd end) {
    mptcp_info info{};
    socklen_t size = sizeof info;
    check(::getsockopt(end.fd.get(), SOL_MPTCP, MPTCP_INFO, &info, &size), "getsockopt",
          "MPTCP_INFO");
    if ((info.mptcpi_flags & MPTCP_INFO_FLAG_FALLBACK) != 0)
      throw std::runtime_error("mptcp: the connection has fallen back to plain TCP");
    return end;
  }
};

template <int domain>
constexpr Connected multipath{.domain = domain,
                              .type = SOCK_STREAM,
                              .protocol = IPPROTO_MPTCP,
                              .address = loopback<domain>,
                              .option_level = IPPROTO_TCP,
                              .option = TCP_NODELAY};

}  // namespace

std::vector<Row> mptcp_rows() {
  return {row<Mptcp>(Mptcp::facts, multipath<AF_INET>),
          row<Mptcp>(facts_like(Mptcp::facts, "mptcp.v6", "Multipath TCP on ::1, TCP_NODELAY"),
                     multipath<AF_INET6>)};
}

}  // namespace ipcbench
