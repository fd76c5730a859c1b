// private_ipc.h: an IPC namespace of one's own (ipc_namespaces(7)), where the limits of message
// queues are raised for nobody else. It goes with its last process, and all its queues with it.
#pragma once

#include <sched.h>
#include <sys/wait.h>

#include <cstring>
#include <fstream>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "harness/unix.h"

namespace ipcbench {

/// The largest values that the kernel takes for POSIX queues (HARD_MSGMAX, HARD_MSGSIZEMAX in
/// mq_overview(7)). Those of System V have no such bound; a queue's own limit is set by msgctl.
constexpr std::size_t private_message_max = 16 << 20;
constexpr std::size_t private_queue_max = 64 << 20;

namespace detail {

inline void raise_limit(const char* path, std::size_t value) {
  std::ofstream file(path);
  if (!(file << value).flush()) fail("write", path);
}

inline void make_private_ipc() {
  check(::unshare(CLONE_NEWIPC), "unshare", "CLONE_NEWIPC");
  raise_limit("/proc/sys/fs/mqueue/msg_max", 65536);
  raise_limit("/proc/sys/fs/mqueue/msgsize_max", private_message_max);
  raise_limit("/proc/sys/kernel/msgmax", private_message_max);
  raise_limit("/proc/sys/kernel/msgmnb", private_queue_max);
}

}  // namespace detail

/// Moves the calling process, which must be a runner, to a namespace of its own, and with it the
/// ends that it forks. A run that makes two queues moves once: the first would be out of sight.
inline void enter_private_ipc() {
  [[maybe_unused]] static const bool entered = (detail::make_private_ipc(), true);
}

/// Why there is none here, or "". A child tries, and takes the namespace with it.
inline std::string private_ipc_unavailable() {
  const pid_t child = check(::fork(), "fork");
  if (child == 0) {
    try {
      detail::make_private_ipc();
    } catch (const std::system_error& error) {
      ::_exit(error.code().value());
    }
    ::_exit(0);
  }
  int status = 0;
  check(retry([&] { return ::waitpid(child, &status, 0); }), "waitpid");
  if (status == 0) return "";
  return fmt::format("no IPC namespace with raised limits: {}; it takes CAP_SYS_ADMIN",
                     WIFEXITED(status) ? std::strerror(WEXITSTATUS(status)) : "killed");
}

}  // namespace ipcbench
