// fifo: the named pipe of mkfifo(3). A pipe that unrelated processes find by its path.
#include <fcntl.h>
#include <sys/stat.h>

#include "scenarios/matrix.h"

namespace ipcbench {
namespace {

struct Fifo {
  static constexpr Facts facts{.name = "fifo",
                               .summary = "named pipe, 64 KiB buffer",
                               .family = Family::pipe,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::stream,
                               .persistence = Persistence::filesystem,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_many,
                               .copies = 2,
                               .standard = "POSIX"};

  struct Producer {
    Fd fd;
    void send(View message) { write_all(fd.get(), message); }
  };
  struct Consumer {
    Fd fd;
    std::size_t recv(Bytes buffer) { return read_all(fd.get(), buffer); }
  };

  explicit Fifo(const Shape& shape) : name_(*shape.directory, NameKind::path) {
    check(::mkfifo(name_.text().c_str(), 0600), "mkfifo", name_.text());
  }

  // open(2) of either end waits for the other one, so the name can go once the second returns.
  Producer producer() { return {open_end(O_WRONLY)}; }
  Consumer consumer() {
    Fd fd = open_end(O_RDONLY);
    name_.unlink();
    return {std::move(fd)};
  }

 private:
  Fd open_end(int flags) const {
    const char* path = name_.text().c_str();
    return Fd(check(retry([&] { return ::open(path, flags | O_CLOEXEC); }), "open", path));
  }

  Name name_;
};

}  // namespace

std::vector<Row> fifo_rows() {
  return {row<Fifo>()};
}

}  // namespace ipcbench
