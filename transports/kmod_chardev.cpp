// kmod_chardev: read(2) and write(2) of a character device, the module's. Messages both ways, whole
// ones, from a bounded queue each way.
#include "scenarios/matrix.h"
#include "transports/kmod.h"

namespace ipcbench {
namespace {

struct CharEnd {
  Waitable device;

  void send(View message) {
    while (::write(device.get(), message.data(), message.size()) == -1)
      [[unlikely]] device.await_writable("write");
  }
  std::size_t recv(Bytes buffer) {
    ssize_t got;
    while ((got = ::read(device.get(), buffer.data(), buffer.size())) == -1)
      [[unlikely]] device.await_readable("read");
    if (got == 0) [[unlikely]]
      fail_closed("read");
    return static_cast<std::size_t>(got);
  }
};

struct KmodChardev : KmodQueue<CharEnd> {
  static constexpr Facts facts =
      kmod_facts("kmod_chardev", "character device of our kernel module, read and write");
  using KmodQueue::KmodQueue;
};

}  // namespace

std::vector<Row> kmod_chardev_rows() {
  return {row<KmodChardev>()};
}

}  // namespace ipcbench
