// posix_mq: the POSIX message queue of mq_open(3). Messages one way, kept in the kernel.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/resource.h>

#include <algorithm>

#include "scenarios/matrix.h"

namespace ipcbench {
namespace {

struct PosixMq {
  static constexpr Facts facts{.name = "posix_mq",
                               .summary = "POSIX message queue",
                               .family = Family::queue,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::kernel,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_many,
                               .pollable = true,
                               .copies = 2,
                               .standard = "POSIX"};

  static std::string unavailable() {
    return ::access("/proc/sys/fs/mqueue", F_OK) == 0 ? "" : "the kernel has no POSIX queues";
  }
  static std::size_t message_max() { return read_number("/proc/sys/fs/mqueue/msgsize_max", 8192); }

  // An mqd_t is a file descriptor on Linux (mq_overview(7)).
  struct Producer {
    Waitable queue;
    void send(View message) {
      const auto* data = reinterpret_cast<const char*>(message.data());
      while (::mq_send(queue.get(), data, message.size(), 0) == -1)
        [[unlikely]] queue.await_writable("mq_send");
    }
  };
  struct Consumer {
    Waitable queue;
    std::size_t recv(Bytes buffer) {
      auto* data = reinterpret_cast<char*>(buffer.data());
      ssize_t got;
      while ((got = ::mq_receive(queue.get(), data, buffer.size(), nullptr)) == -1)
        [[unlikely]] queue.await_readable("mq_receive");
      return static_cast<std::size_t>(got);
    }
  };

  explicit PosixMq(const Shape& shape)
      : depth_(possible_depth(shape)), name_(*shape.directory, NameKind::posix_mq) {
    mq_attr attributes{};
    attributes.mq_maxmsg = static_cast<long>(depth_);
    attributes.mq_msgsize = static_cast<long>(shape.size);
    const int flags = O_RDWR | O_CLOEXEC | (name_.is_ours() ? O_CREAT | O_EXCL : 0);
    queue_ = Waitable(Fd(check(::mq_open(name_.text().c_str(), flags, 0600, &attributes), "mq_open",
                               name_.text())),
                      shape.waiting);
  }

  std::size_t depth() const { return depth_; }
  Producer producer() { return {std::move(queue_)}; }
  Consumer consumer() { return {std::move(queue_)}; }

 private:
  /// At most msg_max messages; and a queue's bytes, with 80 bytes a message for the kernel's own
  /// records, count against RLIMIT_MSGQUEUE, of which a run may need two queues.
  static std::size_t possible_depth(const Shape& shape) {
    rlimit limit{};
    check(::getrlimit(RLIMIT_MSGQUEUE, &limit), "getrlimit", "RLIMIT_MSGQUEUE");
    const std::size_t most = read_number("/proc/sys/fs/mqueue/msg_max", 10);
    const std::size_t affordable = limit.rlim_cur / 2 / (shape.size + 80);
    return std::max<std::size_t>(1, std::min({shape.depth, most, affordable}));
  }

  std::size_t depth_;
  Name name_;
  Waitable queue_;
};

}  // namespace

std::vector<Row> posix_mq_rows() {
  return {row<PosixMq>()};
}

}  // namespace ipcbench
