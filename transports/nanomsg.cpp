// nanomsg: its pair protocol, over a UNIX socket (ipc). A worker thread of the library drives the
// sockets.
//
// Messages are lent: nn_allocmsg(3) gives memory that nn_send with NN_MSG takes over, nn_recv with
// NN_MSG gives the message itself away (nn_send(3), nn_recv(3)).
#include <nanomsg/nn.h>
#include <nanomsg/pair.h>

#include <algorithm>
#include <climits>
#include <string>

#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/messaging.h"

namespace ipcbench {
namespace {

int checked(int result, const char* call) {
  if (result >= 0) [[likely]]
    return result;
  throw std::runtime_error(fmt::format("{}: {}", call, ::nn_strerror(::nn_errno())));
}

class NanomsgEnd {
 public:
  NanomsgEnd(const Shape& shape, const Meeting& meeting, bool listens)
      : meeting_(&meeting),
        listens_(listens),
        socket_(checked(::nn_socket(AF_SP, NN_PAIR), "nn_socket")) {
    // Bytes, where others count messages.
    const auto bytes =
        static_cast<int>(std::clamp<std::size_t>(shape.depth * shape.size, 131'072, INT_MAX));
    set(NN_SNDBUF, bytes);
    set(NN_RCVBUF, bytes);
    set(NN_RCVMAXSIZE, -1);
    if (listens) {
      checked(::nn_bind(socket_, meeting.url("").c_str()), "nn_bind");
      meeting.publish(meeting.url(""));
    } else {
      checked(::nn_connect(socket_, meeting.await().c_str()), "nn_connect");
    }
  }
  NanomsgEnd(NanomsgEnd&& other) noexcept
      : meeting_(other.meeting_),
        listens_(other.listens_),
        socket_(std::exchange(other.socket_, -1)) {}
  NanomsgEnd& operator=(NanomsgEnd&& other) noexcept {
    std::swap(socket_, other.socket_);
    return *this;
  }
  // NN_LINGER does nothing since version 1.0 (nn_setsockopt(3)).
  ~NanomsgEnd() {
    if (socket_ < 0) return;
    meeting_->say_goodbye(*this, listens_);
    ::nn_close(socket_);
  }

  Bytes reserve(std::size_t size) {
    out_ = ::nn_allocmsg(size, 0);
    if (out_ == nullptr) [[unlikely]]
      checked(-1, "nn_allocmsg");
    return {static_cast<std::byte*>(out_), size};
  }
  void commit() {
    while (::nn_send(socket_, &out_, NN_MSG, 0) < 0)
      if (::nn_errno() != EINTR) [[unlikely]]
        checked(-1, "nn_send");
  }
  View peek(std::size_t) {
    int size;
    while ((size = ::nn_recv(socket_, &in_, NN_MSG, 0)) < 0)
      if (::nn_errno() != EINTR) [[unlikely]]
        checked(-1, "nn_recv");
    return {static_cast<const std::byte*>(in_), static_cast<std::size_t>(size)};
  }
  void release() { ::nn_freemsg(in_); }

 private:
  void set(int option, int value) {
    checked(::nn_setsockopt(socket_, NN_SOL_SOCKET, option, &value, sizeof value), "nn_setsockopt");
  }

  const Meeting* meeting_;
  bool listens_;
  int socket_;
  void* out_ = nullptr;
  void* in_ = nullptr;
};

struct Nanomsg {
  static constexpr Facts facts =
      LibraryFacts{.name = "nanomsg",
                   .summary = "nanomsg, pair protocol over ipc (a UNIX stream socket)",
                   .family = Family::messaging,
                   .naming = Naming::pathname,
                   .copies = 2,
                   .carrier = "unix_stream"};
  static constexpr std::string_view settings =
      "NN_SNDBUF=NN_RCVBUF=max(depth x size, 128 KiB) NN_RCVMAXSIZE=-1";

  explicit Nanomsg(const Shape& shape) : shape_(shape), meeting_(*shape.directory, over_ipc) {}
  NanomsgEnd producer() { return {shape_, meeting_, false}; }
  NanomsgEnd consumer() { return {shape_, meeting_, true}; }

 private:
  Shape shape_;
  Meeting meeting_;
};

}  // namespace

std::vector<Row> nanomsg_rows() {
  return {row<Nanomsg>()};
}

}  // namespace ipcbench
