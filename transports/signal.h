// signal.h: what the signal transports share: signals are kept pending for who waits for them, and
// who sends them learns the receiver's pid.
#pragma once

#include <signal.h>

#include <initializer_list>

#include "harness/transport.h"

namespace ipcbench {

/// Where signals are sent to: one process, and some signals of it.
class SignalAddress {
 public:
  /// Blocks the signals before anybody can send one, which would kill the receiver. Processes
  /// forked later inherit that. They stay blocked: one that comes late must not kill either.
  SignalAddress(const Shape& shape, std::initializer_list<int> signals)
      : pid_(*shape.directory, NameKind::note) {
    ::sigemptyset(&signals_);
    for (const int signal : signals) ::sigaddset(&signals_, signal);
    check(::sigprocmask(SIG_BLOCK, &signals_, nullptr), "sigprocmask");
  }

  /// In the receiver: says that it is the one. Returns the signals.
  sigset_t receive() const {
    pid_.publish(::getpid());
    return signals_;
  }
  /// In the sender: who the receiver is, once it is there.
  pid_t receiver() const { return static_cast<pid_t>(pid_.await_number()); }

 private:
  Name pid_;
  sigset_t signals_;
};

/// Waits until one of the signals is there and takes it.
inline void take_signal(const sigset_t& signals, siginfo_t* info = nullptr) {
  check(retry([&] { return ::sigwaitinfo(&signals, info); }), "sigwaitinfo");
}

}  // namespace ipcbench
