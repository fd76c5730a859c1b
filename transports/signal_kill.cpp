// signal_kill: a standard signal, sent by kill(2) and taken by sigwaitinfo(2). It carries nothing,
// and one that is pending already merges with the next.
#include "scenarios/matrix.h"
#include "transports/signal.h"

namespace ipcbench {
namespace {

struct SignalKill {
  static constexpr Facts facts{.name = "signal_kill",
                               .summary = "kill and sigwaitinfo of SIGUSR1, which isn't queued",
                               .family = Family::signal,
                               .naming = Naming::pid,
                               .handle = Handle::id,
                               .boundary = Boundary::none,
                               .persistence = Persistence::process,
                               .delivery = Delivery::lossy,
                               .peers = Peers::many_to_one,
                               .pollable = false,
                               .copies = 0,
                               .standard = "POSIX"};

  struct Producer {
    pid_t pid;
    void notify() { check(::kill(pid, SIGUSR1), "kill"); }
  };
  struct Consumer {
    sigset_t signals;
    void wait() { take_signal(signals); }
  };

  explicit SignalKill(const Shape& shape) : address_(shape, {SIGUSR1}) {}
  Producer producer() { return {address_.receiver()}; }
  Consumer consumer() { return {address_.receive()}; }

 private:
  SignalAddress address_;
};

}  // namespace

std::vector<Row> signal_kill_rows() {
  return {row<SignalKill>()};
}

}  // namespace ipcbench
