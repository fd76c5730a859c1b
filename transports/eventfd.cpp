// eventfd: the counter of eventfd(2). Wakes a process that reads it; carries no message.
#include <sys/eventfd.h>
#include <unistd.h>

#include "scenarios/matrix.h"

namespace ipcbench {
namespace {

struct Eventfd {
  static constexpr Facts facts{.name = "eventfd",
                               .summary = "event counter behind a file descriptor",
                               .family = Family::sync,
                               .naming = Naming::inherited,
                               .handle = Handle::fd,
                               .boundary = Boundary::none,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_many,
                               .pollable = true,
                               .copies = 0,
                               .standard = "Linux"};

  struct Producer {
    Waitable fd;
    void notify() {
      const std::uint64_t one = 1;
      while (::write(fd.get(), &one, sizeof one) == -1) [[unlikely]] fd.await_writable("write");
    }
  };
  struct Consumer {
    Waitable fd;
    void wait() {
      std::uint64_t count;
      while (::read(fd.get(), &count, sizeof count) == -1) [[unlikely]] fd.await_readable("read");
    }
  };

  explicit Eventfd(const Shape& shape)
      : fd_(Fd(check(::eventfd(0, EFD_CLOEXEC), "eventfd")), shape.waiting) {}
  Producer producer() { return {std::move(fd_)}; }
  Consumer consumer() { return {std::move(fd_)}; }

 private:
  Waitable fd_;
};

}  // namespace

std::vector<Row> eventfd_rows() {
  return {row<Eventfd>()};
}

}  // namespace ipcbench
