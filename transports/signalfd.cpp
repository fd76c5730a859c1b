// signalfd: a standard signal, sent by kill(2) and read from a descriptor of signalfd(2). It
// carries nothing, and one that is pending already merges with the next.
#include <sys/signalfd.h>
#include <unistd.h>

#include "scenarios/matrix.h"
#include "transports/signal.h"

namespace ipcbench {
namespace {

struct Signalfd {
  static constexpr Facts facts{.name = "signalfd",
                               .summary = "kill and a signalfd for SIGUSR1, which isn't queued",
                               .family = Family::signal,
                               .naming = Naming::pid,
                               .handle = Handle::fd,
                               .boundary = Boundary::none,
                               .persistence = Persistence::process,
                               .delivery = Delivery::lossy,
                               .peers = Peers::many_to_one,
                               .pollable = true,
                               .copies = 0,
                               .standard = "Linux"};

  struct Producer {
    pid_t pid;
    void notify() { check(::kill(pid, SIGUSR1), "kill"); }
  };
  struct Consumer {
    Waitable fd;
    void wait() {
      signalfd_siginfo info;
      while (::read(fd.get(), &info, sizeof info) == -1) [[unlikely]] fd.await_readable("read");
    }
  };

  explicit Signalfd(const Shape& shape) : address_(shape, {SIGUSR1}), waiting_(shape.waiting) {}
  Producer producer() { return {address_.receiver()}; }
  // Made in the process that waits: epoll looks at the signals of the one that asks (signalfd(2)).
  Consumer consumer() {
    const sigset_t signals = address_.receive();
    Fd fd(check(::signalfd(-1, &signals, SFD_CLOEXEC), "signalfd"));
    return {Waitable(std::move(fd), waiting_)};
  }

 private:
  SignalAddress address_;
  Waiting waiting_;
};

}  // namespace

std::vector<Row> signalfd_rows() {
  return {row<Signalfd>()};
}

}  // namespace ipcbench
