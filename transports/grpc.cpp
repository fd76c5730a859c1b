// grpc: gRPC over a UNIX socket: its unary calls, and the messages of a bidirectional stream. What
// is called stands in grpc.proto; the payload is a field of bytes.
//
// Each end has one connection, which is there before anything is measured: "Always re-use stubs and
// channels"; "use streaming RPCs when handling a long-lived logical flow of data"
// (https://grpc.io/docs/guides/performance/).
#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/grpc_ends.h"

namespace ipcbench {
namespace {

class Grpc {
 public:
  static constexpr std::string_view settings =
      "CompletionQueue::Next GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH=-1";
  /// protobuf's sizes are ints: the most, less the field's tag and its length.
  static std::size_t message_max() { return (std::size_t{1} << 31) - 1 - 6; }

  explicit Grpc(const Shape& shape) : shape_(shape), place_(*shape.directory) {}

 protected:
  Shape shape_;
  exchange::Place place_;
};

struct GrpcUnary : Grpc {
  using Grpc::Grpc;
  static constexpr Facts facts =
      LibraryFacts{.name = "grpc.unary",
                   .summary = "gRPC, unary calls over a UNIX stream socket",
                   .family = Family::rpc,
                   .naming = Naming::pathname,
                   .peers = Peers::many_to_one,
                   // Into the message, into the library's slices, in, out, and into a message.
                   .copies = 5,
                   .carrier = "unix_stream"};
  exchange::Client producer() { return exchange::Client(place_); }
  exchange::Server consumer() { return {place_, shape_}; }
};

struct GrpcStream : Grpc {
  using Grpc::Grpc;
  static constexpr std::string_view settings =
      "CompletionQueue::Next GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH=-1 buffer_hint=off";
  static constexpr Facts facts =
      LibraryFacts{.name = "grpc.stream",
                   .summary = "gRPC, a bidirectional stream over a UNIX stream socket",
                   .family = Family::rpc,
                   .naming = Naming::pathname,
                   .copies = 4,  // it is written where the message is
                   .carrier = "unix_stream"};
  exchange::StreamEnd<exchange::StreamClient> producer() {
    return exchange::StreamEnd<exchange::StreamClient>(place_);
  }
  exchange::StreamEnd<exchange::StreamServer> consumer() {
    return exchange::StreamEnd<exchange::StreamServer>(place_);
  }
};

}  // namespace

std::vector<Row> grpc_rows() {
  return {row<GrpcUnary>(), row<GrpcStream>()};
}

}  // namespace ipcbench
