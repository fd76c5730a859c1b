// xattr_mailbox.h: a message at a time in a file's extended attribute, and inotify to wait for it.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/xattr.h>

#include <string>

#include "transports/shared_file.h"

namespace ipcbench {

/// In the namespace that any user may write: others are for capabilities, ACLs and the like.
inline constexpr const char* attribute = "user.ipcbench";

/// What each end has of the file.
class XattrMailbox {
 public:
  XattrMailbox(const std::string& path, Notice notice, Waiting waiting)
      : file_(check(::open(path.c_str(), O_RDWR | O_CLOEXEC), "open", path)) {
    if (notice == Notice::polling) return;
    Fd changes(check(::inotify_init1(IN_CLOEXEC), "inotify_init1"));
    check(::inotify_add_watch(changes.get(), path.c_str(), IN_ATTRIB), "inotify_add_watch", path);
    changes_ = Waitable(std::move(changes), waiting);
  }

  void put(View message) {
    while (::fsetxattr(file_.get(), attribute, message.data(), message.size(), XATTR_CREATE) == -1)
      wait_unless_refused(EEXIST, "fsetxattr");
  }
  std::size_t take(Bytes buffer) {
    ssize_t size;
    while ((size = ::fgetxattr(file_.get(), attribute, buffer.data(), buffer.size())) == -1)
      wait_unless_refused(ENODATA, "fgetxattr");
    check(::fremovexattr(file_.get(), attribute), "fremovexattr");
    return static_cast<std::size_t>(size);
  }

 private:
  /// Every change is an event, one since the last look too. The end's own changes are events like
  /// others, and make it look once more.
  void wait_unless_refused(int expected, const char* call) {
    if (errno != expected) [[unlikely]]
      fail(call, attribute);
    if (changes_.get() == -1) {
      ::sched_yield();
      return;
    }
    alignas(inotify_event) char events[1024];
    while (::read(changes_.get(), events, sizeof events) == -1) changes_.await_readable("read");
  }

  Fd file_;
  Waitable changes_;
};

}  // namespace ipcbench
