// mmap_file: a regular file that both processes map (mmap(2)), with a mailbox for one message in
// it. Messages are written and read in place.
#include <fcntl.h>
#include <sched.h>

#include <atomic>
#include <new>

#include "scenarios/matrix.h"

namespace ipcbench {
namespace {

/// Whose the slot is. A record lock around it would be four more system calls a message and guard
/// nothing that this word doesn't: whoever takes the slot, by a compare-exchange that acquires what
/// the last one released, has it alone until it hands it on.
struct Slot {
  enum State : std::uint32_t { empty, being_written, full, being_read };

  alignas(128) std::atomic<std::uint32_t> state;
  std::uint64_t size;  ///< of the message, which follows; written by whoever has the slot

  std::byte* message() { return reinterpret_cast<std::byte*>(this + 1); }

  void take(State from, State to) {
    while (true) {
      std::uint32_t expected = from;
      if (state.load(std::memory_order_relaxed) == from &&
          state.compare_exchange_weak(expected, to, std::memory_order_acquire,
                                      std::memory_order_relaxed))
        return;
      ::sched_yield();
    }
  }
  void hand_on(State to) { state.store(to, std::memory_order_release); }
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

class MmapFile {
 public:
  static constexpr Facts facts{.name = "mmap_file",
                               .summary = "mailbox in a mapped file, waits by sched_yield",
                               .family = Family::file,
                               .naming = Naming::pathname,
                               .handle = Handle::memory,
                               .boundary = Boundary::message,
                               .persistence = Persistence::filesystem,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_many,
                               .pollable = false,
                               .copies = 0,
                               .standard = "POSIX"};

  struct Producer {
    Slot* slot;
    Bytes reserve(std::size_t size) {
      slot->take(Slot::empty, Slot::being_written);
      slot->size = size;
      return {slot->message(), size};
    }
    void commit() { slot->hand_on(Slot::full); }
  };
  struct Consumer {
    Slot* slot;
    View peek(std::size_t) {
      slot->take(Slot::full, Slot::being_read);
      return {slot->message(), slot->size};
    }
    void release() { slot->hand_on(Slot::empty); }
  };

  explicit MmapFile(const Shape& shape)
      : name_(*shape.directory, NameKind::path),
        memory_(map(name_, sizeof(Slot) + shape.size)),
        slot_(std::launder(reinterpret_cast<Slot*>(memory_.data()))) {}

  std::size_t depth() const { return 1; }
  Producer producer() { return {slot_}; }
  Consumer consumer() { return {slot_}; }

 private:
  /// A new file is all zeros, an empty mailbox. Its blocks are allocated here, so that a full disk
  /// is an error now and not a SIGBUS later.
  static Mapping map(const Name& name, std::size_t size) {
    const char* path = name.text().c_str();
    const int flags = O_RDWR | O_CLOEXEC | (name.is_ours() ? O_CREAT | O_EXCL : 0);
    const Fd fd(check(::open(path, flags, 0600), "open", path));
    if (name.is_ours()) {
      errno = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(size));
      if (errno != 0) fail("posix_fallocate", path);
    }
    return Mapping(size, fd.get());
  }

  Name name_;
  Mapping memory_;
  Slot* slot_;
};

}  // namespace

std::vector<Row> mmap_file_rows() {
  return {row<MmapFile>()};
}

}  // namespace ipcbench
