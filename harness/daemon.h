// daemon.h: a broker of one's own: a process that a transport needs between its ends, started in
// the runner (the transport's constructor) and gone with it.
//
// It belongs to the runner's process group, so that the driver ends and reaps it with the others;
// and it dies with its parent, so that no killed runner leaves one. Its files belong into the run
// directory, which is cleared after every run.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/name.h"

namespace ipcbench {

class Daemon {
 public:
  static constexpr std::int64_t patience_ns = 10'000'000'000;

  /// Starts a program, found in PATH, and returns when `is_ready` says so; it is asked again and
  /// again. Throws std::runtime_error, with the end of the daemon's log, where the program is
  /// missing, ends first, or isn't ready after `patience`.
  Daemon(const RunDirectory& directory, std::vector<std::string> command,
         const std::function<bool()>& is_ready, std::int64_t patience = patience_ns);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  /// Asks it to end, and kills it if it takes too long. Does nothing in other processes than the
  /// one that has started it.
  ~Daemon();

  pid_t pid() const { return pid_; }

  /// A pidfd for each daemon of this process, readable when it ends.
  static std::vector<Fd> watch();
  /// CPU time since they began of the link's daemons: in the process that has started them, and in
  /// those forked from it afterwards.
  static std::int64_t cpu_ns();
  /// Why the daemons of this process that have ended by themselves did so, or "": the cause of what
  /// their clients have seen.
  static std::string obituary();

  /// Why a program can't be started, or "": it isn't in PATH. `package` is Debian's that brings it.
  static std::string why_missing(const std::string& program, const std::string& package);

 private:
  bool has_ended();
  void end();
  std::string how_it_ended() const;
  std::string log_end() const;

  std::string program_;
  Name log_;
  pid_t owner_;
  pid_t pid_ = -1;
  int status_ = 0;
};

/// Whether somebody listens at a UNIX stream socket: a daemon's readiness.
bool is_listening(const std::string& path);

}  // namespace ipcbench
