// kmod_signal: a real-time signal that our kernel module sends, with a value, which is the message:
// up to 8 bytes. As a signal alone, it carries none.
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "scenarios/matrix.h"
#include "transports/kmod.h"

namespace ipcbench {
namespace {

constexpr Facts facts_of_signal() {
  Facts facts = kmod_facts("kmod_signal", "real-time signal with a value, from our kernel module");
  facts.peers = Peers::many_to_one;
  facts.handle = Handle::id;
  facts.pollable = false;
  return facts;
}

class KmodSignal {
 public:
  static constexpr Facts facts = facts_of_signal();

  static std::string unavailable() { return kmod_unavailable(); }
  static std::size_t message_max() { return sizeof(sigval); }

  struct Sender {
    Fd device;
    ipcbench_signal signal{};
    void send() {
      while (::ioctl(device.get(), IPCBENCH_IOC_SIGNAL, &signal) == -1) [[unlikely]] await_room();
    }
    // Nothing tells that there is room again in the queue, which is all of this user's: so it is
    // asked for now and then.
    [[gnu::cold, gnu::noinline]] static void await_room() {
      if (errno == EINTR) return;
      if (errno != EAGAIN) fail("ioctl", "signal");
      const timespec pause{0, 50'000};
      ::nanosleep(&pause, nullptr);
    }
  };
  struct Receiver {
    Fd device;
    sigset_t signals;
    siginfo_t info{};
    void receive() {
      check(retry([&] { return ::sigwaitinfo(&signals, &info); }), "sigwaitinfo");
    }
  };
  struct Producer : Sender {
    Bytes reserve(std::size_t size) {
      signal.number = static_cast<std::uint32_t>(size);
      return {reinterpret_cast<std::byte*>(&signal.value), size};
    }
    void commit() { send(); }
  };
  struct Consumer : Receiver {
    View peek(std::size_t) {
      receive();
      return {reinterpret_cast<const std::byte*>(&info.si_value),
              static_cast<std::size_t>(info.si_errno)};
    }
    void release() {}
  };

  /// The signal is blocked before anybody can send it, which would kill the receiver.
  explicit KmodSignal(const Shape& shape)
      : name_(*shape.directory, NameKind::note),
        channel_(IPCBENCH_SIGNAL, with_a_size(shape), &name_) {
    ::sigemptyset(&signals_);
    ::sigaddset(&signals_, SIGRTMIN);
    check(::sigprocmask(SIG_BLOCK, &signals_, nullptr), "sigprocmask");
    channel_.hold();
  }

  /// Of the signals that may be pending for all processes of this user.
  std::size_t depth() const {
    rlimit limit{};
    check(::getrlimit(RLIMIT_SIGPENDING, &limit), "getrlimit", "RLIMIT_SIGPENDING");
    return limit.rlim_cur;
  }
  Producer producer() { return {{channel_.session(IPCBENCH_PRODUCER)}}; }
  Consumer consumer() { return {receiver()}; }

 protected:
  Receiver receiver() {
    Fd device = channel_.session(IPCBENCH_CONSUMER);
    const auto signal = static_cast<std::uint32_t>(SIGRTMIN);
    check(::ioctl(device.get(), IPCBENCH_IOC_SIGNAL_ME, &signal), "ioctl", "signal me");
    return {std::move(device), signals_};
  }

  Name name_;
  KmodChannel channel_;
  sigset_t signals_;

 private:
  static Shape with_a_size(Shape shape) {
    shape.size = sizeof(sigval);
    return shape;
  }
};

struct KmodBareSignal : KmodSignal {
  struct Producer : Sender {
    void notify() { send(); }
  };
  struct Consumer : Receiver {
    void wait() { receive(); }
  };
  using KmodSignal::KmodSignal;
  Producer producer() { return {{channel_.session(IPCBENCH_PRODUCER)}}; }
  Consumer consumer() { return {receiver()}; }
};

}  // namespace

std::vector<Row> kmod_signal_rows() {
  return {row<KmodSignal, KmodBareSignal>()};
}

}  // namespace ipcbench
