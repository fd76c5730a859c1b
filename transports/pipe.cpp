// pipe: the anonymous pipe of pipe(2). A one-way byte stream between related processes.
#include <fcntl.h>
#include <unistd.h>

#include "scenarios/matrix.h"
#include "transports/pipe.h"

namespace ipcbench {
namespace {

struct Pipe {
  static constexpr Facts facts{.name = "pipe",
                               .summary = "anonymous pipe, 64 KiB buffer",
                               .family = Family::pipe,
                               .naming = Naming::inherited,
                               .handle = Handle::fd,
                               .boundary = Boundary::stream,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_many,
                               .pollable = true,
                               .copies = 2,
                               .standard = "POSIX"};

  explicit Pipe(const Shape& shape) : waiting_(shape.waiting) {
    int fds[2];
    check(::pipe2(fds, O_CLOEXEC), "pipe2");
    read_end_ = Fd(fds[0]);
    write_end_ = Fd(fds[1]);
  }

  // Each process closes the end that it doesn't use, or it would never see the other one gone.
  PipeWriter producer() {
    read_end_.close();
    return {Waitable(std::move(write_end_), waiting_)};
  }
  PipeReader consumer() {
    write_end_.close();
    return {Waitable(std::move(read_end_), waiting_)};
  }

 private:
  Waiting waiting_;
  Fd read_end_;
  Fd write_end_;
};

}  // namespace

std::vector<Row> pipe_rows() {
  return {row<Pipe>()};
}

}  // namespace ipcbench
