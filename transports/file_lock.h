// file_lock.h: locks on files that the kernel gives back when their holder dies, and how control
// is handed over with them.
//
// A Mechanism has its facts and take(fd), which waits, and give(fd).
#pragma once

#include <fcntl.h>

#include <array>

#include "harness/transport.h"

namespace ipcbench {

constexpr Facts file_lock_facts(std::string_view name, std::string_view summary,
                                std::string_view standard) {
  return {.name = name,
          .summary = summary,
          .family = Family::sync,
          .naming = Naming::pathname,
          .handle = Handle::fd,
          .boundary = Boundary::none,
          .persistence = Persistence::process,
          .delivery = Delivery::reliable,
          .peers = Peers::one_to_one,  // a hand-over is between two
          .pollable = false,
          .copies = 0,
          .standard = standard};
}

/// An empty file, made in the constructor. Each end opens it for itself: what two processes inherit
/// is one open file description, and flock(2) and the locks of F_OFD_SETLK belong to that.
class LockableFile {
 public:
  explicit LockableFile(const Shape& shape) : name_(*shape.directory, NameKind::path) {
    if (name_.is_ours()) open(O_CREAT | O_EXCL);
  }
  Fd open(int flags = 0) const {
    const char* path = name_.text().c_str();
    return Fd(check(::open(path, O_RDWR | O_CLOEXEC | flags, 0600), "open", path));
  }

 private:
  Name name_;
};

template <class Mechanism>
class FileLock {
 public:
  static constexpr Facts facts = Mechanism::facts;

  struct Holder {
    Fd file;
    void lock() { Mechanism::take(file.get()); }
    void unlock() { Mechanism::give(file.get()); }
  };

  explicit FileLock(const Shape& shape) : file_(shape) {}
  Holder producer() const { return {file_.open()}; }
  Holder consumer() const { return {file_.open()}; }

 private:
  LockableFile file_;
};

/// A signal of three locks in a ring. A lock can be given only by its holder, so control passes by
/// going round: between two calls each end holds one of them, and the third is free.
///
///   notify: take the lock after one's own, and give one's own: the consumer may have it
///   wait:   take the lock after one's own, which is the producer's until it notifies, and give
///           one's own: the producer may have it
///
/// The producer holds the lock after the consumer's at first. A second notify takes the lock that
/// the consumer holds until its first wait is over, so none is lost: it waits for that. The ends
/// meet after they are opened and before the first notify or wait (End::measure, End::once). When
/// an end dies, the kernel gives its lock back, and the other one's wait returns: handoff finds
/// that out.
template <class Mechanism>
class LockHandover {
 public:
  static constexpr Facts facts = Mechanism::facts;

  class Hand {
   public:
    Hand(std::array<Fd, 3> files, std::size_t held) : files_(std::move(files)), held_(held) {
      Mechanism::take(files_[held_].get());
    }
    void notify() { go_on(); }
    void wait() { go_on(); }

   private:
    void go_on() {
      const std::size_t next = held_ == 2 ? 0 : held_ + 1;
      Mechanism::take(files_[next].get());
      Mechanism::give(files_[held_].get());
      held_ = next;
    }

    std::array<Fd, 3> files_;
    std::size_t held_;
  };

  explicit LockHandover(const Shape& shape)
      : files_{LockableFile(shape), LockableFile(shape), LockableFile(shape)} {}
  Hand producer() const { return open(1); }
  Hand consumer() const { return open(0); }

 private:
  Hand open(std::size_t held) const {
    return Hand({files_[0].open(), files_[1].open(), files_[2].open()}, held);
  }

  std::array<LockableFile, 3> files_;
};

/// Record locks of fcntl(2), which locks with F_SETLKW or F_OFD_SETLKW, on the whole file.
template <int command>
struct RecordLock {
  static void take(int file) { change(file, F_WRLCK); }
  static void give(int file) { change(file, F_UNLCK); }

 private:
  static void change(int file, short type) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    check(retry([&] { return ::fcntl(file, command, &lock); }), "fcntl");
  }
};

}  // namespace ipcbench
