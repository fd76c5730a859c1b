// reach.h: reaching into another process: the right to do so, and taking one of its descriptors.
//
// process_vm_readv(2), /proc/PID/mem and pidfd_getfd(2) all ask for the right to trace the other
// process (ptrace(2), "Ptrace access mode checking"). It is the owner's of a process, unless Yama
// gives it to the process's ancestors alone.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "harness/name.h"
#include "harness/unix.h"

namespace ipcbench {

/// Lets other processes reach into the calling one, even where Yama asks for its consent.
void allow_reach();

/// Tries a call on a process that exists for as long as the attempt: returns why it can't be done
/// here, or "". The attempt returns -1 and sets errno where it fails.
std::string why_out_of_reach(std::string_view call, const std::function<long(pid_t)>& attempt);
/// The same for pidfd_getfd(2).
std::string why_no_fd_can_be_taken();

/// A descriptor that one process takes from another one, by its pid and its number there. Each
/// side waits for the other, so that afterwards the taker alone holds it.
class Handover {
 public:
  explicit Handover(const RunDirectory& directory)
      : offer_(directory, NameKind::note), taken_(directory, NameKind::note) {}
  void give(Fd fd) const;
  Fd take() const;

 private:
  Name offer_;
  Name taken_;
};

}  // namespace ipcbench
