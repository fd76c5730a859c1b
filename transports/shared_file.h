// shared_file.h: an end of a mailbox for one message in a regular file, which a file lock guards.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/uio.h>

#include "harness/transport.h"

namespace ipcbench {

enum class Guard { flock, fcntl };
/// How an end that waits notices a change: it looks again and again, or inotify(7) wakes it.
enum class Notice { polling, inotify };

/// The file as an end has it open: by itself, because a flock(2) belongs to the open file.
class FileMailbox {
 public:
  FileMailbox(const std::string& path, Guard guard, Notice notice, Waiting waiting)
      : file_(check(::open(path.c_str(), O_RDWR | O_CLOEXEC), "open", path)), guard_(guard) {
    if (notice == Notice::polling) return;
    Fd changes(check(::inotify_init1(IN_CLOEXEC), "inotify_init1"));
    check(::inotify_add_watch(changes.get(), path.c_str(), IN_MODIFY), "inotify_add_watch", path);
    changes_ = Waitable(std::move(changes), waiting);
  }

  /// Waits until the mailbox is empty.
  void put(View message) {
    lock_when(false);
    write({.is_full = 1, .size = message.size()}, message);
    lock(LOCK_UN, F_UNLCK);
  }
  /// Waits until it is full.
  std::size_t take(Bytes buffer) {
    const std::size_t size = lock_when(true).size;
    if (size > buffer.size() || read(buffer.data(), size, sizeof(Header)) != size)
      fail_as(EBADMSG, "pread");
    write({}, {});
    lock(LOCK_UN, F_UNLCK);
    return size;
  }

 private:
  /// What the file begins with; the message follows. A new file has none, and is an empty mailbox.
  struct Header {
    std::uint64_t is_full = 0;
    std::uint64_t size = 0;
  };

  /// The first look is without the lock: an end that took it for every look would keep the other
  /// one from getting it.
  Header lock_when(bool is_full) {
    Header header;
    while (true) {
      read(&header, sizeof header, 0);
      if ((header.is_full != 0) == is_full) {
        lock(LOCK_EX, F_WRLCK);
        read(&header, sizeof header, 0);
        if ((header.is_full != 0) == is_full) [[likely]]
          return header;
        lock(LOCK_UN, F_UNLCK);
      }
      wait_for_change();
    }
  }
  void lock(int operation, short type) {
    struct flock whole_file {};
    whole_file.l_type = type;
    if (guard_ == Guard::flock)
      check(retry([&] { return ::flock(file_.get(), operation); }), "flock");
    else
      check(retry([&] { return ::fcntl(file_.get(), F_SETLKW, &whole_file); }), "fcntl");
  }
  /// Every change is an event, one since the last look too. The end's own writes are events like
  /// others, and make it look once more.
  void wait_for_change() {
    if (changes_.get() == -1) {
      ::sched_yield();
      return;
    }
    alignas(inotify_event) char events[1024];
    while (::read(changes_.get(), events, sizeof events) == -1) changes_.await_readable("read");
  }
  std::size_t read(void* to, std::size_t size, off_t at) {
    return static_cast<std::size_t>(
        check(retry([&] { return ::pread(file_.get(), to, size, at); }), "pread"));
  }
  void write(Header header, View message) {
    const iovec parts[] = {{&header, sizeof header},
                           {const_cast<std::byte*>(message.data()), message.size()}};
    const auto size = static_cast<ssize_t>(sizeof header + message.size());
    if (check(retry([&] { return ::pwritev(file_.get(), parts, 2, 0); }), "pwritev") != size)
      fail_as(ENOSPC, "pwritev");
  }
  [[noreturn]] static void fail_as(int error, const char* call) {
    errno = error;
    fail(call);
  }

  Fd file_;
  Guard guard_;
  Waitable changes_;
};

}  // namespace ipcbench
