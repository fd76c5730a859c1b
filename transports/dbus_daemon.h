// dbus_daemon.h: what transports over D-Bus share: the names in a call, and a message bus of a
// run's own: dbus-daemon(1) with a socket and a policy of its own.
#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "transports/broker.h"

namespace ipcbench {
namespace dbus {

/// A call of this method has an array of bytes as its argument, and its reply another one.
inline constexpr const char* interface = "org.ipcbench.Link";
inline constexpr const char* method = "Exchange";
inline constexpr const char* object = "/org/ipcbench/link";

/// Of an array; a message has as much again
/// (https://dbus.freedesktop.org/doc/dbus-specification.html#type-system).
inline constexpr std::size_t array_max = std::size_t{64} << 20;

/// All other characters are written as their numbers
/// (https://dbus.freedesktop.org/doc/dbus-specification.html#addresses).
inline std::string address_of(const Name& socket) {
  constexpr std::string_view plain =
      "-_/.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::string address = "unix:path=";
  for (const char c : socket.text())
    address += plain.find(c) != plain.npos ? std::string(1, c)
                                           : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  return address;
}

}  // namespace dbus

class DbusDaemon {
 public:
  explicit DbusDaemon(const RunDirectory& directory)
      : socket_(directory, NameKind::path), config_(directory, NameKind::path) {
    if (directory.is_ours()) configure();
    daemon_ = start_broker(
        directory,
        {"dbus-daemon", "--nofork", "--nopidfile", "--nosyslog", "--config-file=" + config_.text()},
        [this] { return is_listening(socket_.text()); });
  }
  std::string address() const { return dbus::address_of(socket_); }
  static std::string unavailable() { return Daemon::why_missing("dbus-daemon", "dbus-daemon"); }

 private:
  /// Who may connect may do all; no services are started; nothing keeps a large message out.
  void configure() const {
    std::ofstream file(config_.text());
    file << fmt::format(
        R"(<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>{}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
  <limit name="max_message_size">134217728</limit>
  <limit name="max_incoming_bytes">1000000000</limit>
  <limit name="max_outgoing_bytes">1000000000</limit>
</busconfig>
)",
        address());
    if (!file.flush()) fail("write", config_.text());
  }

  Name socket_;
  Name config_;
  std::unique_ptr<Daemon> daemon_;
};

/// A service at a bus: a connection that owns a name of its own. Who calls it waits until it does:
/// a call of a name that nobody owns is an error.
class DbusService {
 public:
  explicit DbusService(const RunDirectory& directory)
      : daemon_(shared_broker<DbusDaemon>(directory)),
        note_(directory, NameKind::note),
        name_(fmt::format("org.ipcbench.Link{}", static_cast<std::uint32_t>(note_.key()))) {}

  const std::string& name() const { return name_; }
  std::string address() const { return daemon_->address(); }
  void publish() const { note_.publish(name_); }
  void await() const { note_.await(); }

 private:
  std::shared_ptr<DbusDaemon> daemon_;
  Name note_;
  std::string name_;
};

}  // namespace ipcbench
