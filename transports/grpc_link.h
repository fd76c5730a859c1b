// grpc_link.h: what gRPC's calls and streams share: a connected channel, a server that listens, and
// how both wait.
//
// All ends wait by a completion queue in the thread that works: "Do not use Sync API for
// performance sensitive servers", and the callback API "is currently slower for truly high-QPS
// workloads" (https://grpc.io/docs/guides/performance/). No channel argument asks for latency: of
// GRPC_ARG_OPTIMIZATION_TARGET the default "is equivalent to" that (grpc_types.h), and gRPC 1.51
// reads it no more.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <span>
#include <stdexcept>

#include "transports/grpc.grpc.pb.h"  // protoc's, in the build directory
#include "transports/socket.h"

namespace ipcbench::exchange {

/// Where a server listens, and that it does: a client that finds nobody tries again after a second.
struct Place {
  explicit Place(const RunDirectory& directory)
      : path(directory, NameKind::path), listening(directory, NameKind::note) {}
  std::string address() const {
    unix_address(path.text());  // throws where it is too long
    return fmt::format("unix:{}", path.text());
  }
  Name path;
  Name listening;
};

inline View view(const Message& message) {
  return std::as_bytes(std::span(message.data()));
}
/// The message's own memory, for so many bytes.
inline Bytes room_in(Message& message, std::size_t size) {
  message.mutable_data()->resize(size);
  return std::as_writable_bytes(std::span(*message.mutable_data()));
}

/// Waits for the one operation that is under way: whether it succeeded.
inline bool succeeds(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  return queue.Next(&tag, &ok) && ok;
}
/// No queue may go with anything in it.
inline void drain(grpc::CompletionQueue& queue) {
  queue.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
  }
}

/// A channel that is READY. A client lies with it in one place, and is not moved.
class Connected {
 public:
  explicit Connected(const Place& place) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    place.listening.await();
    const auto channel =
        grpc::CreateCustomChannel(place.address(), grpc::InsecureChannelCredentials(), arguments);
    if (!channel->WaitForConnected(gpr_inf_future(GPR_CLOCK_REALTIME)))
      throw std::runtime_error(fmt::format("WaitForConnected: {}", place.address()));
    stub = Exchange::NewStub(channel);
  }
  Connected(const Connected&) = delete;
  Connected& operator=(const Connected&) = delete;
  ~Connected() { drain(queue); }

  grpc::CompletionQueue queue;
  std::unique_ptr<Exchange::Stub> stub;
};

/// A server. When it goes, everything that is under way is cancelled.
class Listener {
 public:
  explicit Listener(const Place& place) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(place.address(), grpc::InsecureServerCredentials());
    builder.SetMaxReceiveMessageSize(-1);
    builder.RegisterService(&service);
    queue = builder.AddCompletionQueue();
    server = builder.BuildAndStart();
    if (!server) throw std::runtime_error(fmt::format("BuildAndStart: {}", place.address()));
    place.listening.publish("yes");
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() {
    if (server) server->Shutdown(std::chrono::system_clock::now());
    drain(*queue);
  }

  Exchange::AsyncService service;
  std::unique_ptr<grpc::ServerCompletionQueue> queue;
  std::unique_ptr<grpc::Server> server;
};

}  // namespace ipcbench::exchange
