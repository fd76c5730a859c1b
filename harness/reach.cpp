#include "harness/reach.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstring>

#include <fmt/format.h>

namespace ipcbench {
namespace {

/// -1 and errno where it fails.
int take_fd(pid_t pid, int number) {
  const Fd process = open_pidfd(pid);
  return static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0));
}

}  // namespace

void allow_reach() {
  // EINVAL says that the kernel has no Yama, which needs no consent then.
  if (::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY) == -1 && errno != EINVAL)
    fail("prctl", "PR_SET_PTRACER");
}

std::string why_out_of_reach(std::string_view call, const std::function<long(pid_t)>& attempt) {
  const pid_t parent = ::getpid();
  const pid_t pid = check(::fork(), "fork");
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (::getppid() == parent) ::pause();
    ::_exit(0);
  }
  const int error = attempt(pid) == -1 ? errno : 0;
  ::kill(pid, SIGKILL);
  retry([&] { return ::waitpid(pid, nullptr, 0); });
  return error == 0 ? "" : fmt::format("{} of another process: {}", call, std::strerror(error));
}

std::string why_no_fd_can_be_taken() {
  int fds[2];
  check(::pipe2(fds, O_CLOEXEC), "pipe2");
  const Fd read_end(fds[0]);
  const Fd write_end(fds[1]);
  return why_out_of_reach("pidfd_getfd", [&](pid_t pid) {
    const Fd taken(take_fd(pid, read_end.get()));
    return taken ? 0 : -1;
  });
}

void Handover::give(Fd fd) const {
  allow_reach();
  offer_.publish(fmt::format("{} {}", ::getpid(), fd.get()));
  taken_.await();
}

Fd Handover::take() const {
  const std::string offer = offer_.await();
  std::size_t pid_end = 0;
  const pid_t pid = std::stoi(offer, &pid_end);
  Fd fd(check(take_fd(pid, std::stoi(offer.substr(pid_end))), "pidfd_getfd", offer));
  taken_.publish(1);
  return fd;
}

}  // namespace ipcbench
