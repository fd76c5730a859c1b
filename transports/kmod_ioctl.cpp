// kmod_ioctl: ioctl(2) of a character device, the module's. One to send and one to receive, as a
// channel; and one that the kernel answers itself, as a call.
#include "scenarios/matrix.h"
#include "transports/kmod.h"

namespace ipcbench {
namespace {

struct IoctlEnd {
  Waitable device;

  void send(View message) {
    const ipcbench_message sent{address_of_memory(message.data()), message.size()};
    while (::ioctl(device.get(), IPCBENCH_IOC_SEND, &sent) == -1)
      [[unlikely]] device.await_writable("ioctl");
  }
  std::size_t recv(Bytes buffer) {
    ipcbench_message received{address_of_memory(buffer.data()), buffer.size()};
    while (::ioctl(device.get(), IPCBENCH_IOC_RECEIVE, &received) == -1)
      [[unlikely]] device.await_readable("ioctl");
    if (received.size == 0) [[unlikely]]
      fail_closed("ioctl");
    return received.size;
  }
};

struct KmodIoctl : KmodQueue<IoctlEnd> {
  static constexpr Facts facts =
      kmod_facts("kmod_ioctl", "device of our kernel module, an ioctl to send and one to receive");
  using KmodQueue::KmodQueue;
};

constexpr Facts facts_of_call() {
  Facts facts = kmod_facts("kmod_ioctl.call",
                           "device of our kernel module, an ioctl that the kernel answers");
  facts.naming = Naming::inherited;
  facts.peers = Peers::one_to_one;
  facts.pollable = false;
  return facts;
}

struct KmodIoctlCall {
  static constexpr Facts facts = facts_of_call();
  static std::string unavailable() { return kmod_unavailable(); }
  static std::size_t message_max() { return IPCBENCH_MESSAGE_MAX; }

  struct End {
    Fd device;
    std::size_t call(View request, Bytes reply) {
      ipcbench_call call{address_of_memory(request.data()), request.size(),
                         address_of_memory(reply.data()), reply.size()};
      check(retry([&] { return ::ioctl(device.get(), IPCBENCH_IOC_CALL, &call); }), "ioctl");
      return call.reply_size;
    }
  };

  explicit KmodIoctlCall(const Shape& shape) : channel_(IPCBENCH_QUEUE, shape) {}
  End kernel(KernelPart part) { return {channel_.session_with(part)}; }
  Sunk sunk() const { return channel_.sunk(); }

 private:
  KmodChannel channel_;
};

}  // namespace

std::vector<Row> kmod_ioctl_rows() {
  return {row<KmodIoctl>(), row<KmodIoctlCall>()};
}

}  // namespace ipcbench
