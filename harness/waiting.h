// waiting.h: how an end waits for a descriptor that isn't ready: the axis `--wait`.
//
// The send or the receive is tried first, whatever the way: only where it finds nothing to do does
// the way matter. So all three share one loop, and a message that needs no waiting pays nothing.
#pragma once

#include <string_view>

#include "harness/unix.h"

namespace ipcbench {

enum class Waiting {
  block,  ///< asleep in the call itself
  poll,   ///< the descriptor is non-blocking; asleep in epoll_wait(2)
  spin    ///< the descriptor is non-blocking; tries again and again
};
std::string_view text(Waiting);

/// When waiting ends. The clock is read only when somebody has to wait.
class Deadline {
 public:
  explicit Deadline(std::int64_t patience_ns) : patience_ns_(patience_ns) {}
  /// What is left of the patience, which begins when this is first asked.
  std::int64_t left_ns();

 private:
  std::int64_t patience_ns_;
  std::int64_t end_ns_ = 0;
};

/// Owns a descriptor and waits for it. O_NONBLOCK belongs to the open file description: ends that
/// share one (a pipe's end of several producers, an eventfd) wait in the same way.
class Waitable {
 public:
  Waitable() = default;
  /// Makes the descriptor non-blocking unless the way is `block`.
  explicit Waitable(Fd fd, Waiting waiting = Waiting::block);

  int get() const { return fd_.get(); }
  void close() noexcept { fd_.close(); }

  /// For after a call that returned -1: returns when it may be repeated, at once after EINTR and
  /// when the descriptor is ready after EAGAIN. Throws what errno says otherwise.
  [[gnu::cold, gnu::noinline]] void await_readable(const char* call);
  [[gnu::cold, gnu::noinline]] void await_writable(const char* call);
  /// The same with a deadline: false when it has passed. The way `block` waits in the call itself,
  /// so there the call has its own time-out (SO_RCVTIMEO) and fails with EAGAIN when it is over.
  [[gnu::cold, gnu::noinline]] bool await_readable(const char* call, Deadline& deadline);

 private:
  void await(std::uint32_t event, Fd& epoll, const char* call);
  bool poll(std::uint32_t event, Fd& epoll, int timeout_ms);

  Fd fd_;
  Waiting waiting_ = Waiting::block;
  Fd readable_;  ///< epoll instances, made when they are first needed
  Fd writable_;
};

/// Writes the whole message to a byte stream. Throws when the other end is gone.
inline void write_all(Waitable& out, View message) {
  while (true) {
    const ssize_t written = ::write(out.get(), message.data(), message.size());
    if (written == static_cast<ssize_t>(message.size())) [[likely]]
      return;
    if (written == -1)
      out.await_writable("write");
    else
      message = message.subspan(static_cast<std::size_t>(written));
  }
}

/// Fills `buffer` from a byte stream, a Waitable or what is derived from it, and returns its size.
/// Throws at end of file.
template <class Stream>
std::size_t read_all(Stream& in, Bytes buffer) {
  const std::size_t size = buffer.size();
  while (true) {
    const ssize_t got = ::read(in.get(), buffer.data(), buffer.size());
    if (got == static_cast<ssize_t>(buffer.size())) [[likely]]
      return size;
    if (got == 0) fail_closed("read");
    if (got == -1)
      in.await_readable("read");
    else
      buffer = buffer.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace ipcbench
