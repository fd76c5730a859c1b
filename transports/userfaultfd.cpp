// userfaultfd: the consumer reads pages that aren't there, and the producer answers the fault with
// the message (userfaultfd(2), UFFDIO_COPY). Then the pages are dropped for the next one.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "harness/reach.h"
#include "scenarios/matrix.h"

namespace ipcbench {
namespace {

struct Userfaultfd {
  static constexpr Facts facts{.name = "userfaultfd",
                               .summary = "page faults that the other process answers",
                               .family = Family::process,
                               .naming = Naming::pid,
                               .handle = Handle::memory,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = false,
                               .copies = 1,
                               .standard = "Linux"};

  static std::string unavailable() {
    if (!open_userfaultfd()) return std::string("userfaultfd: ") + std::strerror(errno);
    return why_no_fd_can_be_taken();
  }

  /// The message's size comes before the message, a cache line away.
  static constexpr std::size_t header_size = 64;
  static std::size_t bytes_for(std::size_t size) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return (header_size + size + page - 1) / page * page;
  }

  struct Producer {
    Fd fd;
    Mapping pages;
    std::size_t size = 0;

    Bytes reserve(std::size_t bytes) {
      size = bytes;
      return {pages.data() + header_size, bytes};
    }
    // One fault is answered with all pages of the message. Its first one has been faulted on.
    void commit() {
      std::memcpy(pages.data(), &size, sizeof size);
      uffd_msg fault;
      check(retry([&] { return ::read(fd.get(), &fault, sizeof fault); }), "read");
      uffdio_copy copy{};
      copy.dst = fault.arg.pagefault.address;
      copy.src = reinterpret_cast<std::uintptr_t>(pages.data());
      copy.len = bytes_for(size);
      while (::ioctl(fd.get(), UFFDIO_COPY, &copy) == -1) advance(copy);
    }
    // EAGAIN: the kernel has copied some of it.
    [[gnu::cold, gnu::noinline]] static void advance(uffdio_copy& copy) {
      if (errno != EAGAIN) fail("ioctl", "UFFDIO_COPY");
      const auto copied = static_cast<std::uint64_t>(std::max(copy.copy, __s64{0}));
      copy.dst += copied;
      copy.src += copied;
      copy.len -= copied;
    }
  };
  struct Consumer {
    Mapping pages;
    std::size_t taken = 0;

    // The load of the size is what waits. When the other end is gone, the kernel gives zeros.
    View peek(std::size_t) {
      const std::size_t size = *reinterpret_cast<const volatile std::size_t*>(pages.data());
      if (size == 0) [[unlikely]]
        fail_closed("page fault");
      taken = bytes_for(size);
      return {pages.data() + header_size, size};
    }
    void release() { check(::madvise(pages.data(), taken, MADV_DONTNEED), "madvise"); }
  };

  explicit Userfaultfd(const Shape& shape)
      : handover_(*shape.directory), bytes_(bytes_for(shape.size)) {}

  Producer producer() { return {handover_.take(), Mapping::own_pages(bytes_)}; }
  // The descriptor stands for the memory of the process that makes it, so it isn't inherited.
  Consumer consumer() {
    Consumer consumer{Mapping::own_pages(bytes_)};
    Fd fd = open_userfaultfd();
    check(fd.get(), "userfaultfd");
    uffdio_register pages{};
    pages.range.start = reinterpret_cast<std::uintptr_t>(consumer.pages.data());
    pages.range.len = bytes_;
    pages.mode = UFFDIO_REGISTER_MODE_MISSING;
    check(::ioctl(fd.get(), UFFDIO_REGISTER, &pages), "ioctl", "UFFDIO_REGISTER");
    handover_.give(std::move(fd));
    return consumer;
  }

 private:
  /// For faults of the program alone, not of the kernel on its behalf: those need no privilege.
  static Fd open_userfaultfd() {
    Fd fd(static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY)));
    uffdio_api api{};
    api.api = UFFD_API;
    if (fd && ::ioctl(fd.get(), UFFDIO_API, &api) == -1) fd.close();
    return fd;
  }

  Handover handover_;
  std::size_t bytes_;
};

}  // namespace

std::vector<Row> userfaultfd_rows() {
  return {row<Userfaultfd>()};
}

}  // namespace ipcbench
