// sysv_msg: the System V message queue of msgget(2). Typed messages, kept in the kernel: one way,
// or both ways through one queue, where each end selects the type that it receives.
#include <sys/ipc.h>
#include <sys/msg.h>

#include <algorithm>
#include <memory>
#include <new>

#include "scenarios/matrix.h"
#include "transports/private_ipc.h"

namespace ipcbench {
namespace {

/// The message's type stands in front of its text, so these ends lend buffers with room for it:
/// nothing is copied that the mechanism doesn't copy.
class TypedBuffer {
 public:
  TypedBuffer(std::size_t size, long type)
      : memory_(std::make_unique<std::byte[]>(sizeof type + size)) {
    new (memory_.get()) long(type);
  }
  void* message() { return memory_.get(); }
  std::byte* text() { return memory_.get() + sizeof(long); }

 private:
  std::unique_ptr<std::byte[]> memory_;
};

struct Sending {
  int queue;
  TypedBuffer buffer;
  std::size_t size = 0;
  Bytes reserve(std::size_t bytes) {
    size = bytes;
    return {buffer.text(), bytes};
  }
  void commit() {
    check(retry([&] { return ::msgsnd(queue, buffer.message(), size, 0); }), "msgsnd");
  }
};

struct Receiving {
  int queue;
  TypedBuffer buffer;
  std::size_t size_max;
  long type;  ///< the one to receive; 0: any, in the order of sending
  View peek(std::size_t) {
    const ssize_t got = check(
        retry([&] { return ::msgrcv(queue, buffer.message(), size_max, type, 0); }), "msgrcv");
    return {buffer.text(), static_cast<std::size_t>(got)};
  }
  void release() {}
};

struct Selecting : Sending, Receiving {};

struct Kind {
  std::string_view name, summary;
  bool is_private;  ///< in an IPC namespace of the run, with limits that are raised there
};

constexpr Facts facts_of(const Kind& kind) {
  return {.name = kind.name,
          .summary = kind.summary,
          .family = Family::queue,
          .naming = kind.is_private ? Naming::inherited : Naming::key,
          .handle = Handle::id,
          .boundary = Boundary::message,
          .persistence = kind.is_private ? Persistence::process : Persistence::kernel,
          .delivery = Delivery::reliable,
          .peers = Peers::many_to_many,
          .pollable = false,
          .copies = 2,
          .standard = kind.is_private ? "Linux" : "System V, POSIX XSI"};
}

constexpr Kind plain{"sysv_msg", "System V message queue", false};
constexpr Kind separate{"sysv_msg.private", "System V queue in an IPC namespace of its own", true};
constexpr Kind typed{"sysv_msg.typed", "one System V queue both ways, a type for each", false};

class Queue {
 public:
  using Variant = Kind;
  static constexpr Facts facts = facts_of(plain);

  static std::string unavailable(const Kind& kind) {
    if (::access("/proc/sysvipc/msg", F_OK) != 0) return "the kernel has no System V IPC";
    return kind.is_private ? private_ipc_unavailable() : "";
  }
  static std::size_t message_max(const Kind& kind) {
    if (kind.is_private) return private_message_max;
    return std::min(read_number("/proc/sys/kernel/msgmax", 8192),
                    read_number("/proc/sys/kernel/msgmnb", 16384));
  }

  // A queue that is removed is gone at once, for its users too: it goes with the runner. A private
  // one goes with its namespace: it has no key, and its name names nothing.
  explicit Queue(const Shape& shape)
      : size_(shape.size),
        name_(*shape.directory,
              shape.variant_as<Kind>().is_private ? NameKind::note : NameKind::sysv_msg) {
    const bool is_private = shape.variant_as<Kind>().is_private;
    if (is_private) enter_private_ipc();
    const int flags = name_.is_ours() ? IPC_CREAT | IPC_EXCL : 0;
    queue_ = check(::msgget(is_private ? IPC_PRIVATE : name_.key(), flags | 0600), "msgget",
                   name_.text());
    msqid_ds state{};
    check(::msgctl(queue_, IPC_STAT, &state), "msgctl", "IPC_STAT");
    if (is_private) {
      state.msg_qbytes = std::clamp(shape.depth * size_, size_, private_queue_max);
      check(::msgctl(queue_, IPC_SET, &state), "msgctl", "IPC_SET");
    }
    depth_ = state.msg_qbytes / std::max<std::size_t>(size_, 1);
  }
  std::size_t depth() const { return depth_; }

 protected:
  Sending sending(long type) const { return {queue_, TypedBuffer(size_, type)}; }
  Receiving receiving(long type) const { return {queue_, TypedBuffer(size_, type), size_, type}; }

 private:
  std::size_t size_;
  std::size_t depth_;
  Name name_;
  int queue_;
};

struct OneWay : Queue {
  using Queue::Queue;
  Sending producer() { return sending(1); }
  Receiving consumer() { return receiving(0); }
};

struct BothWays : Queue {
  using Queue::Queue;
  Selecting producer() { return {sending(1), receiving(2)}; }
  Selecting consumer() { return {sending(2), receiving(1)}; }
};

}  // namespace

std::vector<Row> sysv_msg_rows() {
  return {row<OneWay>(facts_of(plain), plain), row<OneWay>(facts_of(separate), separate),
          row<BothWays>(facts_of(typed), typed)};
}

}  // namespace ipcbench
