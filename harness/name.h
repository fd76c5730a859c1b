// name.h: names of kernel objects, and how none is ever left behind.
//
// Every driver owns one run directory, TMPDIR/ipcbench-UID-TOKEN, and holds a lock on it for as
// long as any process of its runs lives: the lock belongs to the open directory, which all of them
// inherit. FIFOs and sockets live in the directory. Whatever must have its name elsewhere carries
// the token in it, and is noted in the directory before it is created; so a sweep of directories
// whose lock is free removes what killed runs left, and never what a live run uses. Liveness is
// the lock, not a pid, which may have been given to somebody else.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "harness/unix.h"

namespace ipcbench {

class RunDirectory {
 public:
  /// Creates and locks a directory below TMPDIR. Call it once, in the driver.
  RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;
  /// Removes the directory and all that is noted in it, in the process that created it.
  ~RunDirectory();

  const std::string& path() const { return path_; }
  const std::string& token() const { return token_; }
  /// Removes what is noted or lies in the directory: what a killed runner left. The driver calls
  /// it after each run.
  void clear() const;

 private:
  std::string token_;
  std::string path_;
  Fd lock_;
  pid_t owner_;
};

enum class NameKind { path, posix_shm, posix_mq, sysv_msg };

/// A fresh name, removed when this object dies in the process that made it, or earlier by
/// unlink(), which the two ends may call as soon as both hold the object. Made in the runner,
/// before the fork; it creates no object, but notes the name.
class Name {
 public:
  Name(const RunDirectory& directory, NameKind kind);
  Name(const Name&) = delete;
  Name& operator=(const Name&) = delete;
  ~Name();

  /// The path, or the name for shm_open and mq_open, with its leading slash.
  const std::string& text() const { return text_; }
  /// The System V key.
  key_t key() const;
  /// Removes the object and its note. Does nothing the second time.
  void unlink() const noexcept;

 private:
  NameKind kind_;
  std::string text_;
  std::string note_;
  pid_t owner_;
};

/// Removes what dead runs of this user left, and returns one line for each object removed. Every
/// command that runs something calls it first. Other users' directories are never believed, not
/// even by root: a note in them could name anything.
std::vector<std::string> sweep();

/// Where run directories are made: TMPDIR, or /tmp.
std::string temporary_directory();

}  // namespace ipcbench
