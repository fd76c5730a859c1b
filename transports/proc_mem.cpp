// proc_mem: one process copies into the other's memory, or out of it, through the file
// /proc/PID/mem (proc(5)).
#include <fcntl.h>
#include <unistd.h>

#include "scenarios/matrix.h"
#include "transports/remote_memory.h"

namespace ipcbench {
namespace {

std::string file_of(pid_t pid) {
  return fmt::format("/proc/{}/mem", pid);
}

// The kernel copies by way of a page of its own, so there are two copies (fs/proc/base.c, mem_rw).
// It returns 0 when the other process has no memory any more.
struct ProcMem {
  Fd memory;
  explicit ProcMem(pid_t owner)
      : memory(check(::open(file_of(owner).c_str(), O_RDWR | O_CLOEXEC), "open", file_of(owner))) {}

  void write(std::uint64_t address, View message) const {
    check_copied(
        ::pwrite(memory.get(), message.data(), message.size(), static_cast<off_t>(address)),
        message.size(), "pwrite");
  }
  void read(std::uint64_t address, Bytes buffer) const {
    check_copied(::pread(memory.get(), buffer.data(), buffer.size(), static_cast<off_t>(address)),
                 buffer.size(), "pread");
  }
};

std::string why_unavailable() {
  return why_out_of_reach("/proc/PID/mem", [](pid_t pid) {
    return Fd(::open(file_of(pid).c_str(), O_RDWR | O_CLOEXEC)) ? 0 : -1;
  });
}

struct Pwrite : Pushed<ProcMem> {
  static constexpr Facts facts = remote_memory_facts(
      "proc_mem.pwrite", "the sender writes into the receiver's /proc/PID/mem", Handle::fd, 2);
  static std::string unavailable() { return why_unavailable(); }
  using Pushed::Pushed;
};

struct Pread : Pulled<ProcMem> {
  static constexpr Facts facts = remote_memory_facts(
      "proc_mem.pread", "the receiver reads out of the sender's /proc/PID/mem", Handle::fd, 2);
  static std::string unavailable() { return why_unavailable(); }
  using Pulled::Pulled;
};

}  // namespace

std::vector<Row> proc_mem_rows() {
  return {row<Pwrite>(), row<Pread>()};
}

}  // namespace ipcbench
