// pipe.h: the ends of a pipe. pipe and fifo share those of the byte stream.
#pragma once

#include <fcntl.h>
#include <sys/uio.h>

#include "harness/transport.h"

namespace ipcbench {

struct PipeWriter {
  Waitable fd;
  void send(View message) { write_all(fd, message); }
};

struct PipeReader {
  Waitable fd;
  std::size_t recv(Bytes buffer) { return read_all(fd, buffer); }
};

/// The ends of a pipe that keeps packets apart (O_DIRECT): one write, one read, one message.
struct PacketWriter {
  Waitable fd;
  void send(View message) {
    while (::write(fd.get(), message.data(), message.size()) == -1)
      [[unlikely]] fd.await_writable("write");
  }
};

struct PacketReader {
  Waitable fd;
  // What doesn't fit into the buffer is lost without a word, so that has room for the largest.
  std::size_t recv(Bytes buffer) {
    ssize_t got;
    while ((got = ::read(fd.get(), buffer.data(), buffer.size())) == -1)
      [[unlikely]] fd.await_readable("read");
    if (got == 0) [[unlikely]]
      fail_closed("read");
    return static_cast<std::size_t>(got);
  }
};

/// Writes messages into pages of its own, and has the pipe refer to them until they are read. They
/// are no gift (SPLICE_F_GIFT), because they are used again; and a gift helps only where the reader
/// splices them on into a file.
class PageWriter {
 public:
  static constexpr std::size_t page_size = 4096;
  static std::size_t pages_for(std::size_t size) { return (size + page_size - 1) / page_size; }

  /// Each message starts at a page, so a pipe of `pipe_pages` references refers to the last
  /// `pipe_pages` pages at most. The pool has room for them, for a message, and for what is left
  /// out at its end because a message would not be in one piece.
  PageWriter(Waitable fd, std::size_t pipe_pages, const Shape& shape)
      : fd_(std::move(fd)),
        flags_(shape.waiting == Waiting::block ? 0 : SPLICE_F_NONBLOCK),
        pool_((pipe_pages + 2 * pages_for(shape.size)) * page_size) {}

  Bytes reserve(std::size_t size) {
    if (at_ + size > pool_.size()) at_ = 0;
    message_ = {pool_.data() + at_, size};
    return message_;
  }
  // vmsplice(2) takes as many pages as there is room for. It doesn't look at O_NONBLOCK.
  void commit() {
    at_ += pages_for(message_.size()) * page_size;
    iovec rest{message_.data(), message_.size()};
    while (true) {
      const ssize_t taken = ::vmsplice(fd_.get(), &rest, 1, flags_);
      if (taken == static_cast<ssize_t>(rest.iov_len)) [[likely]]
        return;
      if (taken == -1)
        fd_.await_writable("vmsplice");
      else
        rest = {static_cast<std::byte*>(rest.iov_base) + taken,
                rest.iov_len - static_cast<std::size_t>(taken)};
    }
  }

 private:
  Waitable fd_;
  unsigned int flags_;
  Mapping pool_;
  std::size_t at_ = 0;  ///< where in the pool the next message begins
  Bytes message_;
};

}  // namespace ipcbench
