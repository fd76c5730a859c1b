// my_fifo: an example of a transport that is built outside of ipcbench's tree: a named pipe.
//
// It has the shape of all transports (harness/transport.h): its facts, a constructor that runs
// before the fork, and producer() and consumer(), each in a process of its own. A library's objects
// would be made in these two: what a library holds seldom survives a fork.
#include <fcntl.h>
#include <sys/stat.h>

#include "scenarios/matrix.h"

namespace ipcbench {
namespace {

struct MyFifo {
  static constexpr Facts facts{.name = "my_fifo",
                               .summary = "named pipe, built outside of the tree",
                               .family = Family::pipe,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::stream,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = false,
                               .copies = 2,
                               .standard = "POSIX"};

  struct Producer {
    Fd fd;
    void send(View message) {
      while (!message.empty()) {
        const auto sent = check(::write(fd.get(), message.data(), message.size()), "write");
        message = message.subspan(static_cast<std::size_t>(sent));
      }
    }
  };
  struct Consumer {
    Fd fd;
    std::size_t recv(Bytes buffer) {  // a byte stream is read until the buffer is full
      std::size_t size = 0;
      while (size != buffer.size()) {
        const auto got =
            check(::read(fd.get(), buffer.data() + size, buffer.size() - size), "read");
        if (got == 0) fail_closed("read");
        size += static_cast<std::size_t>(got);
      }
      return size;
    }
  };

  explicit MyFifo(const Shape& shape) : name_(*shape.directory, NameKind::path) {
    if (name_.is_ours()) check(::mkfifo(name_.text().c_str(), 0600), "mkfifo", name_.text());
  }
  Producer producer() { return {open_end(O_WRONLY)}; }
  Consumer consumer() {
    Fd fd = open_end(O_RDONLY);  // waits for the producer
    name_.unlink();
    return {std::move(fd)};
  }

 private:
  Fd open_end(int flags) const {
    return Fd(check(::open(name_.text().c_str(), flags | O_CLOEXEC), "open", name_.text()));
  }
  Name name_;
};

}  // namespace

std::vector<Row> my_fifo_rows() {
  return {row<MyFifo>()};
}

}  // namespace ipcbench
