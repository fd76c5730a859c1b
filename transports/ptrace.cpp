// ptrace: one process copies into the other's memory, or out of it, as debuggers did before there
// was /proc/PID/mem: word by word, a system call for each (ptrace(2), PTRACE_POKEDATA and
// PTRACE_PEEKDATA), while the other one is stopped.
//
// For each message the owner of the memory is attached to (PTRACE_SEIZE), stopped wherever it is
// (PTRACE_INTERRUPT), and let go again (PTRACE_DETACH): a process that stays attached can't be
// waited for by its parent, and stops at every signal.
#include <linux/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>

#include "scenarios/matrix.h"
#include "transports/remote_memory.h"

namespace ipcbench {
namespace {

using Word = std::uint64_t;

/// The call itself, which the C library wraps: -1 and errno where it fails. PTRACE_PEEKDATA puts
/// the word where `data` points.
long trace(long request, pid_t pid, std::uint64_t address, std::uint64_t data) {
  return ::syscall(SYS_ptrace, request, static_cast<long>(pid), address, data);
}

/// Is attached to a process for as long as it lives.
class Attached {
 public:
  explicit Attached(pid_t pid) : pid_(pid) {
    check(trace(PTRACE_SEIZE, pid_, 0, 0), "ptrace", "PTRACE_SEIZE");
  }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;
  // One that was killed meanwhile has to be waited for: before that, its parent can't.
  ~Attached() {
    if (trace(PTRACE_DETACH, pid_, 0, static_cast<std::uint64_t>(signal_)) == -1)
      retry([&] { return ::waitpid(pid_, nullptr, __WALL); });
  }

 protected:
  pid_t pid_;
  int signal_ = 0;  ///< that it gets when it goes on
};

/// Holds a process still.
class Stopped : Attached {
 public:
  explicit Stopped(pid_t pid) : Attached(pid) {
    check(trace(PTRACE_INTERRUPT, pid_, 0, 0), "ptrace", "PTRACE_INTERRUPT");
    int status = 0;
    check(retry([&] { return ::waitpid(pid_, &status, __WALL); }), "waitpid");
    if (!WIFSTOPPED(status)) fail_closed("waitpid");
    // It was about to get a signal, which has stopped it for us first.
    if (status >> 16 == 0) signal_ = WSTOPSIG(status);
  }

  void poke(std::uint64_t address, Word word) const {
    check(trace(PTRACE_POKEDATA, pid_, address, word), "ptrace", "PTRACE_POKEDATA");
  }
  Word peek(std::uint64_t address) const {
    Word word;
    check(trace(PTRACE_PEEKDATA, pid_, address, reinterpret_cast<std::uintptr_t>(&word)), "ptrace",
          "PTRACE_PEEKDATA");
    return word;
  }
};

/// Slots begin at whole words and have room for them, so that the last one may be a part of a word.
struct Ptrace {
  pid_t pid;
  explicit Ptrace(pid_t owner) : pid(owner) {}

  void write(std::uint64_t address, View message) const {
    const Stopped owner(pid);
    for (std::size_t at = 0; at < message.size(); at += sizeof(Word)) {
      Word word = 0;
      std::memcpy(&word, message.data() + at, std::min(sizeof word, message.size() - at));
      owner.poke(address + at, word);
    }
  }
  void read(std::uint64_t address, Bytes buffer) const {
    const Stopped owner(pid);
    for (std::size_t at = 0; at < buffer.size(); at += sizeof(Word)) {
      const Word word = owner.peek(address + at);
      std::memcpy(buffer.data() + at, &word, std::min(sizeof word, buffer.size() - at));
    }
  }
};

/// Bytes: a bound of ours. A word takes some 2 µs, a message of 1 MiB a quarter of a second.
constexpr std::size_t message_most = 65536;

const Shape& within_bounds(const Shape& shape) {
  if (shape.size > message_most)
    throw std::runtime_error(fmt::format("{} bytes; it takes {}", shape.size, message_most));
  return shape;
}

std::string why_unavailable() {
  static const std::string why =
      why_out_of_reach("ptrace", [](pid_t pid) { return trace(PTRACE_SEIZE, pid, 0, 0); });
  return why;
}

// Between one process and the other a word is in the kernel.
struct Poke : Pushed<Ptrace> {
  static constexpr Facts facts = remote_memory_facts(
      "ptrace.poke", "the sender stops the receiver and pokes words into it", Handle::id, 2);
  static constexpr bool is_slow = true;
  static std::string unavailable() { return why_unavailable(); }
  static std::size_t message_max() { return message_most; }
  explicit Poke(const Shape& shape) : Pushed(within_bounds(shape)) {}
};

struct Peek : Pulled<Ptrace> {
  static constexpr Facts facts = remote_memory_facts(
      "ptrace.peek", "the receiver stops the sender and peeks words out of it", Handle::id, 2);
  static constexpr bool is_slow = true;
  static std::string unavailable() { return why_unavailable(); }
  static std::size_t message_max() { return message_most; }
  explicit Peek(const Shape& shape) : Pulled(within_bounds(shape)) {}
};

}  // namespace

std::vector<Row> ptrace_rows() {
  return {row<Poke>(), row<Peek>()};
}

}  // namespace ipcbench
