// fifo: the named pipe of mkfifo(3). A pipe that unrelated processes find by its path.
#include <fcntl.h>
#include <sys/stat.h>

#include "scenarios/matrix.h"
#include "transports/pipe.h"

namespace ipcbench {
namespace {

struct Fifo {
  static constexpr Facts facts{.name = "fifo",
                               .summary = "named pipe, 64 KiB buffer",
                               .family = Family::pipe,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::stream,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_many,
                               .pollable = true,
                               .copies = 2,
                               .standard = "POSIX"};

  explicit Fifo(const Shape& shape)
      : name_(*shape.directory, NameKind::path),
        waiting_(shape.waiting),
        is_shared_(shape.producers + shape.consumers > 2) {
    if (name_.is_ours()) check(::mkfifo(name_.text().c_str(), 0600), "mkfifo", name_.text());
  }

  // open(2) of either end waits for the other one, so the name can go once the second returns. But
  // where there are more, others may still have to open it.
  PipeWriter producer() { return {open_end(O_WRONLY)}; }
  PipeReader consumer() {
    Waitable fd = open_end(O_RDONLY);
    if (!is_shared_) name_.unlink();
    return {std::move(fd)};
  }

 private:
  Waitable open_end(int flags) const {
    const char* path = name_.text().c_str();
    return Waitable(Fd(check(retry([&] { return ::open(path, flags | O_CLOEXEC); }), "open", path)),
                    waiting_);
  }

  Name name_;
  Waiting waiting_;
  bool is_shared_;
};

}  // namespace

std::vector<Row> fifo_rows() {
  return {row<Fifo>()};
}

}  // namespace ipcbench
