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

const auto page_size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

struct Userfaultfd {
  static constexpr Facts facts{.name = "userfaultfd",
                               .summary = "page faults that the other process answers",
                               .family = Family::process,
                               .naming = Naming::pid,
                               .handle = Handle::fd,
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
  static std::size_t pages_for(std::size_t size) {
    return (header_size + size + page_size - 1) / page_size * page_size;
  }

  struct Producer {
    Fd fd;
    Mapping pages;
    std::size_t size = 0;

    Bytes reserve(std::size_t bytes) {
      size = bytes;
      return {pages.data() + header_size, bytes};
    }
    // One fault, on the first page, is answered with all of them. That page goes last: as soon as
    // it is there, the consumer may read them all.
    void commit() {
      std::memcpy(pages.data(), &size, sizeof size);
      uffd_msg fault;
      check(retry([&] { return ::read(fd.get(), &fault, sizeof fault); }), "read");
      const std::size_t bytes = pages_for(size);
      if (bytes > page_size) copy(fault.arg.pagefault.address, page_size, bytes);
      copy(fault.arg.pagefault.address, 0, page_size);
    }
    /// Copies the bytes from `first` to `last`. EAGAIN says that the kernel has copied some.
    void copy(std::uint64_t there, std::size_t first, std::size_t last) const {
      uffdio_copy range{};
      do {
        range.dst = there + first;
        range.src = reinterpret_cast<std::uintptr_t>(pages.data()) + first;
        range.len = last - first;
        if (::ioctl(fd.get(), UFFDIO_COPY, &range) == -1 && errno != EAGAIN) [[unlikely]]
          fail("ioctl", "UFFDIO_COPY");
        first += static_cast<std::size_t>(std::max(range.copy, __s64{0}));
      } while (first != last);
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
      taken = pages_for(size);
      return {pages.data() + header_size, size};
    }
    void release() { check(::madvise(pages.data(), taken, MADV_DONTNEED), "madvise"); }
  };

  explicit Userfaultfd(const Shape& shape)
      : handover_(*shape.directory), bytes_(pages_for(shape.size)) {}

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
