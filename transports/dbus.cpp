// dbus: D-Bus method calls by the reference library, libdbus: between two processes over a UNIX
// socket (peer), and by way of a bus, dbus-daemon (daemon).
//
// "If you use this low-level API directly, you're signing up for some pain"
// (https://dbus.freedesktop.org/doc/api/html/index.html): it has no loop, and copies what it
// receives out of the connection's buffer into a message.
#include "scenarios/matrix.h"
#include "transports/dbus_ends.h"
#include "transports/facts.h"

namespace ipcbench {
namespace {

struct DbusPeer {
  static constexpr Facts facts = LibraryFacts{
      .name = "dbus.peer",
      .summary = "libdbus, method calls over a UNIX stream socket",
      .family = Family::rpc,
      .naming = Naming::pathname,
      // Into the message, in and out of the socket, into a message, and a reply out of that.
      .copies = 5,
      .carrier = "unix_stream"};
  static constexpr std::string_view settings =
      "DBUS_TIMEOUT_INFINITE dbus_connection_flush after each reply";
  static std::size_t message_max() { return dbus::array_max; }

  explicit DbusPeer(const Shape& shape)
      : socket_(*shape.directory, NameKind::path),
        note_(*shape.directory, NameKind::note),
        size_(shape.size) {}
  dbus::Caller producer() { return {dbus::connect_to_peer(note_.await()), ""}; }
  dbus::Server consumer() { return {dbus::accept_one(dbus::address_of(socket_), note_), size_}; }

 private:
  Name socket_;
  Name note_;
  std::size_t size_;
};

struct DbusThroughDaemon {
  static constexpr Facts facts =
      LibraryFacts{.name = "dbus.daemon",
                   .summary = "libdbus, method calls by way of dbus-daemon",
                   .family = Family::broker,
                   .naming = Naming::pathname,
                   .peers = Peers::many_to_one,
                   // The bus has a socket at either side, and takes what it reads out of one
                   // message into the next.
                   .copies = 8,
                   .carrier = "unix_stream"};
  static constexpr std::string_view settings =
      "DBUS_TIMEOUT_INFINITE dbus_connection_flush after each reply; dbus-daemon: "
      "max_message_size=134217728 max_incoming_bytes=max_outgoing_bytes=1000000000, everything "
      "allowed";
  static std::string unavailable() { return DbusDaemon::unavailable(); }
  static std::size_t message_max() { return dbus::array_max; }

  explicit DbusThroughDaemon(const Shape& shape) : service_(*shape.directory), size_(shape.size) {}
  dbus::Caller producer() {
    service_.await();
    return {dbus::connect_to_daemon(service_.address()), service_.name()};
  }
  dbus::Server consumer() {
    dbus::Bus bus = dbus::connect_to_daemon(service_.address());
    dbus::Error error;
    error.check(::dbus_bus_request_name(bus.get(), service_.name().c_str(), 0, &error) != -1,
                "dbus_bus_request_name");
    service_.publish();
    return {std::move(bus), size_};
  }

 private:
  DbusService service_;
  std::size_t size_;
};

}  // namespace

std::vector<Row> dbus_rows() {
  return {row<DbusPeer>(), row<DbusThroughDaemon>()};
}

}  // namespace ipcbench
