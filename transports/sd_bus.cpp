// sd_bus: D-Bus method calls by systemd's sd-bus: between two processes over a UNIX socket (peer),
// and by way of a bus, dbus-daemon (daemon), which reads and writes every message once more.
//
// "Configuring a bus object as a server is required to allow establishing direct connections
// between two peers without going via the D-Bus daemon" (sd_bus_set_server(3)).
#include "scenarios/matrix.h"
#include "transports/connection.h"
#include "transports/facts.h"
#include "transports/sd_bus_ends.h"

namespace ipcbench {
namespace {

struct Socket {
  Waitable fd;
};

struct SdBusPeer {
  using Variant = Connected;
  static constexpr Facts facts =
      LibraryFacts{.name = "sd_bus.peer",
                   .summary = "sd-bus, method calls over a UNIX stream socket",
                   .family = Family::rpc,
                   .naming = Naming::pathname,
                   // Into the message, in and out of the socket, and a reply out of its message.
                   .copies = 4,
                   .carrier = "unix_stream"};
  static constexpr std::string_view settings = "sd_bus_set_server=1 sd_bus_call(usec=UINT64_MAX)";
  static std::size_t message_max() { return dbus::array_max; }

  explicit SdBusPeer(const Shape& shape) : link_(shape), size_(shape.size) {}
  sd::Caller producer() { return {sd::connect_to_peer(link_.producer().fd, false), ""}; }
  sd::Server consumer() { return {sd::connect_to_peer(link_.consumer().fd, true), size_}; }

 private:
  Connection<Socket> link_;
  std::size_t size_;
};

struct SdBusDaemon {
  static constexpr Facts facts =
      LibraryFacts{.name = "sd_bus.daemon",
                   .summary = "sd-bus, method calls by way of dbus-daemon",
                   .family = Family::broker,
                   .naming = Naming::pathname,
                   .peers = Peers::many_to_one,
                   // The bus has a socket at either side, and takes what it reads out of one
                   // message into the next.
                   .copies = 7,
                   .carrier = "unix_stream"};
  static constexpr std::string_view settings =
      "sd_bus_set_bus_client=1 sd_bus_call(usec=UINT64_MAX); dbus-daemon: "
      "max_message_size=134217728 max_incoming_bytes=max_outgoing_bytes=1000000000, everything "
      "allowed";
  static std::string unavailable() { return DbusDaemon::unavailable(); }
  static std::size_t message_max() { return dbus::array_max; }

  explicit SdBusDaemon(const Shape& shape) : service_(*shape.directory), size_(shape.size) {}
  sd::Caller producer() {
    service_.await();
    return {sd::connect_to_daemon(service_.address()), service_.name()};
  }
  sd::Server consumer() {
    sd::Bus bus = sd::connect_to_daemon(service_.address());
    sd::checked(::sd_bus_request_name(bus.get(), service_.name().c_str(), 0),
                "sd_bus_request_name");
    service_.publish();
    return {std::move(bus), size_};
  }

 private:
  DbusService service_;
  std::size_t size_;
};

}  // namespace

std::vector<Row> sd_bus_rows() {
  return {row<SdBusPeer>(SdBusPeer::facts, unix_path<SOCK_STREAM>), row<SdBusDaemon>()};
}

}  // namespace ipcbench
