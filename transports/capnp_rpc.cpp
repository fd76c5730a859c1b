// capnp_rpc: Cap'n Proto's RPC over a UNIX socket (https://capnproto.org/cxxrpc.html): calls of two
// parties, in the event loop of the thread that works. What is called stands in capnp_rpc.capnp.
//
// A message is built in the memory that it is sent from, and read in the memory that it has come
// into: the payload is a field of type Data, and nothing is encoded.
#include "scenarios/matrix.h"
#include "transports/capnp_rpc_ends.h"
#include "transports/facts.h"

namespace ipcbench {
namespace {

struct CapnpRpc {
  static constexpr Facts facts =
      LibraryFacts{.name = "capnp_rpc",
                   .summary = "Cap'n Proto RPC, over a UNIX stream socket",
                   .family = Family::rpc,
                   .naming = Naming::pathname,
                   .peers = Peers::many_to_one,
                   .copies = 3,  // into the message, in, and out
                   .carrier = "unix_stream"};
  static constexpr std::string_view settings = "traversalLimitInWords=UINT64_MAX sizeHint=size";
  static std::size_t message_max() { return capnp_rpc::message_max; }

  explicit CapnpRpc(const Shape& shape) : name_(*shape.directory, NameKind::path), shape_(shape) {
    if (!name_.is_ours()) return;
    listener_ = make_socket(AF_UNIX, SOCK_STREAM);
    bind_to(listener_, unix_address(name_.text()), name_.text());
    check(::listen(listener_.get(), SOMAXCONN), "listen", name_.text());
  }
  capnp_rpc::Client producer() {
    listener_.close();
    Fd socket = make_socket(AF_UNIX, SOCK_STREAM);
    connect_to(socket, unix_address(name_.text()), name_.text());
    return capnp_rpc::Client(std::move(socket));
  }
  capnp_rpc::Server consumer() { return {std::move(listener_), shape_.size}; }

 private:
  Name name_;
  Shape shape_;
  Fd listener_;
};

}  // namespace

std::vector<Row> capnp_rpc_rows() {
  return {row<CapnpRpc>()};
}

}  // namespace ipcbench
