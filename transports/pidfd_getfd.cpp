// pidfd_getfd: a pipe whose reading end the consumer takes out of the producer's process by
// pidfd_getfd(2). After that it is a pipe.
#include <fcntl.h>
#include <unistd.h>

#include "harness/reach.h"
#include "scenarios/matrix.h"
#include "transports/pipe.h"

namespace ipcbench {
namespace {

struct PidfdGetfd {
  static constexpr Facts facts{.name = "pidfd_getfd",
                               .summary = "pipe whose reading end is taken from the other process",
                               .family = Family::process,
                               .naming = Naming::pid,
                               .handle = Handle::fd,
                               .boundary = Boundary::stream,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "Linux"};

  static std::string unavailable() { return why_no_fd_can_be_taken(); }

  explicit PidfdGetfd(const Shape& shape) : handover_(*shape.directory), waiting_(shape.waiting) {}

  PipeWriter producer() {
    int fds[2];
    check(::pipe2(fds, O_CLOEXEC), "pipe2");
    Fd write_end(fds[1]);
    handover_.give(Fd(fds[0]));
    return {Waitable(std::move(write_end), waiting_)};
  }
  PipeReader consumer() { return {Waitable(handover_.take(), waiting_)}; }

 private:
  Handover handover_;
  Waiting waiting_;
};

}  // namespace

std::vector<Row> pidfd_getfd_rows() {
  return {row<PidfdGetfd>()};
}

}  // namespace ipcbench
