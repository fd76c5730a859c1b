// kmod_proc: a file in procfs as a mailbox, our module's. Who opens it to write produces, who opens
// it to read consumes; whole messages, one way.
#include "scenarios/matrix.h"
#include "transports/kmod.h"

namespace ipcbench {
namespace {

struct KmodProc {
  static constexpr Facts facts =
      kmod_facts("kmod_proc", "procfs file of our kernel module as a mailbox");

  static std::string unavailable() { return kmod_unavailable(); }
  static std::size_t message_max() { return IPCBENCH_MESSAGE_MAX; }

  struct Producer {
    Waitable file;
    void send(View message) {
      while (::write(file.get(), message.data(), message.size()) == -1)
        [[unlikely]] file.await_writable("write");
    }
  };
  struct Consumer {
    Waitable file;
    std::size_t recv(Bytes buffer) {
      ssize_t got;
      while ((got = ::read(file.get(), buffer.data(), buffer.size())) == -1)
        [[unlikely]] file.await_readable("read");
      if (got == 0) [[unlikely]]
        fail_closed("read");
      return static_cast<std::size_t>(got);
    }
  };

  explicit KmodProc(const Shape& shape)
      : waiting_(shape.waiting),
        name_(*shape.directory, NameKind::note),
        channel_(IPCBENCH_PROC, shape, &name_) {
    channel_.hold();
  }

  std::size_t depth() const { return channel_.depth(); }
  Producer producer() { return {open(O_WRONLY)}; }
  Consumer consumer() { return {open(O_RDONLY)}; }

 private:
  Waitable open(int access) const {
    const std::string path = fmt::format("/proc/ipcbench/{}", channel_.id());
    return Waitable(Fd(check(::open(path.c_str(), access | O_CLOEXEC), "open", path)), waiting_);
  }

  Waiting waiting_;
  Name name_;
  KmodChannel channel_;
};

}  // namespace

std::vector<Row> kmod_proc_rows() {
  return {row<KmodProc>()};
}

}  // namespace ipcbench
