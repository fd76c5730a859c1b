// pipe: the anonymous pipe of pipe(2), between related processes: a one-way byte stream. Variants
// with a larger buffer, with packets, and with pages that are lent to it and not copied.
#include "transports/pipe.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "scenarios/matrix.h"

namespace ipcbench {
namespace {

constexpr Facts facts_of(std::string_view name, std::string_view summary, Boundary boundary,
                         int copies, std::string_view standard) {
  return {.name = name,
          .summary = summary,
          .family = Family::pipe,
          .naming = Naming::inherited,
          .handle = Handle::fd,
          .boundary = boundary,
          .persistence = Persistence::process,
          .delivery = Delivery::reliable,
          .peers = Peers::many_to_many,
          .pollable = true,
          .copies = copies,
          .standard = standard};
}

/// A new pipe. Each process closes the end that it doesn't use, or it would never see the other
/// one gone.
class NewPipe {
 public:
  explicit NewPipe(const Shape& shape, int flags = 0) : waiting_(shape.waiting) {
    int fds[2];
    check(::pipe2(fds, O_CLOEXEC | flags), "pipe2");
    read_end_ = Fd(fds[0]);
    write_end_ = Fd(fds[1]);
  }

  Waitable write_end() {
    read_end_.close();
    return Waitable(std::move(write_end_), waiting_);
  }
  Waitable read_end() {
    write_end_.close();
    return Waitable(std::move(read_end_), waiting_);
  }
  void grow() {
    const auto most = static_cast<int>(read_number("/proc/sys/fs/pipe-max-size", 1 << 20));
    check(::fcntl(write_end_.get(), F_SETPIPE_SZ, most), "fcntl", "F_SETPIPE_SZ");
  }
  /// To how many pages it can refer.
  std::size_t pages() const {
    const int size = check(::fcntl(read_end_.get(), F_GETPIPE_SZ), "fcntl", "F_GETPIPE_SZ");
    return static_cast<std::size_t>(size) / PageWriter::page_size;
  }

 private:
  Waiting waiting_;
  Fd read_end_;
  Fd write_end_;
};

class Pipe {
 public:
  static constexpr Facts facts =
      facts_of("pipe", "anonymous pipe, 64 KiB buffer", Boundary::stream, 2, "POSIX");
  static constexpr Facts big_facts =
      facts_of("pipe.big", "anonymous pipe, the largest buffer the system allows", Boundary::stream,
               2, "Linux");
  struct Variant {
    bool is_big;
  };
  static constexpr Variant plain{false};
  static constexpr Variant big{true};

  explicit Pipe(const Shape& shape) : pipe_(shape) {
    if (shape.variant_as<Variant>().is_big) pipe_.grow();
  }
  PipeWriter producer() { return {pipe_.write_end()}; }
  PipeReader consumer() { return {pipe_.read_end()}; }

 private:
  NewPipe pipe_;
};

class PacketPipe {
 public:
  static constexpr Facts facts = facts_of("pipe.packet", "anonymous pipe of packets (O_DIRECT)",
                                          Boundary::message, 2, "Linux");
  /// A larger write becomes several packets.
  static std::size_t message_max() { return PIPE_BUF; }

  explicit PacketPipe(const Shape& shape) : pipe_(shape, O_DIRECT), depth_(pipe_.pages()) {}
  /// A packet has a page to itself.
  std::size_t depth() const { return depth_; }
  PacketWriter producer() { return {pipe_.write_end()}; }
  PacketReader consumer() { return {pipe_.read_end()}; }

 private:
  NewPipe pipe_;
  std::size_t depth_;
};

class LentPages {
 public:
  static constexpr Facts facts =
      facts_of("pipe.vmsplice", "anonymous pipe, written by lending it pages (vmsplice)",
               Boundary::stream, 1, "Linux");

  explicit LentPages(const Shape& shape) : pipe_(shape), pages_(pipe_.pages()), shape_(shape) {}
  std::size_t depth() const { return pages_ / PageWriter::pages_for(shape_.size); }
  PageWriter producer() { return PageWriter(pipe_.write_end(), pages_, shape_); }
  PipeReader consumer() { return {pipe_.read_end()}; }

 private:
  NewPipe pipe_;
  std::size_t pages_;
  Shape shape_;
};

}  // namespace

std::vector<Row> pipe_rows() {
  return {row<Pipe>(Pipe::facts, Pipe::plain), row<Pipe>(Pipe::big_facts, Pipe::big),
          row<PacketPipe>(), row<LentPages>()};
}

}  // namespace ipcbench
