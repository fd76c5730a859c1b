// binder: Android's remote procedure calls through the kernel: a call is one ioctl at each end,
// which copies the message once, into memory that the kernel has mapped into the receiver.
//
// The server is the context manager of /dev/binder, whom clients reach by the handle 0: there is
// one at a time for the device, and so one link. The device is that of the module binder_linux.
#include <sys/file.h>

#include "scenarios/matrix.h"
#include "transports/binder_ends.h"

namespace ipcbench {
namespace {

class Binder {
 public:
  static constexpr Facts facts{.name = "binder",
                               .summary = "Android's calls through the kernel (/dev/binder)",
                               .family = Family::rpc,
                               .naming = Naming::key,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_one,
                               .pollable = false,  // it is, but a call waits in its ioctl
                               .copies = 2,        // into the receiver's mapping, and out of it
                               .standard = "Linux"};

  static std::string unavailable() {
    const Fd fd(::open(binder::device, O_RDWR | O_CLOEXEC));
    if (fd.get() == -1)
      return fmt::format("{}: {} (modprobe binder_linux)", binder::device, std::strerror(errno));
    binder_version version{};
    if (::ioctl(fd.get(), BINDER_VERSION, &version) == 0 &&
        version.protocol_version == BINDER_CURRENT_PROTOCOL_VERSION)
      return "";
    return fmt::format("{} speaks protocol {}, and not {}", binder::device,
                       version.protocol_version, BINDER_CURRENT_PROTOCOL_VERSION);
  }
  static std::size_t message_max() { return binder::room; }

  explicit Binder(const Shape& shape) : name_(*shape.directory, NameKind::note), size_(shape.size) {
    if (!name_.is_ours()) return;
    turn_ = Fd(check(::open(binder::device, O_RDWR | O_CLOEXEC), "open", binder::device));
    if (::flock(turn_.get(), LOCK_EX | LOCK_NB) == -1) {
      errno = EBUSY;
      fail("flock", binder::device);  // another link has its manager
    }
  }

  binder::Client producer() {
    name_.await();
    return {};
  }
  binder::Server consumer() {
    binder::Session session;
    session.manage();
    name_.publish("handle 0");
    return {std::move(session), size_};
  }

 private:
  Name name_;
  std::size_t size_;
  Fd turn_;
};

}  // namespace

std::vector<Row> binder_rows() {
  return {row<Binder>()};
}

}  // namespace ipcbench
