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
                               .copies = 2,
                               .standard = "POSIX"};

  static std::string unavailable() {
    return ::access("/proc/sys/fs/mqueue", F_OK) == 0 ? "" : "the kernel has no POSIX queues";
  }
  static std::size_t message_max() { return read_number("/proc/sys/fs/mqueue/msgsize_max", 8192); }

  // An mqd_t is a file descriptor on Linux (mq_overview(7)).
  struct Producer {
    Fd queue;
    void send(View message) {
      const auto* data = reinterpret_cast<const char*>(message.data());
      check(retry([&] { return ::mq_send(queue.get(), data, message.size(), 0); }), "mq_send");
    }
  };
  struct Consumer {
    Fd queue;
    std::size_t recv(Bytes buffer) {
      auto* data = reinterpret_cast<char*>(buffer.data());
      const auto receive = [&] { return ::mq_receive(queue.get(), data, buffer.size(), nullptr); };
      return static_cast<std::size_t>(check(retry(receive), "mq_receive"));
    }
  };

  explicit PosixMq(const Shape& shape) : depth_(possible_depth(shape)) {
    const Name name(*shape.directory, NameKind::posix_mq);
    mq_attr attributes{};
    attributes.mq_maxmsg = static_cast<long>(depth_);
    attributes.mq_msgsize = static_cast<long>(shape.size);
    queue_ = Fd(check(
        ::mq_open(name.text().c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes),
        "mq_open", name.text()));
    // The ends inherit the queue, so its name goes at once, with `name`.
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
  Fd queue_;
};

}  // namespace

std::vector<Row> posix_mq_rows() {
  return {row<PosixMq>()};
}

}  // namespace ipcbench
