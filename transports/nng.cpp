// nng: nanomsg's successor, its pair protocol, over a UNIX socket (ipc) and over TCP on the
// loopback. A pool of threads of the library's own drives the sockets; each message passes two of
// them.
//
// Messages are lent: nng_sendmsg(3) takes a message over, nng_recvmsg(3) gives one away ("This is
// preferred over nng_send and nng_recv", nng_send(3)).
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>

#include <memory>
#include <string>

#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/messaging.h"

namespace ipcbench {
namespace {

void checked(int error, const char* call) {
  if (error != 0) [[unlikely]]
    throw std::runtime_error(fmt::format("{}: {}", call, ::nng_strerror(error)));
}

class NngEnd {
 public:
  NngEnd(const Shape& shape, const Meeting& meeting, bool listens)
      : meeting_(&meeting), listens_(listens) {
    checked(::nng_pair0_open(&socket_), "nng_pair0_open");
    const auto depth = static_cast<int>(std::min<std::size_t>(shape.depth, 8192));  // its most
    checked(::nng_socket_set_int(socket_, NNG_OPT_SENDBUF, depth), "NNG_OPT_SENDBUF");
    checked(::nng_socket_set_int(socket_, NNG_OPT_RECVBUF, depth), "NNG_OPT_RECVBUF");
    checked(::nng_socket_set_size(socket_, NNG_OPT_RECVMAXSZ, 0), "NNG_OPT_RECVMAXSZ");
    if (listens)
      listen(meeting);
    else
      checked(::nng_dial(socket_, meeting.await().c_str(), nullptr, 0), "nng_dial");
  }
  NngEnd(NngEnd&& other) noexcept
      : meeting_(other.meeting_),
        listens_(other.listens_),
        socket_(std::exchange(other.socket_, nng_socket{})) {}
  NngEnd& operator=(NngEnd&& other) noexcept {
    std::swap(socket_, other.socket_);
    return *this;
  }
  // Closing loses what isn't sent (nng_close(3)).
  ~NngEnd() {
    if (::nng_socket_id(socket_) <= 0) return;
    meeting_->say_goodbye(*this, listens_);
    ::nng_close(socket_);
  }

  Bytes reserve(std::size_t size) {
    checked(::nng_msg_alloc(&out_, size), "nng_msg_alloc");
    return {static_cast<std::byte*>(::nng_msg_body(out_)), size};
  }
  void commit() { checked(::nng_sendmsg(socket_, out_, 0), "nng_sendmsg"); }
  View peek(std::size_t) {
    checked(::nng_recvmsg(socket_, &in_, 0), "nng_recvmsg");
    return {static_cast<const std::byte*>(::nng_msg_body(in_)), ::nng_msg_len(in_)};
  }
  void release() { ::nng_msg_free(in_); }

 private:
  void listen(const Meeting& meeting) {
    nng_listener listener;
    checked(::nng_listen(socket_, meeting.url("0").c_str(), &listener, 0), "nng_listen");
    if (meeting.is_ipc()) return meeting.publish(meeting.url(""));
    int port = 0;
    checked(::nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port), "nng_listener_get");
    meeting.publish(meeting.url(std::to_string(port)));
  }

  const Meeting* meeting_;
  bool listens_;
  nng_socket socket_{};
  nng_msg* out_ = nullptr;
  nng_msg* in_ = nullptr;
};

struct Nng {
  using Variant = Endpoint;
  static constexpr Facts facts =
      LibraryFacts{.name = "nng",
                   .summary = "nng, pair protocol over ipc (a UNIX stream socket)",
                   .family = Family::messaging,
                   .naming = Naming::pathname,
                   .copies = 2,
                   .carrier = "unix_stream"};
  static constexpr std::string_view settings =
      "NNG_OPT_SENDBUF=depth NNG_OPT_RECVBUF=depth NNG_OPT_RECVMAXSZ=0";

  explicit Nng(const Shape& shape)
      : shape_(shape), meeting_(*shape.directory, shape.variant_as<Endpoint>()) {}
  NngEnd producer() { return {shape_, meeting_, false}; }
  NngEnd consumer() { return {shape_, meeting_, true}; }

 private:
  Shape shape_;
  Meeting meeting_;
};

}  // namespace

std::vector<Row> nng_rows() {
  return {
      row<Nng>(Nng::facts, over_ipc),
      row<Nng>(facts_over_tcp(Nng::facts, "nng.tcp", "nng, pair protocol over TCP on 127.0.0.1"),
               over_tcp)};
}

}  // namespace ipcbench
