// capnp_rpc_ends.h: the client and the server of capnp_rpc.capnp: what the library does, and what
// is left to do around it. How they meet stands in capnp_rpc.cpp.
#pragma once

#include <capnp/rpc-twoparty.h>
#include <kj/async-io.h>
#include <kj/async-unix.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "transports/capnp_rpc.capnp.h"  // capnpc-c++'s, in the build directory
#include "transports/socket.h"

namespace ipcbench::capnp_rpc {

/// A list has fewer than 2^29 elements (https://capnproto.org/encoding.html).
inline constexpr std::size_t message_max = (std::size_t{1} << 29) - 1;

/// The limit guards against messages that are made to be larger than they are.
inline constexpr capnp::ReaderOptions reader_options{.traversalLimitInWords = UINT64_MAX};

inline View view(capnp::Data::Reader data) {
  return std::as_bytes(std::span(data.begin(), data.size()));
}
/// How large a message is that holds so many bytes: it gets its memory in one piece.
inline capnp::MessageSize room_for(std::size_t size) {
  return {size / sizeof(capnp::word) + 4, 0};
}

/// One side of a connection, and the calls on it.
struct Link {
  explicit Link(kj::Own<kj::AsyncIoStream> connected)
      : stream(kj::mv(connected)),
        network(*stream, capnp::rpc::twoparty::Side::CLIENT, reader_options),
        system(capnp::makeRpcClient(network)) {}
  Link(kj::Own<kj::AsyncIoStream> connected, Exchange::Client served)
      : stream(kj::mv(connected)),
        network(*stream, capnp::rpc::twoparty::Side::SERVER, reader_options),
        system(capnp::makeRpcServer(network, kj::mv(served))) {}

  kj::Own<kj::AsyncIoStream> stream;
  capnp::TwoPartyVatNetwork network;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> system;
};

/// Calls over a connected socket.
class Client {
 public:
  explicit Client(Fd socket) : state_(std::make_unique<State>(std::move(socket))) {}

  std::size_t call(View request, Bytes reply) try {
    auto question = state_->exchange.callRequest(room_for(request.size()));
    std::memcpy(question.initData(static_cast<kj::uint>(request.size())).begin(), request.data(),
                request.size());
    const auto answer = question.send().wait(state_->io.waitScope);
    const View got = view(answer.getData());
    if (got.size() > reply.size()) [[unlikely]]
      throw std::logic_error("call: no room for the reply");
    std::memcpy(reply.data(), got.data(), got.size());
    return got.size();
  } catch (const kj::Exception& error) {
    if (error.getType() == kj::Exception::Type::DISCONNECTED) fail_closed("call");
    throw std::runtime_error(fmt::format("call: {}", error.getDescription().cStr()));
  }

 private:
  struct State {
    explicit State(Fd connected) : socket(std::move(connected)) {
      capnp::MallocMessageBuilder message(4);
      auto server = message.initRoot<capnp::rpc::twoparty::VatId>();
      server.setSide(capnp::rpc::twoparty::Side::SERVER);
      exchange = link.system.bootstrap(server).castAs<Exchange>();
    }
    Fd socket;
    kj::AsyncIoContext io = kj::setupAsyncIo();
    Link link{io.lowLevelProvider->wrapSocketFd(socket.get())};
    Exchange::Client exchange = nullptr;
  };
  std::unique_ptr<State> state_;
};

/// Answers calls, as many as it is asked to; those that come early wait for the next time.
class Desk final : public Exchange::Server {
 public:
  explicit Desk(std::size_t size) : size_(size) {}

  std::exception_ptr error;  ///< what the handler has thrown

  /// Until so many calls are answered, one at least. The handler outlives that.
  template <class Handler>
  kj::Promise<void> expect(std::uint64_t count, Handler& handler) {
    handler_ = &handler;
    handle_ = [](void* called, View request, Bytes reply) {
      return (*static_cast<Handler*>(called))(request, reply);
    };
    calls_left_ = count;
    auto [promise, fulfiller] = kj::newPromiseAndFulfiller<void>();
    done_ = kj::mv(fulfiller);
    for (auto& early : std::exchange(early_, {})) early->fulfill();
    return kj::mv(promise);
  }
  kj::Promise<void> call(CallContext context) override {
    if (calls_left_ == 0) [[unlikely]] {
      auto [promise, fulfiller] = kj::newPromiseAndFulfiller<void>();
      early_.push_back(kj::mv(fulfiller));
      return promise.then([this, context]() mutable { return call(context); });
    }
    try {
      answer(context);
      --calls_left_;
    } catch (...) {
      error = std::current_exception();  // it isn't the client's
      calls_left_ = 0;
    }
    if (calls_left_ == 0) done_->fulfill();
    return kj::READY_NOW;
  }

 private:
  /// The reply is written where it is sent from, and cut to its size.
  void answer(CallContext& context) {
    auto results = context.getResults(room_for(size_));
    auto reply = results.initData(static_cast<kj::uint>(size_));
    const std::size_t size = handle_(handler_, view(context.getParams().getData()),
                                     std::as_writable_bytes(std::span(reply.begin(), size_)));
    if (size == size_) return;
    auto cut = results.disownData();
    cut.truncate(static_cast<kj::uint>(size));
    results.adoptData(kj::mv(cut));
  }

  std::size_t size_;  ///< of the largest reply
  std::uint64_t calls_left_ = 0;
  void* handler_ = nullptr;
  std::size_t (*handle_)(void*, View, Bytes) = nullptr;
  kj::Own<kj::PromiseFulfiller<void>> done_;
  std::vector<kj::Own<kj::PromiseFulfiller<void>>> early_;
};

/// Serves whoever connects to a listening socket.
class Server {
 public:
  Server(Fd listener, std::size_t size)
      : state_(std::make_unique<State>(std::move(listener), size)) {}

  template <class Handler>
  void serve(std::uint64_t count, Handler handler) {
    if (count == 0) return;
    state_->desk->expect(count, handler).wait(state_->io.waitScope);
    state_->flush();
    if (state_->desk->error) std::rethrow_exception(state_->desk->error);
  }

 private:
  struct State {
    State(Fd listening, std::size_t size)
        : socket(std::move(listening)),
          receiver(io.lowLevelProvider->wrapListenSocketFd(socket.get())) {
      auto made = kj::heap<Desk>(size);
      desk = made.get();
      exchange = Exchange::Client(kj::mv(made));
      accepting = accept().eagerlyEvaluate(nullptr);
    }

    kj::Promise<void> accept() {
      return receiver->accept().then([this](kj::Own<kj::AsyncIoStream> connected) {
        clients.push_back(std::make_unique<Link>(kj::mv(connected), exchange));
        return accept();
      });
    }
    /// Until the last reply is with the kernel: nobody runs the event loop between two calls of
    /// serve(), nor after the last one.
    void flush() {
      const auto has_unsent = [](const auto& client) {
        return client->network.getCurrentQueueCount() != 0;
      };
      io.waitScope.poll();
      while (std::any_of(clients.begin(), clients.end(), has_unsent)) {
        io.unixEventPort.wait();
        io.waitScope.poll();
      }
    }

    Fd socket;
    kj::AsyncIoContext io = kj::setupAsyncIo();
    Desk* desk;  ///< lives as long as its client
    Exchange::Client exchange = nullptr;
    kj::Own<kj::ConnectionReceiver> receiver;
    std::vector<std::unique_ptr<Link>> clients;
    kj::Promise<void> accepting = nullptr;
  };
  std::unique_ptr<State> state_;
};

}  // namespace ipcbench::capnp_rpc
