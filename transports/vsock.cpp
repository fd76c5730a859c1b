// vsock: the socket between virtual machines and their host, on its loopback. A byte stream both
// ways.
#include <linux/vm_sockets.h>

#include "scenarios/matrix.h"
#include "transports/connection.h"

namespace ipcbench {
namespace {

SocketAddress local_address() {
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_cid = VMADDR_CID_LOCAL;
  address.svm_port = VMADDR_PORT_ANY;
  return address;
}

struct Vsock : Connection<StreamEnd> {
  static constexpr Facts facts{.name = "vsock",
                               .summary = "VM socket on the loopback, CID 1",
                               .family = Family::socket,
                               .naming = Naming::port,
                               .handle = Handle::fd,
                               .boundary = Boundary::stream,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "Linux"};

  /// Only where the loopback's driver is there can CID 1 be bound. (To connect would be no good
  /// question: without that driver the request goes to the host, which may never answer.)
  static std::string unavailable(const Connected& how) {
    const std::string why = why_no_socket(how.domain, how.type, how.protocol, local_address());
    return why.starts_with("bind") ? "no vsock_loopback: " + why : why;
  }

  using Connection::Connection;
};

constexpr Connected local{.domain = AF_VSOCK, .type = SOCK_STREAM, .address = [](const Name&) {
                            return local_address();
                          }};

}  // namespace

std::vector<Row> vsock_rows() {
  return {row<Vsock>(Vsock::facts, local)};
}

}  // namespace ipcbench
