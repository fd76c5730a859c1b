// pty: a pseudoterminal in raw mode (pty(7)). A byte stream both ways, as between a terminal's
// window, which is the consumer here, and a program in it, which is the producer.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <utility>

#include "scenarios/matrix.h"

namespace ipcbench {
namespace {

struct Pty {
  // One to one: a write that finds little room is cut, and another writer's bytes would come
  // between its parts.
  static constexpr Facts facts{.name = "pty",
                               .summary = "pseudoterminal in raw mode",
                               .family = Family::pipe,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::stream,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "POSIX"};

  static std::string unavailable() {
    const Fd master = open_master();
    return master ? "" : std::string("no pseudoterminal to be had: ") + ::strerror(errno);
  }

  /// Once the producer's end is gone, a read here fails with EIO, behind all that was written. One
  /// read may fail before: the kernel looks for bytes, then whether the slave is open, and between
  /// these the last bytes may have come and the slave gone.
  struct Terminal : Waitable {
    using Waitable::Waitable;
    void await_readable(const char* call) {
      if (errno == EIO && !std::exchange(has_failed, true)) return;  // and it is read again
      Waitable::await_readable(call);
    }
    bool has_failed = false;
  };

  struct End {
    Terminal fd;
    void send(View message) { write_all(fd, message); }
    std::size_t recv(Bytes buffer) { return read_all(fd, buffer); }
  };

  explicit Pty(const Shape& shape)
      : slave_(*shape.directory, NameKind::note), waiting_(shape.waiting) {
    if (!slave_.is_ours()) return;
    master_ = open_master();
    check(master_.get(), "posix_openpt");
    check(::grantpt(master_.get()), "grantpt");
    check(::unlockpt(master_.get()), "unlockpt");
    char path[64];
    if (const int error = ::ptsname_r(master_.get(), path, sizeof path); error != 0) {
      errno = error;
      fail("ptsname_r");
    }
    slave_.publish(path);
  }

  /// The mode is the slave's, and both ways go through it. The producer speaks first: the consumer
  /// doesn't open the slave, or it would never see the producer gone.
  End producer() {
    master_.close();
    const std::string path = slave_.await();
    Fd slave(check(::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC), "open", path));
    termios mode{};
    check(::tcgetattr(slave.get(), &mode), "tcgetattr", path);
    ::cfmakeraw(&mode);
    check(::tcsetattr(slave.get(), TCSANOW, &mode), "tcsetattr", path);
    return {Terminal(std::move(slave), waiting_)};
  }
  /// When the last descriptor of the master goes, the slave is hung up and loses what it hasn't
  /// read. So the link keeps one until all ends are done.
  End consumer() {
    const int fd = check(::fcntl(master_.get(), F_DUPFD_CLOEXEC, 0), "fcntl", "F_DUPFD_CLOEXEC");
    return {Terminal(Fd(fd), waiting_)};
  }

 private:
  static Fd open_master() { return Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)); }

  Name slave_;
  Waiting waiting_;
  Fd master_;
};

}  // namespace

std::vector<Row> pty_rows() {
  return {row<Pty>()};
}

}  // namespace ipcbench
