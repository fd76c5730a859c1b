// mosquitto_broker.h: an MQTT broker of a run's own, mosquitto, on a UNIX socket alone.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <exception>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "transports/broker.h"

namespace ipcbench::mqtt {

class Broker {
 public:
  explicit Broker(const RunDirectory& directory)
      : socket_(directory, NameKind::path), config_(directory, NameKind::path) {
    if (directory.is_ours()) configure();
    daemon_ = start_broker(directory, {system_program("mosquitto"), "-c", config_.text()},
                           [this] { return is_listening(socket_.text()); });
  }
  // It takes signals only between two waits for its sockets, of up to 100 ms each: so a connection
  // ends that wait.
  ~Broker() {
    if (!daemon_ || ::getpid() != owner_ || daemon_->pid() <= 0) return;
    ::kill(daemon_->pid(), SIGTERM);
    try {
      is_listening(path());
    } catch (const std::exception&) {
      // Then it takes its time.
    }
  }
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  const std::string& path() const { return socket_.text(); }
  static std::string unavailable() { return why_no_system_program("mosquitto", "mosquitto"); }

 private:
  /// It drops nothing (0: no limit), keeps nothing, and stays the user that it is: "Set to root to
  /// stay as root … If run as a non-root user, this setting has no effect" (mosquitto.conf(5)).
  void configure() const {
    if (socket_.text().find(' ') != std::string::npos)
      throw std::runtime_error(fmt::format(
          "{}: mosquitto takes no path with a space in it; choose another TMPDIR", socket_.text()));
    std::ofstream file(config_.text());
    file << fmt::format(
        "listener 0 {}\nallow_anonymous true\nuser root\npersistence false\n"
        "max_inflight_messages 0\nmax_queued_messages 0\nsys_interval 0\n"
        "connection_messages false\nlog_type error\nlog_type warning\nlog_dest stderr\n",
        socket_.text());
    if (!file.flush()) fail("write", config_.text());
  }
  Name socket_;
  Name config_;
  std::unique_ptr<Daemon> daemon_;
  pid_t owner_ = ::getpid();
};

}  // namespace ipcbench::mqtt
