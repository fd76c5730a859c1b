// mosquitto_client.h: an MQTT client by libmosquitto.
#pragma once

#include <mosquitto.h>
#include <poll.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "harness/transport.h"
#include "harness/unix.h"

namespace ipcbench::mqtt {

inline void checked(int error, const char* call) {
  if (error != MOSQ_ERR_SUCCESS) [[unlikely]]
    throw std::runtime_error(fmt::format("{}: {}", call, ::mosquitto_strerror(error)));
}

/// The library frees a message when it has called back.
struct Message {
  std::vector<std::byte> copy;
  View bytes() const { return copy; }
};

/// Waits at the library's socket itself: it would wait by select(2), or in a thread of its own
/// (https://mosquitto.org/api/files/mosquitto-h.html, "Network loop (for use in other event
/// loops)").
class Client {
 public:
  Client(const std::string& path, std::string to, std::string from, int qos)
      : to_(std::move(to)), from_(std::move(from)), qos_(qos) {
    ::mosquitto_lib_init();
    client_.reset(::mosquitto_new(nullptr, true, inbox_.get()));
    if (!client_) throw std::runtime_error("mosquitto_new: no memory");
    ::mosquitto_connect_callback_set(
        get(), [](mosquitto*, void* inbox, int) { static_cast<Inbox*>(inbox)->has_answer = true; });
    ::mosquitto_subscribe_callback_set(get(), [](mosquitto*, void* inbox, int, int, const int*) {
      static_cast<Inbox*>(inbox)->has_answer = true;
    });
    ::mosquitto_unsubscribe_callback_set(
        get(), [](mosquitto*, void* inbox, int) { static_cast<Inbox*>(inbox)->has_answer = true; });
    ::mosquitto_message_callback_set(
        get(), [](mosquitto*, void* inbox, const mosquitto_message* message) {
          const auto* const data = static_cast<const std::byte*>(message->payload);
          static_cast<Inbox*>(inbox)->messages.push_back({{data, data + message->payloadlen}});
        });
    checked(::mosquitto_max_inflight_messages_set(get(), 0), "mosquitto_max_inflight_messages_set");
    constexpr int no_port = 0;
    constexpr int no_keepalive = 0;
    checked(::mosquitto_connect(get(), path.c_str(), no_port, no_keepalive), "mosquitto_connect");
    await_answer();
    checked(::mosquitto_subscribe(get(), nullptr, from_.c_str(), qos_), "mosquitto_subscribe");
    await_answer();
  }
  Client(Client&&) noexcept = default;
  Client& operator=(Client&&) noexcept = default;
  // The broker closes a connection that it can't write to, whatever it has yet to read: so the last
  // thing that is sent is something that it answers.
  ~Client() {
    if (!client_) return;
    try {
      checked(::mosquitto_unsubscribe(get(), nullptr, from_.c_str()), "mosquitto_unsubscribe");
      await_answer();
      ::mosquitto_disconnect(get());
    } catch (const std::exception&) {
      // The broker is gone.
    }
  }

  void publish(View message) {
    checked(::mosquitto_publish(get(), nullptr, to_.c_str(), static_cast<int>(message.size()),
                                message.data(), qos_, false),
            "mosquitto_publish");
    while (::mosquitto_want_write(get())) wait();
  }
  Message next() {
    while (inbox_->messages.empty()) wait();
    Message message = std::move(inbox_->messages.front());
    inbox_->messages.pop_front();
    return message;
  }

 private:
  struct Inbox {
    std::deque<Message> messages;
    bool has_answer = false;
  };
  struct Destroy {
    void operator()(mosquitto* client) const { ::mosquitto_destroy(client); }
  };

  mosquitto* get() const { return client_.get(); }
  void wait() {
    pollfd waiting{::mosquitto_socket(get()), POLLIN, 0};
    if (::mosquitto_want_write(get())) waiting.events |= POLLOUT;
    check(retry([&] { return ::poll(&waiting, 1, -1); }), "poll");
    if ((waiting.revents & POLLOUT) != 0)
      checked(::mosquitto_loop_write(get(), 1), "mosquitto_loop_write");
    if ((waiting.revents & ~POLLOUT) != 0)
      checked(::mosquitto_loop_read(get(), 1), "mosquitto_loop_read");
  }
  void await_answer() {
    while (!inbox_->has_answer) wait();
    inbox_->has_answer = false;
  }

  std::unique_ptr<Inbox> inbox_ = std::make_unique<Inbox>();
  std::unique_ptr<mosquitto, Destroy> client_;
  std::string to_;
  std::string from_;
  int qos_;
};

}  // namespace ipcbench::mqtt
