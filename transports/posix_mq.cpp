// posix_mq: the POSIX message queue of mq_open(3). Messages one way, kept in the kernel.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/resource.h>

#include <algorithm>

#include "scenarios/matrix.h"
#include "transports/private_ipc.h"

namespace ipcbench {
namespace {

/// Whether the queues live in an IPC namespace of the run, with limits that are raised there.
struct Place {
  bool is_private;
};

constexpr Facts facts_of(Place place) {
  return {.name = place.is_private ? "posix_mq.private" : "posix_mq",
          .summary = place.is_private ? "POSIX queue in an IPC namespace of its own"
                                      : "POSIX message queue",
          .family = Family::queue,
          .naming = place.is_private ? Naming::inherited : Naming::pathname,
          .handle = Handle::fd,
          .boundary = Boundary::message,
          .persistence = place.is_private ? Persistence::process : Persistence::kernel,
          .delivery = Delivery::reliable,
          .peers = Peers::many_to_many,
          .pollable = true,
          .copies = 2,
          .standard = place.is_private ? "Linux" : "POSIX"};
}

struct PosixMq {
  using Variant = Place;
  static constexpr Facts facts = facts_of({.is_private = false});

  static std::string unavailable(const Variant& place) {
    if (::access("/proc/sys/fs/mqueue", F_OK) != 0) return "the kernel has no POSIX queues";
    return place.is_private ? private_ipc_unavailable() : "";
  }
  static std::size_t message_max(const Variant& place) {
    const std::size_t limit = place.is_private
                                  ? private_message_max
                                  : read_number("/proc/sys/fs/mqueue/msgsize_max", 8192);
    return std::min(limit, affordable_bytes() - std::min(affordable_bytes(), record_size));
  }

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

  explicit PosixMq(const Shape& shape) : name_(*shape.directory, NameKind::posix_mq) {
    const bool is_private = shape.variant_as<Variant>().is_private;
    if (is_private) enter_private_ipc();
    mq_attr attributes{};
    attributes.mq_maxmsg = possible_depth(shape);
    attributes.mq_msgsize = static_cast<long>(shape.size);
    const int flags = O_RDWR | O_CLOEXEC | (name_.is_ours() ? O_CREAT | O_EXCL : 0);
    Fd queue(
        check(::mq_open(name_.text().c_str(), flags, 0600, &attributes), "mq_open", name_.text()));
    // Who finds the queue has its own limits, but not its own depth.
    check(::mq_getattr(queue.get(), &attributes), "mq_getattr", name_.text());
    depth_ = static_cast<std::size_t>(attributes.mq_maxmsg);
    queue_ = Waitable(std::move(queue), shape.waiting);
    if (is_private) name_.unlink();  // the ends inherit it
  }

  std::size_t depth() const { return depth_; }
  Producer producer() { return {std::move(queue_)}; }
  Consumer consumer() { return {std::move(queue_)}; }

 private:
  /// What the kernel keeps with a message: msg_msg and posix_msg_tree_node (getrlimit(2)).
  static constexpr std::size_t record_size = 96;

  /// Bytes and records of the queues of a user count against RLIMIT_MSGQUEUE, in all namespaces;
  /// a run may need two queues.
  static std::size_t affordable_bytes() {
    rlimit limit{};
    check(::getrlimit(RLIMIT_MSGQUEUE, &limit), "getrlimit", "RLIMIT_MSGQUEUE");
    return limit.rlim_cur / 2;
  }
  static long possible_depth(const Shape& shape) {
    const std::size_t most = read_number("/proc/sys/fs/mqueue/msg_max", 10);
    const std::size_t affordable = affordable_bytes() / (shape.size + record_size);
    return static_cast<long>(std::max<std::size_t>(1, std::min({shape.depth, most, affordable})));
  }

  std::size_t depth_ = 0;
  Name name_;
  Waitable queue_;
};

constexpr Place shared{.is_private = false};
constexpr Place separate{.is_private = true};

}  // namespace

std::vector<Row> posix_mq_rows() {
  return {row<PosixMq>(facts_of(shared), shared), row<PosixMq>(facts_of(separate), separate)};
}

}  // namespace ipcbench
