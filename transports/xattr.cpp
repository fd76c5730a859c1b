// xattr: an extended attribute of a file (xattr(7)) as a mailbox for one message. Attributes are
// names with values that a file has beside its contents; programs keep there where a file came
// from, or its checksum. A value is written and read as a whole.
//
// The attribute itself says whose turn it is: the sender makes it (setxattr(2) with XATTR_CREATE,
// which fails while it is there), the receiver reads it and removes it. Two senders can't both have
// made it; two receivers could both read it, so there is one. inotify(7) tells both of each change
// (IN_ATTRIB), or they look again and again.
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/xattr.h>

#include <cstring>
#include <vector>

#include "scenarios/matrix.h"
#include "transports/xattr_mailbox.h"

namespace ipcbench {
namespace {

struct Xattr {
  static constexpr Facts facts{.name = "xattr.polling",
                               .summary = "mailbox in a file's attribute, waits by sched_yield",
                               .family = Family::file,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::filesystem,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_one,
                               .pollable = false,
                               // into a buffer of the call, the file, such a buffer, and out of it
                               .copies = 4,
                               .standard = "Linux"};
  struct Variant {
    Notice notice;
  };

  static std::string unavailable(const Variant& variant) {
    static const std::string no_attributes = why_no_attributes();
    if (!no_attributes.empty()) return no_attributes;
    if (variant.notice == Notice::polling || Fd(::inotify_init1(IN_CLOEXEC))) return "";
    return fmt::format("inotify_init1: {}", std::strerror(errno));
  }
  /// Where run directories are: some 3.9 KiB on ext4, which keeps the attributes of a file in a
  /// block, 64 KiB at most (XATTR_SIZE_MAX).
  static std::size_t message_max(const Variant&) {
    static const std::size_t most = largest_value();
    return most;
  }

  struct Producer {
    XattrMailbox mailbox;
    void send(View message) { mailbox.put(message); }
  };
  struct Consumer {
    XattrMailbox mailbox;
    std::size_t recv(Bytes buffer) { return mailbox.take(buffer); }
  };

  explicit Xattr(const Shape& shape)
      : name_(*shape.directory, NameKind::path),
        notice_(shape.variant_as<Variant>().notice),
        waiting_(shape.waiting) {
    constexpr int flags = O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC;
    const char* path = name_.text().c_str();
    if (name_.is_ours()) Fd(check(::open(path, flags, 0600), "open", path));
  }
  std::size_t depth() const { return 1; }
  Producer producer() { return {{name_.text(), notice_, waiting_}}; }
  Consumer consumer() { return {{name_.text(), notice_, waiting_}}; }

 private:
  /// A file where runs have theirs, already without a name.
  static Fd file_to_try() {
    std::string path = temporary_directory() + "/ipcbench-xattr-XXXXXX";
    Fd file(check(::mkostemp(path.data(), O_CLOEXEC), "mkostemp", path));
    ::unlink(path.c_str());
    return file;
  }
  static bool fits(const Fd& file, const std::vector<std::byte>& value, std::size_t size) {
    return ::fsetxattr(file.get(), attribute, value.data(), size, 0) == 0;
  }
  static std::string why_no_attributes() {
    const Fd file = file_to_try();
    if (fits(file, std::vector<std::byte>(8), 8)) return "";
    return fmt::format("fsetxattr of a file in {}: {}", temporary_directory(),
                       std::strerror(errno));
  }
  static std::size_t largest_value() {
    constexpr std::size_t possible = 65536;
    const Fd file = file_to_try();
    const std::vector<std::byte> value(possible);
    std::size_t most = 0;
    for (std::size_t too_large = possible + 1; most + 1 < too_large;) {
      const std::size_t size = most + (too_large - most) / 2;
      (fits(file, value, size) ? most : too_large) = size;
    }
    return most;
  }

  Name name_;
  Notice notice_;
  Waiting waiting_;
};

}  // namespace

std::vector<Row> xattr_rows() {
  static constexpr Xattr::Variant polling{Notice::polling};
  static constexpr Xattr::Variant inotify{Notice::inotify};
  Facts inotify_facts = Xattr::facts;
  inotify_facts.name = "xattr.inotify";
  inotify_facts.summary = "mailbox in a file's attribute, waits for inotify";
  inotify_facts.pollable = true;
  return {row<Xattr>(Xattr::facts, polling), row<Xattr>(inotify_facts, inotify)};
}

}  // namespace ipcbench
