// nats_client.h: a NATS client by the C library. A thread of its own reads what comes, and hands it
// to the one that waits.
#pragma once

#include <nats/nats.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "harness/transport.h"

namespace ipcbench::nats {

inline void checked(natsStatus status, const char* call) {
  if (status != NATS_OK) [[unlikely]]
    throw std::runtime_error(fmt::format("{}: {}", call, ::natsStatus_GetText(status)));
}

inline constexpr std::int64_t patience_ms = 60'000;

struct Destroy {
  void operator()(natsOptions* options) const { ::natsOptions_Destroy(options); }
  void operator()(natsConnection* connection) const { ::natsConnection_Destroy(connection); }
  void operator()(natsSubscription* subscription) const {
    ::natsSubscription_Destroy(subscription);
  }
  void operator()(natsMsg* message) const { ::natsMsg_Destroy(message); }
};

/// The threads of a process's clients, which end with the last of them.
struct Library {
  Library() { checked(::nats_Open(-1), "nats_Open"); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() { ::nats_CloseAndWait(patience_ms); }

  static std::shared_ptr<Library> get() {
    static std::weak_ptr<Library> open;
    std::shared_ptr<Library> library = open.lock();
    if (!library) open = library = std::make_shared<Library>();
    return library;
  }
};

struct Message {
  std::unique_ptr<natsMsg, Destroy> message;
  View bytes() const {
    return {reinterpret_cast<const std::byte*>(::natsMsg_GetData(message.get())),
            static_cast<std::size_t>(::natsMsg_GetDataLength(message.get()))};
  }
};

class Client {
 public:
  Client(const std::string& url, std::string to, const std::string& from) : to_(std::move(to)) {
    natsOptions* made = nullptr;
    checked(::natsOptions_Create(&made), "natsOptions_Create");
    const std::unique_ptr<natsOptions, Destroy> options(made);
    checked(::natsOptions_SetURL(made, url.c_str()), "natsOptions_SetURL");
    checked(::natsOptions_SetTimeout(made, patience_ms), "natsOptions_SetTimeout");
    checked(::natsOptions_SetAllowReconnect(made, false), "natsOptions_SetAllowReconnect");
    // "Setting this option to `true` will make Publish calls send the data right away, reducing
    // latency, but also throughput" (nats.h): otherwise another thread sends it a while later.
    checked(::natsOptions_SetSendAsap(made, true), "natsOptions_SetSendAsap");
    natsConnection* connection = nullptr;
    checked(::natsConnection_Connect(&connection, made), "natsConnection_Connect");
    connection_.reset(connection);
    natsSubscription* subscription = nullptr;
    checked(::natsConnection_SubscribeSync(&subscription, connection, from.c_str()),
            "natsConnection_SubscribeSync");
    subscription_.reset(subscription);
    constexpr int no_limit = -1;
    checked(::natsSubscription_SetPendingLimits(subscription, no_limit, no_limit),
            "natsSubscription_SetPendingLimits");
    flush();  // the server has the subscription when it answers
  }
  Client(Client&&) noexcept = default;
  Client& operator=(Client&&) noexcept = default;
  ~Client() {
    if (!connection_) return;
    try {
      flush();
    } catch (const std::exception&) {
      // The server is gone.
    }
  }

  void publish(View message) {
    checked(::natsConnection_Publish(connection_.get(), to_.c_str(), message.data(),
                                     static_cast<int>(message.size())),
            "natsConnection_Publish");
  }
  Message next() {
    natsMsg* message = nullptr;
    natsStatus status;
    do {
      status = ::natsSubscription_NextMsg(&message, subscription_.get(), patience_ms);
    } while (status == NATS_TIMEOUT);
    checked(status, "natsSubscription_NextMsg");
    return {std::unique_ptr<natsMsg, Destroy>(message)};
  }

 private:
  void flush() {
    checked(::natsConnection_FlushTimeout(connection_.get(), patience_ms),
            "natsConnection_FlushTimeout");
  }
  std::shared_ptr<Library> library_ = Library::get();
  std::unique_ptr<natsConnection, Destroy> connection_;
  std::unique_ptr<natsSubscription, Destroy> subscription_;
  std::string to_;
};

}  // namespace ipcbench::nats
