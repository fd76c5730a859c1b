// onc_rpc_ends.h: the client and the server of onc_rpc.x: what the library does, and what is left
// to do around it. How they meet stands in onc_rpc.cpp.
#pragma once

#include <poll.h>
#include <rpc/rpc.h>

#include <exception>
#include <vector>

#include "transports/onc_rpc.h"  // rpcgen's, in the build directory
#include "transports/socket.h"

namespace ipcbench::onc_rpc {

/// A call has no deadline, its run has one: about the most that the library, which counts
/// milliseconds in an int, takes. It never repeats a call over a connection.
inline constexpr timeval call_timeout{2'000'000, 0};

/// As programs leave it: the library flushes and fills 9,000 bytes at a time over AF_LOCAL, 64 KiB
/// over TCP (__rpc_get_t_size).
inline constexpr u_int default_buffer = 0;

inline char* to_chars(const std::byte* bytes) {
  return const_cast<char*>(reinterpret_cast<const char*>(bytes));
}

/// Calls over a connected socket.
class Client {
 public:
  Client(Fd socket, std::size_t size) : socket_(std::move(socket)), size_(size) {
    sockaddr_storage peer;
    netbuf address{sizeof peer, sizeof peer, &peer};
    check(::getpeername(socket_.get(), reinterpret_cast<sockaddr*>(&peer), &address.len),
          "getpeername");
    client_.reset(::clnt_vc_create(socket_.get(), &address, EXCHANGE_PROGRAM, EXCHANGE_VERSION,
                                   default_buffer, default_buffer));
    if (!client_) throw std::runtime_error(::clnt_spcreateerror("clnt_vc_create"));
    timeval timeout = call_timeout;
    clnt_control(client_.get(), CLSET_TIMEOUT, reinterpret_cast<char*>(&timeout));
  }

  // xdr_bytes(3) allocates only where it finds no memory; so the reply is decoded where it belongs.
  std::size_t call(View request, Bytes reply) {
    if (reply.size() < size_) [[unlikely]]
      throw std::logic_error("call: no room for the reply");
    message question{{static_cast<u_int>(request.size()), to_chars(request.data())}};
    message answer{{0, to_chars(reply.data())}};
    if (::exchange_1(&question, &answer, client_.get()) != RPC_SUCCESS) [[unlikely]]
      throw std::runtime_error(::clnt_sperror(client_.get(), "clnt_call"));
    return answer.data.data_len;
  }

 private:
  struct Destroy {
    void operator()(CLIENT* client) const { clnt_destroy(client); }
  };
  Fd socket_;
  std::unique_ptr<CLIENT, Destroy> client_;
  std::size_t size_;  ///< of the largest message: the server answers no more than that
};

/// Serves whoever connects to a listening socket.
class Server {
 public:
  Server(Fd listener, std::size_t size)
      : listener_(std::move(listener)), size_(size), request_(size), reply_(size) {
    SVCXPRT* const transport = ::svc_vc_create(listener_.get(), default_buffer, default_buffer);
    // Without a netconfig it isn't registered with rpcbind.
    if (transport == nullptr ||
        !::svc_reg(transport, EXCHANGE_PROGRAM, EXCHANGE_VERSION, dispatch, nullptr))
      throw std::runtime_error("svc_vc_create: the server can't be set up");
  }

  template <class Handler>
  void serve(std::uint64_t count, Handler handler) {
    serving_ = this;
    handler_ = &handler;
    handle_ = [](void* called, View request, Bytes reply) {
      return (*static_cast<Handler*>(called))(request, reply);
    };
    for (calls_left_ = count; calls_left_ != 0;) wait_and_dispatch();
  }

 private:
  /// One round of svc_run(3), which has no end, and which may serve more than one call: accepts
  /// a client, or serves a call of one.
  void wait_and_dispatch() {
    // A copy, as svc_run makes: the library changes its own while clients come and go.
    waiting_.assign(svc_pollfd, svc_pollfd + svc_max_pollfd);
    check(retry([&] { return ::poll(waiting_.data(), waiting_.size(), -1); }), "poll");
    for (const pollfd& client : waiting_)
      if (client.revents != 0 && calls_left_ != 0) ::svc_getreq_common(client.fd);
    if (error_) [[unlikely]]
      std::rethrow_exception(error_);
  }

  /// The library hands its dispatch function no context: hence serving_.
  static void dispatch(svc_req* call, SVCXPRT* transport) {
    if (call->rq_proc == EXCHANGE)
      serving_->answer(transport);
    else
      ::svcerr_noproc(transport);
  }

  /// What rpcgen's server stub does, but it would allocate the request and free it again.
  void answer(SVCXPRT* transport) try {
    message request{{static_cast<u_int>(size_), to_chars(request_.data())}};
    if (!svc_getargs(transport, reinterpret_cast<xdrproc_t>(decode),
                     reinterpret_cast<char*>(&request)))
      return ::svcerr_decode(transport);
    message reply{{0, to_chars(reply_.data())}};
    reply.data.data_len = static_cast<u_int>(
        handle_(handler_, {request_.data(), request.data.data_len}, {reply_.data(), size_}));
    --calls_left_;
    // It fails where the client has gone.
    ::svc_sendreply(transport, reinterpret_cast<xdrproc_t>(xdr_message),
                    reinterpret_cast<char*>(&reply));
  } catch (...) {
    error_ = std::current_exception();  // not through the library, which holds locks
    calls_left_ = 0;
  }

  /// As xdr_message does it, to the size that the message comes with as its limit.
  static bool_t decode(XDR* xdr, message* into) {
    const u_int limit = into->data.data_len;
    return ::xdr_bytes(xdr, &into->data.data_val, &into->data.data_len, limit);
  }

  static inline Server* serving_ = nullptr;
  Fd listener_;
  std::size_t size_;
  AlignedBuffer request_;
  AlignedBuffer reply_;
  std::vector<pollfd> waiting_;
  void* handler_ = nullptr;
  std::size_t (*handle_)(void*, View, Bytes) = nullptr;
  std::uint64_t calls_left_ = 0;
  std::exception_ptr error_;
};

}  // namespace ipcbench::onc_rpc
