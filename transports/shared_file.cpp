// shared_file: a regular file that one process writes and another reads: where all IPC began. It
// is a mailbox for one message. Variants by the lock that guards it and by how an end waits.
#include "transports/shared_file.h"

#include <string.h>

#include "scenarios/matrix.h"

namespace ipcbench {
namespace {

struct SharedFile {
  static constexpr Facts facts{.name = "shared_file.flock",
                               .summary = "mailbox in a file under flock, waits by sched_yield",
                               .family = Family::file,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::filesystem,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_many,
                               .pollable = false,
                               .copies = 2,
                               .standard = "BSD"};
  struct Variant {
    Guard guard;
    Notice notice;
  };
  static std::string unavailable(const Variant& variant) {
    if (variant.notice == Notice::polling || Fd(::inotify_init1(IN_CLOEXEC))) return "";
    return std::string("inotify_init1: ") + ::strerror(errno);
  }

  struct Producer {
    FileMailbox mailbox;
    void send(View message) { mailbox.put(message); }
  };
  struct Consumer {
    FileMailbox mailbox;
    std::size_t recv(Bytes buffer) { return mailbox.take(buffer); }
  };

  explicit SharedFile(const Shape& shape)
      : name_(*shape.directory, NameKind::path),
        variant_(shape.variant_as<Variant>()),
        waiting_(shape.waiting) {
    constexpr int flags = O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC;
    const char* path = name_.text().c_str();
    if (name_.is_ours()) Fd(check(::open(path, flags, 0600), "open", path));
  }
  std::size_t depth() const { return 1; }
  Producer producer() { return {open()}; }
  Consumer consumer() { return {open()}; }

 private:
  FileMailbox open() { return {name_.text(), variant_.guard, variant_.notice, waiting_}; }

  Name name_;
  Variant variant_;
  Waiting waiting_;
};

}  // namespace

std::vector<Row> shared_file_rows() {
  using Variant = SharedFile::Variant;
  static constexpr Variant flock{Guard::flock, Notice::polling};
  static constexpr Variant fcntl{Guard::fcntl, Notice::polling};
  static constexpr Variant inotify{Guard::flock, Notice::inotify};
  Facts fcntl_facts = SharedFile::facts;
  fcntl_facts.name = "shared_file.fcntl";
  fcntl_facts.summary = "mailbox in a file under a record lock, waits by sched_yield";
  fcntl_facts.standard = "POSIX";
  Facts inotify_facts = SharedFile::facts;
  inotify_facts.name = "shared_file.inotify";
  inotify_facts.summary = "mailbox in a file under flock, waits for inotify";
  inotify_facts.pollable = true;
  inotify_facts.standard = "Linux";
  return {row<SharedFile>(SharedFile::facts, flock), row<SharedFile>(fcntl_facts, fcntl),
          row<SharedFile>(inotify_facts, inotify)};
}

}  // namespace ipcbench
