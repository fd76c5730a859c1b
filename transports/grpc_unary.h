// grpc_unary.h: gRPC's unary calls: a client, and a server that answers as many as it is asked to.
//
// A server that closes as soon as it has answered breaks the connection under its last reply. So
// each client greets when it comes and when it goes.
#pragma once

#include <array>
#include <cstring>
#include <exception>
#include <optional>

#include "transports/grpc_link.h"

namespace ipcbench::exchange {

/// Calls, one after the other.
class Client {
 public:
  explicit Client(const Place& place) : link_(std::make_unique<Connected>(place)) { greet(); }
  Client(Client&&) noexcept = default;
  Client& operator=(Client&&) noexcept = default;
  ~Client() {
    if (link_ == nullptr || std::uncaught_exceptions() > 0) return;
    try {
      greet();
    } catch (const std::exception&) {
      // The server is gone.
    }
  }

  std::size_t call(View request, Bytes reply) {
    request_.set_data(request.data(), request.size());
    grpc::ClientContext context;
    finish(link_->stub->AsyncCall(&context, request_, &link_->queue));
    const View answer = view(reply_);
    if (answer.size() > reply.size()) [[unlikely]]
      throw std::logic_error("call: no room for the reply");
    std::memcpy(reply.data(), answer.data(), answer.size());
    return answer.size();
  }

 private:
  void greet() {
    grpc::ClientContext context;
    finish(link_->stub->AsyncGreet(&context, Message(), &link_->queue));
  }
  void finish(std::unique_ptr<grpc::ClientAsyncResponseReader<Message>> call) {
    grpc::Status status;
    call->Finish(&reply_, &status, nullptr);
    succeeds(link_->queue);
    if (!status.ok()) [[unlikely]]
      throw std::runtime_error(fmt::format("call: {}", status.error_message()));
  }

  std::unique_ptr<Connected> link_;
  Message request_;
  Message reply_;
};

/// What the library needs for one call, and can't use again.
struct Once {
  grpc::ServerContext context;
  grpc::ServerAsyncResponseWriter<Message> responder{&context};
};
/// Where one call after the other is served.
struct Call {
  std::optional<Once> once;
  Message request;
  // Tags of the two operations, and whether they are done.
  bool has_come = false;
  bool is_answered = false;
};

/// What the server's thread does with calls. It lies in one place, which the library writes to.
class Desk {
 public:
  Desk(const Place& place, int clients) : clients_(clients), listener_(place) {
    ask_for_call();
    greet_all();
    place.path.unlink();
  }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;
  ~Desk() {
    if (std::uncaught_exceptions() == 0) greet_all();
  }

  /// Waits for the next call. The one after it is asked for before that is answered: "register
  /// enough server requests for the desired level of concurrency".
  Call& next() {
    Call& call = calls_[turn_];
    await(call.has_come);
    turn_ = 1 - turn_;
    ask_for_call();
    return call;
  }
  void answer(Call& call, const Message& reply) {
    call.once->responder.Finish(reply, grpc::Status::OK, &call.is_answered);
    await(call.is_answered);
  }

 private:
  void ask_for_call() {
    Call& call = calls_[turn_];
    call.once.emplace();
    listener_.service.RequestCall(&call.once->context, &call.request, &call.once->responder,
                                  queue(), queue(), &call.has_come);
  }
  void greet_all() {
    for (int i = 0; i < clients_; ++i) {
      greeting_.once.emplace();
      listener_.service.RequestGreet(&greeting_.once->context, &greeting_.request,
                                     &greeting_.once->responder, queue(), queue(),
                                     &greeting_.has_come);
      await(greeting_.has_come);
      answer(greeting_, greeting_.request);
    }
  }
  /// An answer fails where the client has gone, which is no matter of the server's.
  void await(bool& is_done) {
    while (!is_done) {
      void* tag = nullptr;
      bool ok = false;
      if (!queue()->Next(&tag, &ok)) throw std::logic_error("the server's queue has ended");
      *static_cast<bool*>(tag) = true;
    }
    is_done = false;
  }
  grpc::ServerCompletionQueue* queue() { return listener_.queue.get(); }

  int clients_;
  std::array<Call, 2> calls_;
  std::size_t turn_ = 0;  ///< which of them is asked for
  Call greeting_;
  Listener listener_;  // last: it takes back what it is asked for
};

/// Serves whoever calls.
class Server {
 public:
  Server(const Place& place, const Shape& shape)
      : desk_(std::make_unique<Desk>(place, shape.producers)), size_(shape.size) {}

  template <class Handler>
  void serve(std::uint64_t count, Handler handler) {
    for (; count != 0; --count) {
      Call& call = desk_->next();
      const Bytes reply = room_in(reply_, size_);
      room_in(reply_, handler(view(call.request), reply));
      desk_->answer(call, reply_);
    }
  }

 private:
  std::unique_ptr<Desk> desk_;
  std::size_t size_;
  Message reply_;
};

}  // namespace ipcbench::exchange
