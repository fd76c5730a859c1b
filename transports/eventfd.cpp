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
                               .copies = 0,
                               .standard = "Linux"};

  struct Producer {
    Fd fd;
    void notify() {
      const std::uint64_t one = 1;
      check(retry([&] { return ::write(fd.get(), &one, sizeof one); }), "write", "eventfd");
    }
  };
  struct Consumer {
    Fd fd;
    void wait() {
      std::uint64_t count;
      check(retry([&] { return ::read(fd.get(), &count, sizeof count); }), "read", "eventfd");
    }
  };

  explicit Eventfd(const Shape&) : fd_(check(::eventfd(0, EFD_CLOEXEC), "eventfd")) {}
  Producer producer() { return {std::move(fd_)}; }
  Consumer consumer() { return {std::move(fd_)}; }

 private:
  Fd fd_;
};

}  // namespace

std::vector<Row> eventfd_rows() {
  return {row<Eventfd>()};
}

}  // namespace ipcbench
