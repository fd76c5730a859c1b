// sysv_msg: the System V message queue of msgget(2). Typed messages one way, kept in the kernel.
#include <sys/ipc.h>
#include <sys/msg.h>

#include <memory>
#include <new>

#include "scenarios/matrix.h"

namespace ipcbench {
namespace {

/// msgsnd and msgrcv want the message's type in front of its text, so these ends lend buffers
/// with room for it: nothing is copied that the mechanism doesn't copy.
class TypedBuffer {
 public:
  explicit TypedBuffer(std::size_t size)
      : memory_(std::make_unique<std::byte[]>(sizeof(long) + size)) {
    new (memory_.get()) long(1);
  }
  void* message() { return memory_.get(); }
  std::byte* text() { return memory_.get() + sizeof(long); }

 private:
  std::unique_ptr<std::byte[]> memory_;
};

struct SysvMsg {
  static constexpr Facts facts{.name = "sysv_msg",
                               .summary = "System V message queue",
                               .family = Family::queue,
                               .naming = Naming::key,
                               .handle = Handle::id,
                               .boundary = Boundary::message,
                               .persistence = Persistence::kernel,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_many,
                               .pollable = false,
                               .copies = 2,
                               .standard = "System V, POSIX XSI"};

  static std::string unavailable() {
    return ::access("/proc/sysvipc/msg", F_OK) == 0 ? "" : "the kernel has no System V IPC";
  }
  static std::size_t message_max() {
    return std::min(read_number("/proc/sys/kernel/msgmax", 8192),
                    read_number("/proc/sys/kernel/msgmnb", 16384));
  }

  struct Producer {
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
  struct Consumer {
    int queue;
    TypedBuffer buffer;
    std::size_t size_max;
    View peek(std::size_t) {
      const ssize_t got =
          check(retry([&] { return ::msgrcv(queue, buffer.message(), size_max, 0, 0); }), "msgrcv");
      return {buffer.text(), static_cast<std::size_t>(got)};
    }
    void release() {}
  };

  explicit SysvMsg(const Shape& shape)
      : size_(shape.size),
        name_(*shape.directory, NameKind::sysv_msg),
        queue_(check(::msgget(name_.key(), (name_.is_ours() ? IPC_CREAT | IPC_EXCL : 0) | 0600),
                     "msgget", name_.text())) {}

  // A queue that is removed is gone at once, for those who use it too: it goes with the runner.
  Producer producer() { return {queue_, TypedBuffer(size_)}; }
  Consumer consumer() { return {queue_, TypedBuffer(size_), size_}; }

 private:
  std::size_t size_;
  Name name_;
  int queue_;
};

}  // namespace

std::vector<Row> sysv_msg_rows() {
  return {row<SysvMsg>()};
}

}  // namespace ipcbench
