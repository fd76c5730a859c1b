// name.h: names of kernel objects, and how none is ever left behind.
//
// Every driver owns one run directory, TMPDIR/ipcbench-UID-TOKEN, and holds a lock on it for as
// long as any process of its runs lives: the lock belongs to the open directory, which all of them
// inherit. FIFOs and sockets live in the directory. Whatever must have its name elsewhere carries
// the token in it, and is noted in the directory before it is created; so a sweep of directories
// whose lock is free removes what killed runs left, and never what a live run uses. Liveness is
// the lock, not a pid, which may have been given to somebody else.
//
// Names follow from the directory and from the order in which a process asks for them. So two
// unrelated processes that know the directory, and make the same link, find each other.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/unix.h"

namespace ipcbench {

class RunDirectory {
 public:
  /// Creates and locks a directory below TMPDIR. Call it once, in the driver.
  RunDirectory();
  /// The same, with a name that another process knows (`ipcbench serve --name`). Throws UsageError
  /// where a live process uses that name.
  explicit RunDirectory(std::string_view name);
  /// The directory of another process, found by its name: what it names is found and not made.
  /// Throws std::system_error where there is none.
  struct Find {};
  RunDirectory(Find, std::string_view name);
  /// The same by its path, in a process that belongs to the other one; `is_ours` says whether this
  /// is the one that makes the objects.
  struct Join {};
  RunDirectory(Join, const std::string& path, bool is_ours);
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;
  /// Removes the directory and all that is noted in it, in the process that created it.
  ~RunDirectory();

  const std::string& path() const { return path_; }
  const std::string& token() const { return token_; }
  /// Whether the process that holds it makes the objects that it names.
  bool is_ours() const { return ours_; }
  /// Removes what is noted or lies in the directory: what a killed runner left. The driver calls
  /// it after each run. Returns the notes ("kind:name") and paths of what was there.
  std::vector<std::string> clear() const;
  /// Notes an object whose name a library chooses, so that it is removed with the others: of kind
  /// "shm" or "sem" by its name without the slash, of kind "file" by its path.
  void note(std::string_view kind, const std::string& name) const;
  /// For the probe: while names are kept, Name::unlink() does nothing, so that it can be seen what
  /// the mechanism itself leaves behind. In processes that are forked afterwards, too.
  void keep_names(bool keep) const { keeps_names_ = keep; }
  bool keeps_names() const { return keeps_names_; }

 private:
  bool make(std::string token);

  std::string token_;
  std::string path_;
  Fd lock_;
  pid_t owner_;
  bool ours_ = true;
  mutable bool keeps_names_ = false;
};

/// What a name is the name of. A `note` names nothing: an end publishes there what it only learns
/// when it has started (its pid, its port), and the other end awaits it.
enum class NameKind {
  path,
  abstract,
  note,
  posix_shm,
  posix_mq,
  posix_sem,
  sysv_msg,
  sysv_shm,
  sysv_sem
};

/// A name for a kernel object, which is removed when this dies in the process that made it, or
/// earlier by unlink(), which the two ends may call as soon as both hold the object. Made in the
/// transport's constructor; it creates no object, but notes the name.
class Name {
 public:
  Name(const RunDirectory& directory, NameKind kind);
  Name(const Name&) = delete;
  Name& operator=(const Name&) = delete;
  ~Name();

  /// Whether the object is to be made here. Otherwise the other end has made it.
  bool is_ours() const { return ours_; }
  /// The path; or the name for shm_open, mq_open and sem_open, with its leading slash; or the
  /// abstract socket's name, with its leading zero byte.
  const std::string& text() const { return text_; }
  /// The System V key; of another kind of name, a number that both ends derive from it.
  key_t key() const;
  /// Removes the object and its note. Does nothing the second time.
  void unlink() const noexcept;

  /// Writes a note, whole at once. In either end, or in the constructor.
  void publish(std::string_view text) const;
  void publish(std::int64_t number) const { publish(std::to_string(number)); }
  /// Waits until the note is there and returns it. It has no deadline: the run has.
  std::string await() const;
  std::int64_t await_number() const { return std::stoll(await()); }

 private:
  NameKind kind_;
  std::string text_;
  std::string note_;
  pid_t owner_;
  bool ours_;
  bool kept_;
};

/// `size` bytes of POSIX shared memory, made or found by its name (of kind posix_shm) and zeroed:
/// for transports that need a word in common beside their mechanism.
Mapping map_named(const Name& name, std::size_t size);

/// Removes what dead runs of this user left, and returns one line for each object removed. Every
/// command that runs something calls it first. Other users' directories are never believed, not
/// even by root: a note in them could name anything.
std::vector<std::string> sweep();

/// Where run directories are made: TMPDIR, or /tmp.
std::string temporary_directory();

}  // namespace ipcbench
