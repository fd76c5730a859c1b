// broker.h: what transports with a broker of their own share (harness/daemon.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/daemon.h"
#include "harness/name.h"

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

}  // namespace ipcbench
