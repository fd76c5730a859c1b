// kmod_umh: the user-mode helper API of the kernel. For each message our module has the kernel
// start a program, with the message as an argument; the program puts it into the consumer's queue.
#include "scenarios/matrix.h"
#include "transports/kmod.h"

namespace ipcbench {
namespace {

constexpr Facts facts_of_umh() {
  Facts facts = kmod_facts("kmod_umh", "program that the kernel starts for each message");
  facts.copies =
      6;  // into the module, to text, into the program's arguments, from text, and a queue
  facts.pollable = false;  // the program's end has always been reached when the send returns
  return facts;
}

class KmodUmh {
 public:
  static constexpr Facts facts = facts_of_umh();
  static constexpr bool is_slow = true;

  static std::string unavailable() {
    if (std::string why = kmod_unavailable(); !why.empty()) return why;
    if (read_text("/sys/module/ipcbench/parameters/helper").empty())
      return "the module was loaded without helper=PROGRAM; scripts/kmod load gives it one";
    return "";
  }
  static std::size_t message_max() { return IPCBENCH_HELP_MAX; }

  struct Producer {
    Fd device;
    void send(View bytes) {
      const ipcbench_message message{address_of_memory(bytes.data()), bytes.size()};
      check(retry([&] { return ::ioctl(device.get(), IPCBENCH_IOC_HELP, &message); }), "ioctl",
            "help");
    }
  };
  struct Consumer {
    Fd device;
    std::size_t recv(Bytes buffer) {
      const auto read = [&] { return ::read(device.get(), buffer.data(), buffer.size()); };
      const ssize_t got = check(retry(read), "read");
      if (got == 0) [[unlikely]]
        fail_closed("read");
      return static_cast<std::size_t>(got);
    }
  };

  explicit KmodUmh(const Shape& shape)
      : name_(*shape.directory, NameKind::note), channel_(IPCBENCH_QUEUE, shape, &name_) {
    channel_.hold();
  }

  std::size_t depth() const { return channel_.depth(); }
  Producer producer() { return {channel_.session(IPCBENCH_PRODUCER)}; }
  Consumer consumer() { return {channel_.session(IPCBENCH_CONSUMER)}; }

 private:
  Name name_;
  KmodChannel channel_;
};

}  // namespace

std::vector<Row> kmod_umh_rows() {
  return {row<KmodUmh>()};
}

}  // namespace ipcbench
