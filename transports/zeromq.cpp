// zeromq: ZeroMQ's pair of sockets, over a UNIX socket (ipc) and over TCP on the loopback. Each end
// has a context of its own with one I/O thread, which carries every message between the end and its
// socket: two hand-overs between threads each way.
//
// Messages are lent where ZeroMQ lends: a received one is read in the memory that the library
// gives, a sent one is written into a zmq_msg of its own
// (https://libzmq.readthedocs.io/en/latest/zmq_msg_init_size.html). The I/O thread copies what
// there is into a batch of up to 8 KiB for one send (ZMQ_OUT_BATCH_SIZE), and sends the rest of a
// larger message from its own memory. One of up to 33 bytes is kept inside of the zmq_msg itself.
#include <zmq.h>

#include <memory>
#include <string>

#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/messaging.h"

namespace ipcbench {
namespace {

int checked(int result, const char* call) {
  if (result != -1) [[likely]]
    return result;
  throw std::runtime_error(fmt::format("{}: {}", call, ::zmq_strerror(::zmq_errno())));
}

/// A context and a socket of it: made in the process that uses them, since neither survives a fork.
class Socket {
 public:
  explicit Socket(const Shape& shape) : context_(::zmq_ctx_new()) {
    socket_.reset(::zmq_socket(context_.get(), ZMQ_PAIR));
    if (!socket_) checked(-1, "zmq_socket");
    // Messages, not bytes: the sender holds so many, the receiver as many.
    const auto depth = static_cast<int>(shape.depth);
    set(ZMQ_SNDHWM, depth);
    set(ZMQ_RCVHWM, depth);
    set(ZMQ_LINGER, -1);  // closing waits until everything is sent
  }

  void bind(const std::string& endpoint) { checked(::zmq_bind(get(), endpoint.c_str()), "bind"); }
  void connect(const std::string& endpoint) {
    checked(::zmq_connect(get(), endpoint.c_str()), "connect");
  }
  std::string endpoint() const {
    char text[256];
    std::size_t size = sizeof text;
    checked(::zmq_getsockopt(get(), ZMQ_LAST_ENDPOINT, text, &size), "zmq_getsockopt");
    return text;
  }
  void* get() const { return socket_.get(); }

 private:
  void set(int option, int value) {
    checked(::zmq_setsockopt(get(), option, &value, sizeof value), "zmq_setsockopt");
  }
  struct EndContext {
    void operator()(void* context) const { ::zmq_ctx_term(context); }
  };
  struct Close {
    void operator()(void* socket) const { ::zmq_close(socket); }
  };
  std::unique_ptr<void, EndContext> context_;  // waits for its sockets, so it goes last
  std::unique_ptr<void, Close> socket_;
};

class ZeromqEnd {
 public:
  ZeromqEnd(Socket socket, const Meeting& meeting, bool listens)
      : socket_(std::move(socket)), meeting_(&meeting), listens_(listens) {}
  ZeromqEnd(ZeromqEnd&&) noexcept = default;
  ZeromqEnd& operator=(ZeromqEnd&&) noexcept = default;
  // Lingering sends everything; but a socket whose peer has closed drops what it hasn't given out.
  ~ZeromqEnd() {
    if (socket_.get() == nullptr) return;
    meeting_->say_goodbye(*this, listens_);
  }

  Bytes reserve(std::size_t size) {
    checked(::zmq_msg_init_size(&out_, size), "zmq_msg_init_size");
    return {static_cast<std::byte*>(::zmq_msg_data(&out_)), size};
  }
  void commit() {
    while (::zmq_msg_send(&out_, socket_.get(), 0) == -1)
      if (errno != EINTR) [[unlikely]]
        checked(-1, "zmq_msg_send");
  }
  View peek(std::size_t) {
    ::zmq_msg_init(&in_);
    while (::zmq_msg_recv(&in_, socket_.get(), 0) == -1)
      if (errno != EINTR) [[unlikely]]
        checked(-1, "zmq_msg_recv");
    return {static_cast<const std::byte*>(::zmq_msg_data(&in_)), ::zmq_msg_size(&in_)};
  }
  void release() { ::zmq_msg_close(&in_); }

 private:
  Socket socket_;
  const Meeting* meeting_;
  bool listens_;
  zmq_msg_t out_;
  zmq_msg_t in_;
};

struct Zeromq {
  using Variant = Endpoint;
  static constexpr Facts facts =
      LibraryFacts{.name = "zeromq",
                   .summary = "ZeroMQ, PAIR sockets over ipc (a UNIX stream socket)",
                   .family = Family::messaging,
                   .naming = Naming::pathname,
                   .copies = 2,
                   .carrier = "unix_stream"};
  static constexpr std::string_view settings = "ZMQ_SNDHWM=depth ZMQ_RCVHWM=depth ZMQ_LINGER=-1";

  explicit Zeromq(const Shape& shape)
      : shape_(shape), meeting_(*shape.directory, shape.variant_as<Endpoint>()) {}

  ZeromqEnd producer() {
    Socket socket(shape_);
    socket.connect(meeting_.await());
    return {std::move(socket), meeting_, false};
  }
  ZeromqEnd consumer() {
    Socket socket(shape_);
    socket.bind(meeting_.url("*"));
    meeting_.publish(socket.endpoint());
    return {std::move(socket), meeting_, true};
  }

 private:
  Shape shape_;
  Meeting meeting_;
};

}  // namespace

std::vector<Row> zeromq_rows() {
  return {row<Zeromq>(Zeromq::facts, over_ipc),
          row<Zeromq>(facts_over_tcp(Zeromq::facts, "zeromq.tcp",
                                     "ZeroMQ, PAIR sockets over TCP on 127.0.0.1"),
                      over_tcp)};
}

}  // namespace ipcbench
