// kmod.h: what the transports through the kernel module share: sessions of its device.
//
// The module lies in transports/kmod, and what it offers stands in kmod/ipcbench_uapi.h.
#pragma once

#include <fcntl.h>
#include <sys/ioctl.h>

#include <cstring>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/transport.h"
#include "transports/kmod/ipcbench_uapi.h"

namespace ipcbench {

/// An open file of the device.
inline Fd open_kmod() {
  return Fd(check(::open(IPCBENCH_DEVICE, O_RDWR | O_CLOEXEC), "open", IPCBENCH_DEVICE));
}

/// Why there is no device to be had, or "".
inline std::string kmod_unavailable() {
  const Fd device(::open(IPCBENCH_DEVICE, O_RDWR | O_CLOEXEC));
  if (device) {
    ipcbench_attach other{};
    other.abi = IPCBENCH_ABI;
    other.kind = ~0u;  // there is none: EINVAL from the module that this was built with
    if (::ioctl(device.get(), IPCBENCH_IOC_ATTACH, &other) == -1 && errno == EPROTO)
      return "the module that is loaded is of another version: scripts/kmod unload, load";
    return "";
  }
  if (errno == ENOENT) return "no " IPCBENCH_DEVICE ": scripts/kmod load, or scripts/vm";
  return fmt::format("{}: {}", IPCBENCH_DEVICE, std::strerror(errno));
}

/// A channel of the module, as one process sees it. It lives as long as any session, so whoever
/// makes it holds it while the ends come.
class KmodChannel {
 public:
  /// By name; or without one, where others are to join by a session that they inherit.
  KmodChannel(std::uint32_t kind, const Shape& shape, const Name* name = nullptr)
      : wish_{.abi = IPCBENCH_ABI,
              .kind = kind,
              .side = IPCBENCH_HOLDER,
              .peer = IPCBENCH_PROCESS,
              .fd = -1,
              .depth = static_cast<std::uint32_t>(shape.depth),
              .size_max = shape.size,
              .id = 0,
              .reserved = 0,
              .name = {}} {
    if (name != nullptr)
      fmt::format_to_n(wish_.name, sizeof wish_.name - 1, "ipcbench-{:08x}",
                       static_cast<std::uint32_t>(name->key()));
  }

  /// Makes the channel, or finds it, and holds it.
  void hold(std::uint32_t peer = IPCBENCH_PROCESS) {
    wish_.peer = peer;
    holder_ = session(IPCBENCH_HOLDER);
    if (wish_.name[0] == '\0') wish_.fd = holder_.get();
  }
  /// A session on one side of it.
  Fd session(std::uint32_t side) {
    Fd device = open_kmod();
    wish_.side = side;
    check(::ioctl(device.get(), IPCBENCH_IOC_ATTACH, &wish_), "ioctl", "attach");
    return device;
  }
  int holder() const { return holder_.get(); }
  void release() { holder_.close(); }
  std::size_t depth() const { return wish_.depth; }
  std::uint32_t id() const { return wish_.id; }

  /// For the one end that there is where the kernel is the other one.
  Fd session_with(KernelPart part) {
    switch (part) {
      case KernelPart::echo:
        hold(IPCBENCH_ECHO);
        return session(IPCBENCH_PRODUCER);
      case KernelPart::sink:
        hold(IPCBENCH_SINK);
        return session(IPCBENCH_PRODUCER);
      case KernelPart::source:
        hold(IPCBENCH_SOURCE);
        return session(IPCBENCH_CONSUMER);
    }
    throw std::logic_error("the kernel plays no such part");
  }
  Sunk sunk() const {
    ipcbench_sunk sunk{};
    check(::ioctl(holder_.get(), IPCBENCH_IOC_SUNK, &sunk), "ioctl", "sunk");
    return {sunk.messages, sunk.bytes, sunk.sum};
  }

 private:
  ipcbench_attach wish_;
  Fd holder_;
};

inline std::uint64_t address_of_memory(const void* memory) {
  return reinterpret_cast<std::uint64_t>(memory);
}

/// A link of two processes through a queue of the module, or of one process and the kernel. `End`
/// sends and receives through a Waitable session.
template <class End>
class KmodQueue {
 public:
  static std::string unavailable() { return kmod_unavailable(); }
  static std::size_t message_max() { return IPCBENCH_MESSAGE_MAX; }

  explicit KmodQueue(const Shape& shape)
      : waiting_(shape.waiting),
        name_(*shape.directory, NameKind::note),
        channel_(IPCBENCH_QUEUE, shape, &name_) {
    if (shape.peer == Peer::process) channel_.hold();
  }

  std::size_t depth() const { return channel_.depth(); }
  End producer() { return end(channel_.session(IPCBENCH_PRODUCER)); }
  End consumer() { return end(channel_.session(IPCBENCH_CONSUMER)); }
  End kernel(KernelPart part) { return end(channel_.session_with(part)); }
  Sunk sunk() const { return channel_.sunk(); }

 private:
  End end(Fd session) const { return {Waitable(std::move(session), waiting_)}; }

  Waiting waiting_;
  Name name_;
  KmodChannel channel_;
};

/// The facts that most of them share.
constexpr Facts kmod_facts(std::string_view name, std::string_view summary) {
  return {.name = name,
          .summary = summary,
          .family = Family::kernel,
          .naming = Naming::key,
          .handle = Handle::fd,
          .boundary = Boundary::message,
          .persistence = Persistence::process,
          .delivery = Delivery::reliable,
          .peers = Peers::many_to_many,
          .pollable = true,
          .copies = 2,
          .standard = "Linux, our module"};
}

}  // namespace ipcbench
