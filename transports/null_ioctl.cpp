// null_ioctl: the roofline of device calls. One process enters the kernel with an ioctl(2) of our
// module's device, which does nothing there, and comes back.
#include "scenarios/matrix.h"
#include "transports/kmod.h"

namespace ipcbench {
namespace {

struct NullIoctl {
  static constexpr Facts facts{.name = "null_ioctl",
                               .summary = "roofline: into a device of our kernel module and back",
                               .family = Family::roofline,
                               .naming = Naming::inherited,
                               .handle = Handle::fd,
                               .boundary = Boundary::none,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = false,
                               .copies = 0,
                               .standard = "Linux, our module"};

  static std::string unavailable() { return kmod_unavailable(); }

  struct End {
    Fd device;
    void notify() { check(::ioctl(device.get(), IPCBENCH_IOC_NULL), "ioctl"); }
    void wait() {}
  };

  explicit NullIoctl(const Shape&) : device_(open_kmod()) {}
  End alone() { return {std::move(device_)}; }

 private:
  Fd device_;
};

}  // namespace

std::vector<Row> null_ioctl_rows() {
  return {row<NullIoctl>()};
}

}  // namespace ipcbench
