// dbus_ends.h: the caller and the server of a D-Bus method by libdbus. How they meet stands in
// dbus.cpp.
#pragma once

#include <dbus/dbus.h>
#include <poll.h>

#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "harness/transport.h"
#include "transports/dbus_daemon.h"

namespace ipcbench::dbus {

/// Throws what the library says.
struct Error : DBusError {
  Error() : DBusError{} { ::dbus_error_init(this); }
  Error(const Error&) = delete;
  Error& operator=(const Error&) = delete;
  ~Error() { ::dbus_error_free(this); }
  void check(bool ok, const char* call) const {
    if (!ok) [[unlikely]]
      throw std::runtime_error(fmt::format("{}: {}", call, message ? message : "failed"));
  }
};

struct Unref {
  void operator()(DBusConnection* connection) const {
    ::dbus_connection_close(connection);
    ::dbus_connection_unref(connection);
  }
  void operator()(DBusServer* server) const {
    ::dbus_server_disconnect(server);
    ::dbus_server_unref(server);
  }
  void operator()(DBusMessage* message) const { ::dbus_message_unref(message); }
};
using Bus = std::unique_ptr<DBusConnection, Unref>;
using Message = std::unique_ptr<DBusMessage, Unref>;

inline Bus connect_to_peer(const std::string& address) {
  Error error;
  Bus bus(::dbus_connection_open_private(address.c_str(), &error));
  error.check(bus != nullptr, "dbus_connection_open_private");
  return bus;
}

inline Bus connect_to_daemon(const std::string& address) {
  Bus bus = connect_to_peer(address);
  Error error;
  error.check(::dbus_bus_register(bus.get(), &error), "dbus_bus_register");
  return bus;
}

/// Listens until somebody connects. The library shows what to wait for, and is told when it came.
inline Bus accept_one(const std::string& address, const Name& note) {
  Error error;
  const std::unique_ptr<DBusServer, Unref> server(::dbus_server_listen(address.c_str(), &error));
  error.check(server != nullptr, "dbus_server_listen");
  DBusWatch* watch = nullptr;
  const auto remember = [](DBusWatch* added, void* where) -> dbus_bool_t {
    *static_cast<DBusWatch**>(where) = added;
    return true;
  };
  const auto forget = [](DBusWatch*, void*) {};
  ::dbus_server_set_watch_functions(server.get(), remember, forget, nullptr, &watch, nullptr);
  DBusConnection* accepted = nullptr;
  const auto keep = [](DBusServer*, DBusConnection* connection, void* where) {
    *static_cast<DBusConnection**>(where) = ::dbus_connection_ref(connection);
  };
  ::dbus_server_set_new_connection_function(server.get(), keep, &accepted, nullptr);
  note.publish(address);
  while (accepted == nullptr) {
    pollfd waiting{::dbus_watch_get_unix_fd(watch), POLLIN, 0};
    check(retry([&] { return ::poll(&waiting, 1, -1); }), "poll");
    ::dbus_watch_handle(watch, DBUS_WATCH_READABLE);
  }
  return Bus(accepted);
}

inline void append(const Message& message, View bytes) {
  if (!message) throw std::bad_alloc();
  if (bytes.size() > array_max)  // the library would abort
    throw std::runtime_error("an array in a D-Bus message has at most 64 MiB");
  const std::byte* const data = bytes.data();
  if (!::dbus_message_append_args(message.get(), DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &data,
                                  static_cast<int>(bytes.size()), DBUS_TYPE_INVALID))
    throw std::bad_alloc();
}

inline View bytes_of(const Message& message) {
  const std::byte* bytes = nullptr;
  int size = 0;
  Error error;
  error.check(::dbus_message_get_args(message.get(), &error, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE,
                                      &bytes, &size, DBUS_TYPE_INVALID),
              "dbus_message_get_args");
  return {bytes, static_cast<std::size_t>(size)};
}

struct Caller {
  Bus bus;
  std::string service;  ///< none: the peer itself

  std::size_t call(View request, Bytes reply) {
    const Message question(::dbus_message_new_method_call(
        service.empty() ? nullptr : service.c_str(), object, interface, method));
    append(question, request);
    Error error;
    const Message answer(::dbus_connection_send_with_reply_and_block(
        bus.get(), question.get(), DBUS_TIMEOUT_INFINITE, &error));
    error.check(answer != nullptr, "dbus_connection_send_with_reply_and_block");
    const View bytes = bytes_of(answer);
    if (bytes.size() > reply.size()) throw std::runtime_error("dbus: the reply is too long");
    std::memcpy(reply.data(), bytes.data(), bytes.size());
    return bytes.size();
  }
};

class Server {
 public:
  Server(Bus bus, std::size_t size) : bus_(std::move(bus)), reply_(size), size_(size) {}

  template <class Handler>
  void serve(std::uint64_t count, Handler handler) {
    while (count > 0) {
      const Message question(::dbus_connection_pop_message(bus_.get()));
      if (!question) {
        if (!::dbus_connection_read_write(bus_.get(), -1))
          throw std::runtime_error("dbus_connection_read_write: the other end has gone");
      } else if (::dbus_message_is_method_call(question.get(), interface, method)) {
        const Message answer(::dbus_message_new_method_return(question.get()));
        const std::size_t size = handler(bytes_of(question), Bytes{reply_.data(), size_});
        append(answer, {reply_.data(), size});
        ::dbus_connection_send(bus_.get(), answer.get(), nullptr);
        ::dbus_connection_flush(bus_.get());
        --count;
      }
    }
  }

 private:
  Bus bus_;
  AlignedBuffer reply_;
  std::size_t size_;
};

}  // namespace ipcbench::dbus
