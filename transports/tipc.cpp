// tipc: the cluster's protocol TIPC within one node, type SOCK_SEQPACKET. Messages both ways,
// connected and in order, found by a service address.
#include <linux/tipc.h>

#include "scenarios/matrix.h"
#include "transports/connection.h"

namespace ipcbench {
namespace {

/// A service is a type, here one for all links, and an instance.
SocketAddress service_address(std::uint32_t instance) {
  constexpr std::uint32_t type = 0x69706362;  // "ipcb"; the first 64 are TIPC's own
  sockaddr_tipc address{};
  address.family = AF_TIPC;
  address.addrtype = TIPC_SERVICE_ADDR;
  address.scope = TIPC_NODE_SCOPE;
  address.addr.name.name = {.type = type, .instance = instance};
  return address;
}

struct Tipc : Connection<MessageEnd> {
  static constexpr Facts facts{.name = "tipc",
                               .summary = "TIPC sequenced packets within the node",
                               .family = Family::socket,
                               .naming = Naming::key,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "Linux"};

  static std::string unavailable(const Connected& how) {
    return why_no_socket(how.domain, how.type, how.protocol, service_address(0));
  }
  static std::size_t message_max() { return TIPC_MAX_USER_MSG_SIZE; }

  using Connection::Connection;
};

// The name is a service's instance: a number that both ends derive, as a System V key is.
constexpr Connected service{.domain = AF_TIPC,
                            .type = SOCK_SEQPACKET,
                            .kind = NameKind::abstract,
                            .address = [](const Name& name) {
                              return service_address(static_cast<std::uint32_t>(name.key()));
                            }};

}  // namespace

std::vector<Row> tipc_rows() {
  return {row<Tipc>(Tipc::facts, service)};
}

}  // namespace ipcbench
