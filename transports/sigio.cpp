// sigio: signal-driven I/O (fcntl(2), F_SETSIG): the kernel sends the reader of a FIFO a real-time
// signal for each write to it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scenarios/matrix.h"
#include "transports/signal.h"

namespace ipcbench {
namespace {

struct Sigio {
  static constexpr Facts facts{.name = "sigio",
                               .summary = "real-time signal when a FIFO has something to read",
                               .family = Family::signal,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::none,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_one,
                               .pollable = false,
                               .copies = 0,
                               .standard = "Linux"};

  struct Producer {
    Waitable fd;
    void notify() {
      const std::byte one{1};
      write_all(fd, {&one, 1});
    }
  };
  // What was written is taken out, so that there is always room. Not every signal comes with it:
  // the kernel sends one when a writer closes, too.
  struct Consumer {
    sigset_t signals;
    Fd fd;
    void wait() {
      std::byte one;
      ssize_t got;
      do take_signal(signals);
      while ((got = ::read(fd.get(), &one, 1)) == -1 && errno == EAGAIN);
      check(got, "read");
      if (got == 0) fail_closed("read");
    }
  };

  // SIGIO comes where there are too many pending signals for another real-time one.
  explicit Sigio(const Shape& shape)
      : address_(shape, {SIGRTMIN, SIGIO}), name_(*shape.directory, NameKind::path) {
    if (name_.is_ours()) check(::mkfifo(name_.text().c_str(), 0600), "mkfifo", name_.text());
  }

  // Opened when the reader has asked for signals: nothing is written before.
  Producer producer() {
    address_.receiver();
    return {Waitable(open(O_WRONLY))};
  }
  Consumer consumer() {
    Fd fd = open(O_RDONLY | O_NONBLOCK);
    const int flags = check(::fcntl(fd.get(), F_GETFL), "fcntl", "F_GETFL");
    check(::fcntl(fd.get(), F_SETOWN, ::getpid()), "fcntl", "F_SETOWN");
    check(::fcntl(fd.get(), F_SETSIG, SIGRTMIN), "fcntl", "F_SETSIG");
    check(::fcntl(fd.get(), F_SETFL, flags | O_ASYNC), "fcntl", "O_ASYNC");
    return {address_.receive(), std::move(fd)};
  }

 private:
  Fd open(int flags) const {
    const char* path = name_.text().c_str();
    return Fd(check(retry([&] { return ::open(path, flags | O_CLOEXEC); }), "open", path));
  }

  SignalAddress address_;
  Name name_;
};

}  // namespace

std::vector<Row> sigio_rows() {
  return {row<Sigio>()};
}

}  // namespace ipcbench
