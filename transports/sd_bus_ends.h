// sd_bus_ends.h: the caller and the server of a D-Bus method by systemd's sd-bus. How they meet
// stands in sd_bus.cpp.
//
// The argument and the result of a call are arrays of bytes, which are written and read in the
// memory of the message itself (sd_bus_message_append_array(3), sd_bus_message_read_array(3)).
#pragma once

#include <fcntl.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include "harness/transport.h"
#include "transports/dbus_daemon.h"

namespace ipcbench::sd {

inline constexpr auto for_ever = static_cast<std::uint64_t>(-1);  // a run has its own deadline

inline int checked(int result, const char* call) {
  if (result >= 0) [[likely]]
    return result;
  errno = -result;
  fail(call);
}

struct Unref {
  void operator()(sd_bus* bus) const { ::sd_bus_close_unref(bus); }
  void operator()(sd_bus_message* message) const { ::sd_bus_message_unref(message); }
};
using Bus = std::unique_ptr<sd_bus, Unref>;
using Message = std::unique_ptr<sd_bus_message, Unref>;

inline Bus new_bus() {
  sd_bus* bus = nullptr;
  checked(::sd_bus_new(&bus), "sd_bus_new");
  return Bus(bus);
}

inline Bus connect_to_peer(const Waitable& socket, bool serves) {
  Bus bus = new_bus();
  const int fd = check(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0), "fcntl");
  checked(::sd_bus_set_fd(bus.get(), fd, fd), "sd_bus_set_fd");
  sd_id128_t id;
  checked(::sd_id128_randomize(&id), "sd_id128_randomize");
  if (serves) checked(::sd_bus_set_server(bus.get(), 1, id), "sd_bus_set_server");
  checked(::sd_bus_start(bus.get()), "sd_bus_start");
  return bus;
}

inline Bus connect_to_daemon(const std::string& address) {
  Bus bus = new_bus();
  checked(::sd_bus_set_address(bus.get(), address.c_str()), "sd_bus_set_address");
  checked(::sd_bus_set_bus_client(bus.get(), 1), "sd_bus_set_bus_client");
  checked(::sd_bus_start(bus.get()), "sd_bus_start");
  return bus;
}

inline void append(sd_bus_message* message, View bytes) {
  void* space = nullptr;
  checked(::sd_bus_message_append_array_space(message, 'y', bytes.size(), &space),
          "sd_bus_message_append_array_space");
  std::memcpy(space, bytes.data(), bytes.size());
}

inline View bytes_of(sd_bus_message* message) {
  const void* bytes = nullptr;
  std::size_t size = 0;
  checked(::sd_bus_message_read_array(message, 'y', &bytes, &size), "sd_bus_message_read_array");
  return {static_cast<const std::byte*>(bytes), size};
}

struct Caller {
  Bus bus;
  std::string service;  ///< none: the peer itself

  std::size_t call(View request, Bytes reply) {
    sd_bus_message* message = nullptr;
    checked(::sd_bus_message_new_method_call(bus.get(), &message,
                                             service.empty() ? nullptr : service.c_str(),
                                             dbus::object, dbus::interface, dbus::method),
            "sd_bus_message_new_method_call");
    const Message question(message);
    append(question.get(), request);
    checked(::sd_bus_call(bus.get(), question.get(), for_ever, nullptr, &message), "sd_bus_call");
    const Message answer(message);
    const View bytes = bytes_of(answer.get());
    if (bytes.size() > reply.size()) throw std::runtime_error("sd_bus_call: the reply is too long");
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
      sd_bus_message* message = nullptr;
      const bool did_something = checked(::sd_bus_process(bus_.get(), &message), "sd_bus_process");
      const Message question(message);
      if (question && ::sd_bus_message_is_method_call(message, dbus::interface, dbus::method)) {
        answer(message, handler);
        --count;
      } else if (!did_something) {
        checked(::sd_bus_wait(bus_.get(), for_ever), "sd_bus_wait");
      }
    }
    checked(::sd_bus_flush(bus_.get()), "sd_bus_flush");
  }

 private:
  template <class Handler>
  void answer(sd_bus_message* question, Handler& handler) {
    const std::size_t size = handler(bytes_of(question), Bytes{reply_.data(), size_});
    sd_bus_message* message = nullptr;
    checked(::sd_bus_message_new_method_return(question, &message),
            "sd_bus_message_new_method_return");
    const Message reply(message);
    append(message, {reply_.data(), size});
    checked(::sd_bus_send(bus_.get(), message, nullptr), "sd_bus_send");
  }

  Bus bus_;
  AlignedBuffer reply_;
  std::size_t size_;
};

}  // namespace ipcbench::sd
