// thrift_ends.h: the client and the server of thrift.thrift: what the library does, and what is
// left to do around it. How they meet stands in thrift.cpp.
#pragma once

#include <fcntl.h>
#include <thrift/TOutput.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TSocket.h>

#include <climits>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "transports/connection.h"
#include "transports/thrift/Exchange.h"  // the compiler's, in the build directory

namespace ipcbench::thrift_rpc {

namespace library = apache::thrift;
using library::protocol::TProtocol;
using library::transport::TTransportException;

/// An end of a connection, as connection.h gives it.
struct Plug {
  Waitable socket;
};

/// What lies between protocol and socket.
enum class Layer { buffered, framed };

inline std::shared_ptr<TProtocol> protocol_over(const Plug& plug, Layer layer) {
  using namespace library::transport;
  library::GlobalOutput.setOutputFunction([](const char*) {});  // exceptions say the same
  const auto configuration = std::make_shared<library::TConfiguration>(INT_MAX, INT_MAX);
  const auto socket = std::make_shared<TSocket>(
      check(::fcntl(plug.socket.get(), F_DUPFD_CLOEXEC, 0), "fcntl"), configuration);
  std::shared_ptr<TTransport> transport;
  if (layer == Layer::framed)
    transport = std::make_shared<TFramedTransport>(socket, configuration);
  else
    transport = std::make_shared<TBufferedTransport>(socket, 65536, configuration);
  return std::make_shared<library::protocol::TBinaryProtocol>(std::move(transport));
}

[[noreturn, gnu::cold]] inline void fail_as(const TTransportException& error, const char* call) {
  if (error.getType() == TTransportException::END_OF_FILE) fail_closed(call);
  throw std::runtime_error(fmt::format("{}: {}", call, error.what()));
}

/// Calls, one after the other.
class Client {
 public:
  explicit Client(std::shared_ptr<TProtocol> protocol)
      : client_(std::make_unique<ExchangeClient>(std::move(protocol))) {}

  std::size_t call(View request, Bytes reply) try {
    request_.assign(reinterpret_cast<const char*>(request.data()), request.size());
    client_->call(reply_, request_);
    if (reply_.size() > reply.size()) [[unlikely]]
      throw std::logic_error("call: no room for the reply");
    std::memcpy(reply.data(), reply_.data(), reply_.size());
    return reply_.size();
  } catch (const TTransportException& error) {
    fail_as(error, "call");
  }

 private:
  std::unique_ptr<ExchangeClient> client_;
  std::string request_;
  std::string reply_;
};

/// What the library's processor calls.
class Desk final : public ExchangeIf {
 public:
  explicit Desk(std::size_t size) : size_(size) {}

  template <class Handler>
  void answer_by(Handler& handler) {
    handler_ = &handler;
    handle_ = [](void* called, View request, Bytes reply) {
      return (*static_cast<Handler*>(called))(request, reply);
    };
  }
  void call(std::string& reply, const std::string& request) override try {
    reply.resize(size_);
    reply.resize(handle_(handler_, std::as_bytes(std::span(request)),
                         std::as_writable_bytes(std::span(reply))));
  } catch (...) {
    error_ = std::current_exception();  // the processor would tell the client
  }
  void rethrow() const {
    if (error_) [[unlikely]]
      std::rethrow_exception(error_);
  }

 private:
  std::size_t size_;  ///< of the largest reply
  void* handler_ = nullptr;
  std::size_t (*handle_)(void*, View, Bytes) = nullptr;
  std::exception_ptr error_;
};

/// Serves one client in the thread that calls, as TSimpleServer does.
class Server {
 public:
  Server(std::shared_ptr<TProtocol> protocol, std::size_t size)
      : protocol_(std::move(protocol)),
        desk_(std::make_shared<Desk>(size)),
        processor_(std::make_unique<ExchangeProcessor>(desk_)) {}

  template <class Handler>
  void serve(std::uint64_t count, Handler handler) try {
    desk_->answer_by(handler);
    for (; count != 0; --count) {
      processor_->process(protocol_, protocol_, nullptr);
      desk_->rethrow();
    }
  } catch (const TTransportException& error) {
    fail_as(error, "serve");
  }

 private:
  std::shared_ptr<TProtocol> protocol_;
  std::shared_ptr<Desk> desk_;
  std::unique_ptr<ExchangeProcessor> processor_;
};

}  // namespace ipcbench::thrift_rpc
