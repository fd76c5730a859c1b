// null_call: the roofline of system calls. One process enters the kernel with getppid(2), which
// does next to nothing there, and comes back: no transport that makes a system call is faster.
#include <sys/syscall.h>
#include <unistd.h>

#include "scenarios/matrix.h"

namespace ipcbench {
namespace {

struct NullCall {
  static constexpr Facts facts{.name = "null_call",
                               .summary = "roofline: into the kernel with getppid and back",
                               .family = Family::roofline,
                               .naming = Naming::inherited,
                               .handle = Handle::none,
                               .boundary = Boundary::none,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = false,
                               .copies = 0,
                               .standard = "POSIX"};

  struct End {
    void notify() { ::syscall(SYS_getppid); }  // by number, so that no library can answer it
    void wait() {}
  };

  explicit NullCall(const Shape&) {}
  End alone() { return {}; }
};

}  // namespace

std::vector<Row> null_call_rows() {
  return {row<NullCall>()};
}

}  // namespace ipcbench
