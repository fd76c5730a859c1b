// process_vm: one process copies straight out of its own memory into the other's, or back, by
// process_vm_writev(2) and process_vm_readv(2). One copy, in the kernel, which keeps nothing.
#include <sys/uio.h>

#include "scenarios/matrix.h"
#include "transports/remote_memory.h"

namespace ipcbench {
namespace {

struct ProcessVm {
  pid_t pid;
  explicit ProcessVm(pid_t owner) : pid(owner) {}

  void write(std::uint64_t address, View message) const {
    const iovec here{const_cast<std::byte*>(message.data()), message.size()};
    const iovec there{reinterpret_cast<void*>(address), message.size()};
    check_copied(::process_vm_writev(pid, &here, 1, &there, 1, 0), message.size(),
                 "process_vm_writev");
  }
  void read(std::uint64_t address, Bytes buffer) const {
    const iovec here{buffer.data(), buffer.size()};
    const iovec there{reinterpret_cast<void*>(address), buffer.size()};
    check_copied(::process_vm_readv(pid, &here, 1, &there, 1, 0), buffer.size(),
                 "process_vm_readv");
  }
};

std::string why_unavailable() {
  static char byte;  // at this address in a child, too
  return why_out_of_reach("process_vm_readv", [](pid_t pid) {
    char copy;
    const iovec here{&copy, 1};
    const iovec there{&byte, 1};
    return ::process_vm_readv(pid, &here, 1, &there, 1, 0);
  });
}

struct Writev : Pushed<ProcessVm> {
  static constexpr Facts facts = remote_memory_facts(
      "process_vm.writev", "the sender writes into the receiver's memory", Handle::id, 1);
  static std::string unavailable() { return why_unavailable(); }
  using Pushed::Pushed;
};

struct Readv : Pulled<ProcessVm> {
  static constexpr Facts facts = remote_memory_facts(
      "process_vm.readv", "the receiver reads out of the sender's memory", Handle::id, 1);
  static std::string unavailable() { return why_unavailable(); }
  using Pulled::Pulled;
};

}  // namespace

std::vector<Row> process_vm_rows() {
  return {row<Writev>(), row<Readv>()};
}

}  // namespace ipcbench
