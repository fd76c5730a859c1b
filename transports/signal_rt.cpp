// signal_rt: a real-time signal with a value, which is the message: up to 8 bytes, queued in order.
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <stdexcept>

#include "scenarios/matrix.h"
#include "transports/signal.h"

namespace ipcbench {
namespace {

struct SignalRt {
  static constexpr Facts facts{.name = "signal_rt",
                               .summary = "real-time signal that carries a value of 8 bytes",
                               .family = Family::signal,
                               .naming = Naming::pid,
                               .handle = Handle::id,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_one,
                               .pollable = false,
                               .copies = 2,
                               .standard = "POSIX"};

  static std::size_t message_max() { return sizeof(sigval); }

  // A message is written and read in place, in the signal's description. sigqueue(3) says nothing
  // of its size; the call below it, rt_sigqueueinfo(2), leaves si_errno to who sends.
  struct Producer {
    pid_t pid;
    siginfo_t info{};

    Bytes reserve(std::size_t size) {
      info.si_errno = static_cast<int>(size);
      return {reinterpret_cast<std::byte*>(&info.si_value), size};
    }
    void commit() {
      while (::syscall(SYS_rt_sigqueueinfo, pid, SIGRTMIN, &info) == -1) [[unlikely]] await_room();
    }
    // Nothing tells that there is room again in the queue, which is all of this user's: so it is
    // asked for now and then.
    [[gnu::cold, gnu::noinline]] static void await_room() {
      if (errno != EAGAIN) fail("rt_sigqueueinfo");
      const timespec pause{0, 50'000};
      ::nanosleep(&pause, nullptr);
    }
  };
  struct Consumer {
    sigset_t signals;
    siginfo_t info{};

    View peek(std::size_t) {
      take_signal(signals, &info);
      return {reinterpret_cast<const std::byte*>(&info.si_value),
              static_cast<std::size_t>(info.si_errno)};
    }
    void release() {}
  };

  // The kernel would copy some bytes more, which are others' in the description.
  explicit SignalRt(const Shape& shape) : address_(shape, {SIGRTMIN}) {
    if (shape.size > message_max()) throw std::length_error("a signal's value has 8 bytes");
  }

  /// Of the signals that may be pending for all processes of this user.
  std::size_t depth() const {
    rlimit limit{};
    check(::getrlimit(RLIMIT_SIGPENDING, &limit), "getrlimit", "RLIMIT_SIGPENDING");
    return limit.rlim_cur;
  }
  Producer producer() {
    Producer producer{address_.receiver()};
    producer.info.si_signo = SIGRTMIN;
    producer.info.si_code = SI_QUEUE;
    producer.info.si_pid = ::getpid();
    producer.info.si_uid = ::getuid();
    return producer;
  }
  Consumer consumer() { return {address_.receive()}; }

 private:
  SignalAddress address_;
};

}  // namespace

std::vector<Row> signal_rt_rows() {
  return {row<SignalRt>()};
}

}  // namespace ipcbench
