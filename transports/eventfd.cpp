// eventfd: a 64-bit counter in the kernel (eventfd(2)). A read takes all of it, or with
// EFD_SEMAPHORE one at a time.
#include <sys/eventfd.h>

#include "scenarios/matrix.h"
#include "transports/semaphores.h"

namespace ipcbench {
namespace {

constexpr Facts facts_of(std::string_view name, std::string_view summary) {
  return {.name = name,
          .summary = summary,
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
}

class Eventfd {
 public:
  struct Variant {
    int flags;
  };

  static constexpr Facts facts = facts_of("eventfd", "event counter behind a file descriptor");

  struct Opened {
    Waitable fd;
    void up() {
      const std::uint64_t one = 1;
      while (::write(fd.get(), &one, sizeof one) == -1) [[unlikely]] fd.await_writable("write");
    }
    void down() {
      std::uint64_t count;
      while (::read(fd.get(), &count, sizeof count) == -1) [[unlikely]] fd.await_readable("read");
    }
  };

  Eventfd(const Shape& shape, unsigned int start)
      : fd_(Fd(check(::eventfd(start, EFD_CLOEXEC | shape.variant_as<Variant>().flags), "eventfd")),
            shape.waiting) {}
  Opened open() { return {std::move(fd_)}; }

 private:
  Waitable fd_;
};

}  // namespace

std::vector<Row> eventfd_rows() {
  static constexpr Eventfd::Variant plain{0};
  static constexpr Eventfd::Variant semaphore{EFD_SEMAPHORE};
  return {
      row<SemaphoreSignal<Eventfd>, SemaphoreLock<Eventfd>>(Eventfd::facts, plain),
      row<SemaphoreSignal<Eventfd>, SemaphoreLock<Eventfd>>(
          facts_of("eventfd.semaphore", "event counter behind a file descriptor, EFD_SEMAPHORE"),
          semaphore)};
}

}  // namespace ipcbench
