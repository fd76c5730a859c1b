// nats_server.h: a NATS server of a run's own, at a free port of 127.0.0.1.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "transports/broker.h"

namespace ipcbench::nats {

/// The most that the server can be set to.
inline constexpr std::size_t payload_max = std::size_t{64} << 20;

class Server {
 public:
  explicit Server(const RunDirectory& directory)
      : directory_(directory.path()),
        config_(directory, NameKind::path),
        url_(directory, NameKind::note) {
    if (directory.is_ours()) configure();
    daemon_ = start_broker(directory, {system_program("nats-server"), "-c", config_.text()},
                           [this] { return has_published(); });
  }
  std::string url() const { return url_.await(); }
  static std::string unavailable() { return why_no_system_program("nats-server", "nats-server"); }

 private:
  /// It takes large messages, and drops no client that is behind, by bytes or by time.
  void configure() const {
    for (const auto& entry : std::filesystem::directory_iterator(directory_))
      if (is_ports_file(entry.path())) std::filesystem::remove(entry.path());  // of one before
    std::ofstream file(config_.text());
    file << fmt::format(
        "listen: \"127.0.0.1:-1\"\nports_file_dir: \"{}\"\nmax_payload: {}\n"
        "max_pending: 1073741824\nwrite_deadline: \"1h\"\n",
        directory_, payload_max);
    if (!file.flush()) fail("write", config_.text());
  }
  /// The server chooses a port, and writes where it listens:
  /// {"nats":["nats://127.0.0.1:33081"]}
  bool has_published() const {
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      if (!is_ports_file(entry.path())) continue;
      const std::string text = read_text(entry.path());
      const std::size_t begin = text.find("nats://");
      const std::size_t end = text.find('"', begin);
      if (begin == std::string::npos || end == std::string::npos) continue;
      url_.publish(text.substr(begin, end - begin));
      return true;
    }
    return false;
  }
  static bool is_ports_file(const std::filesystem::path& path) {
    return path.extension() == ".ports";
  }

  std::string directory_;
  Name config_;
  Name url_;
  std::unique_ptr<Daemon> daemon_;
};

}  // namespace ipcbench::nats
