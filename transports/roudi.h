// roudi.h: iceoryx's daemon, RouDi, of a run's own.
//
// There is one on a machine: its names, and those of its clients, are fixed or chosen by the
// library, in /dev/shm and /tmp. So the run has these directories to itself.
#pragma once

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <iceoryx_posh/iceoryx_posh_types.hpp>

#include "harness/daemon.h"
#include "harness/transport.h"
#include "transports/private_namespaces.h"

namespace ipcbench {

/// RouDi, with memory for messages of one size. All links of a process share it.
class Roudi {
 public:
  static std::shared_ptr<Roudi> get(const Shape& shape) {
    static std::weak_ptr<Roudi> running;
    std::shared_ptr<Roudi> roudi = running.lock();
    if (!roudi) running = roudi = std::make_shared<Roudi>(shape);
    return roudi;
  }
  explicit Roudi(const Shape& shape) : namespaces_(*shape.directory, hidden()), owner_(::getpid()) {
    if (!shape.directory->is_ours()) {
      const Name log(*shape.directory, NameKind::path);  // the daemon's: names are numbered alike
      return;
    }
    // A link's whole life is measured anew, with a RouDi of its own: the one before has been
    // killed.
    std::filesystem::remove(socket);
    daemon_.emplace(*shape.directory,
                    std::vector<std::string>{"iox-roudi", "--monitoring-mode", "off", "--log-level",
                                             "error", "--config-file", configure(shape)},
                    [] { return std::filesystem::exists(socket); });
  }
  Roudi(const Roudi&) = delete;
  Roudi& operator=(const Roudi&) = delete;
  /// Asked to end, it would send SIGTERM to all clients that have ended without a word, whose
  /// numbers may be other processes' by now; and it aborts where there are none.
  ~Roudi() {
    if (daemon_ && daemon_->pid() > 0 && ::getpid() == owner_) ::kill(daemon_->pid(), SIGKILL);
  }

  static std::string unavailable() {
    const std::string why = Daemon::why_missing("iox-roudi", "iceoryx");
    return why.empty() ? PrivateNamespaces::unavailable(hidden()) : why;
  }
  /// What the run has to itself.
  static Private hidden() { return {.emptied = {"/dev/shm", "/tmp"}}; }
  /// How many messages a subscriber's queue holds: as many as wanted, as far as there is memory,
  /// and one at least.
  static std::size_t depth(const Shape& shape) {
    const std::size_t affordable = memory_max / chunk_size(shape) / ways_usual;
    return std::min({shape.depth, std::max(affordable, 1 + chunks_held) - chunks_held,
                     std::size_t{iox::MAX_SUBSCRIBER_QUEUE_CAPACITY}});
  }

 private:
  static constexpr const char* socket = "/tmp/roudi";
  /// RouDi zeroes it all before it is ready. It is more where that isn't enough for 24 messages: of
  /// 16 MiB, 384 MiB.
  static constexpr std::size_t memory_max = 64 << 20;
  /// That messages go at once, on all links of a run: there is memory for so many, whatever a
  /// message's size is; and for as many as there may be (`--crowd`) where it is within bounds.
  static constexpr std::size_t ways_usual = 8;
  static constexpr std::size_t ways_max = 64;
  /// Beside the queue's, by the ends of a way: one that is written, and one that is read. Where
  /// there is no other, a loan fails: it doesn't wait. What a publisher keeps as its last chunk is
  /// one of these, or lent again.
  static constexpr std::size_t chunks_held = 2;

  static std::size_t chunk_size(const Shape& shape) {
    return std::max<std::size_t>((shape.size + 31) / 32 * 32, 32);
  }
  static std::size_t chunks(const Shape& shape) {
    const std::size_t of_a_way = depth(shape) + chunks_held;
    return std::clamp(memory_max / chunk_size(shape), ways_usual * of_a_way, ways_max * of_a_way);
  }
  static std::string configure(const Shape& shape) {
    const std::string path = shape.directory->path() + "/roudi.toml";
    std::ofstream(path) << fmt::format(
        "[general]\nversion = 1\n[[segment]]\n[[segment.mempool]]\nsize = {}\ncount = {}\n",
        chunk_size(shape), chunks(shape));
    return path;
  }

  PrivateNamespaces namespaces_;
  pid_t owner_;
  std::optional<Daemon> daemon_;
};

}  // namespace ipcbench
