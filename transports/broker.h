// broker.h: what transports with a broker of their own share (harness/daemon.h).
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/daemon.h"
#include "harness/name.h"
#include "harness/transport.h"

namespace ipcbench {

/// All links of a process go through one broker, as they would outside of a benchmark: the first
/// one starts it, the last one takes it away.
template <class Broker>
std::shared_ptr<Broker> shared_broker(const RunDirectory& directory) {
  static std::weak_ptr<Broker> running;
  std::shared_ptr<Broker> broker = running.lock();
  if (!broker) running = broker = std::make_shared<Broker>(directory);
  return broker;
}

/// Starts a broker in the process that makes things. Others take the name that its log has there,
/// so that all names after it are the same in both.
inline std::unique_ptr<Daemon> start_broker(const RunDirectory& directory,
                                            std::vector<std::string> command,
                                            const std::function<bool()>& is_ready) {
  if (directory.is_ours()) return std::make_unique<Daemon>(directory, std::move(command), is_ready);
  const Name log(directory, NameKind::path);
  return nullptr;
}

/// How a program is called that Debian keeps in a directory which isn't in everybody's PATH; ""
/// where there is none.
inline std::string system_program(const std::string& name) {
  if (Daemon::why_missing(name, "").empty()) return name;
  const std::string elsewhere = "/usr/sbin/" + name;
  return ::access(elsewhere.c_str(), X_OK) == 0 ? elsewhere : "";
}
inline std::string why_no_system_program(const std::string& name, const std::string& package) {
  return system_program(name).empty() ? Daemon::why_missing(name, package) : "";
}

/// What a broker hasn't delivered piles up in it, or is dropped. So a sender sends no more messages
/// than it has room for, and a receiver gives some back at once, by way of the broker, when it has
/// taken them.
struct Window {
  static constexpr std::size_t bytes_max = std::size_t{64} << 20;  ///< in a broker's memory

  explicit Window(const Shape& shape) {
    const auto senders = static_cast<std::size_t>(shape.producers);
    const auto receivers = static_cast<std::size_t>(shape.consumers);
    const std::size_t depth =
        std::min(shape.depth, bytes_max / std::max<std::size_t>(1, shape.size));
    room = std::max<std::size_t>(1, depth / senders);
    // Receivers together keep less than one sender's room: so it always gets some back.
    credit = std::max<std::size_t>(1, room / (2 * receivers));
    all = room * senders;
  }

  std::size_t room;    ///< that a sender begins with
  std::size_t credit;  ///< that a receiver gives back
  std::size_t all;     ///< of all senders
};

}  // namespace ipcbench
