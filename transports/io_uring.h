// io_uring.h: a submission and a completion ring (io_uring(7)), which the io_uring transports
// share.
//
// System calls by hand: that is all that liburing would do here. A ring is made in the process that
// uses it, after the fork.
#pragma once

#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <initializer_list>
#include <string>

#include <fmt/format.h>

#include "harness/waiting.h"

namespace ipcbench {

/// The process that makes the ring is the only one that submits, and completions are worked off
/// when it waits for them: the cheapest way to use a ring (Linux 6.1).
constexpr unsigned single_issuer = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;

/// One operation is prepared, submitted and completed at a time, unless a transport wants more.
class IoUring {
 public:
  explicit IoUring(Waiting waiting, unsigned flags = 0, unsigned completions = 8)
      : waits_in_kernel_(waiting == Waiting::block),
        defers_((flags & IORING_SETUP_DEFER_TASKRUN) != 0) {
    io_uring_params params{};
    params.flags = flags | IORING_SETUP_CQSIZE;
    params.cq_entries = std::max(completions, submissions);
    fd_ = Waitable(Fd(set_up(submissions, params)), waiting);
    const std::size_t size =
        std::max<std::size_t>(params.sq_off.array + params.sq_entries * sizeof(unsigned),
                              params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe));
    rings_ = Mapping(size, fd_.get());  // both, since Linux 5.4
    entries_ = Mapping(params.sq_entries * sizeof(io_uring_sqe), fd_.get(), IORING_OFF_SQES);
    for (unsigned i = 0; i < params.sq_entries; ++i) word(params.sq_off.array)[i] = i;
    submit_tail_ = word(params.sq_off.tail);
    head_ = word(params.cq_off.head);
    tail_ = word(params.cq_off.tail);
    mask_ = params.cq_entries - 1;
    completions_ = reinterpret_cast<io_uring_cqe*>(rings_.data() + params.cq_off.cqes);
  }

  int fd() const { return fd_.get(); }

  /// A fresh entry, which the next wait() or submit() hands in.
  io_uring_sqe& prepare(std::uint8_t opcode, int fd) {
    auto& entry = reinterpret_cast<io_uring_sqe*>(entries_.data())[prepared_++ & (submissions - 1)];
    std::memset(&entry, 0, sizeof entry);
    entry.opcode = opcode;
    entry.fd = fd;
    return entry;
  }

  /// Hands in what is prepared, and doesn't wait for it.
  void submit() {
    while (submitted_ != prepared_) enter(0);
  }

  /// Hands in what is prepared and returns the oldest completion, in place: seen() gives it back.
  const io_uring_cqe& wait() {
    while (submitted_ != prepared_ || is_empty()) {
      // Only a ring that defers needs to be asked; into others the kernel puts what is complete.
      if (submitted_ != prepared_ || waits_in_kernel_ || defers_) enter(waits_in_kernel_ ? 1 : 0);
      if (waits_in_kernel_ || !is_empty()) continue;
      errno = EAGAIN;
      fd_.await_readable("io_uring");
    }
    return completions_[*head_ & mask_];
  }
  bool is_empty() const {
    return *head_ == std::atomic_ref(*tail_).load(std::memory_order_acquire);
  }
  void seen() { std::atomic_ref(*head_).store(*head_ + 1, std::memory_order_release); }

  /// wait(), for the result of a single operation.
  int complete() {
    const int result = wait().res;
    seen();
    return result;
  }

  void register_with(unsigned what, void* argument, unsigned count) {
    check(::syscall(SYS_io_uring_register, fd(), what, argument, count), "io_uring_register");
  }

  /// Why a ring of these flags can't do these operations here, or "".
  static std::string unavailable(std::initializer_list<std::uint8_t> opcodes, unsigned flags = 0) {
    io_uring_params params{};
    params.flags = flags;
    const Fd ring(static_cast<int>(::syscall(SYS_io_uring_setup, 1, &params)));
    if (!ring)
      return fmt::format("io_uring_setup: {}; sysctl kernel.io_uring_disabled is {}",
                         std::strerror(errno), read_number(disabled, 0));
    alignas(io_uring_probe) std::byte space[sizeof(io_uring_probe) + 256 * entry_size]{};
    if (::syscall(SYS_io_uring_register, ring.get(), IORING_REGISTER_PROBE, space, 256) == -1)
      return fmt::format("io_uring_register: {}", std::strerror(errno));
    const auto& probe = *reinterpret_cast<const io_uring_probe*>(space);
    for (const std::uint8_t opcode : opcodes)
      if (opcode > probe.last_op || (probe.ops[opcode].flags & IO_URING_OP_SUPPORTED) == 0)
        return fmt::format("the kernel's io_uring has no operation {}", opcode);
    return "";
  }

 private:
  static constexpr unsigned submissions = 4;  // a power of two
  static constexpr std::size_t entry_size = sizeof(io_uring_probe_op);
  static constexpr const char* disabled = "/proc/sys/kernel/io_uring_disabled";

  static int set_up(unsigned entries, io_uring_params& params) {
    return static_cast<int>(
        check(::syscall(SYS_io_uring_setup, entries, &params), "io_uring_setup"));
  }
  unsigned* word(unsigned offset) const {
    return reinterpret_cast<unsigned*>(rings_.data() + offset);
  }

  void enter(unsigned completions) {
    std::atomic_ref(*submit_tail_).store(prepared_, std::memory_order_release);
    const long taken = ::syscall(SYS_io_uring_enter, fd(), prepared_ - submitted_, completions,
                                 IORING_ENTER_GETEVENTS, nullptr, 0);
    if (taken != -1)
      submitted_ += static_cast<unsigned>(taken);
    else if (errno != EINTR)
      fail("io_uring_enter");
  }

  Waitable fd_;
  bool waits_in_kernel_;
  bool defers_;
  Mapping rings_;
  Mapping entries_;
  unsigned prepared_ = 0;
  unsigned submitted_ = 0;
  unsigned* submit_tail_;
  unsigned* head_;
  unsigned* tail_;
  unsigned mask_;
  io_uring_cqe* completions_;
};

}  // namespace ipcbench
