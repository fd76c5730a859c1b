// pubsub.h: a channel both ways through a broker that only publishes and subscribes.
#pragma once

#include <deque>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "transports/broker.h"

namespace ipcbench {

/// The subjects of a link, one each way. What is published before somebody has subscribed is lost:
/// so each end says when it has.
class Subjects {
 public:
  explicit Subjects(const RunDirectory& directory)
      : producer_is_here_(directory, NameKind::note),
        consumer_is_here_(directory, NameKind::note) {}

  /// What one end publishes to, and the other one subscribes to.
  std::string from(bool producer) const {
    return fmt::format("ipcbench.link{}.from_{}", producer_is_here_.key(),
                       producer ? "producer" : "consumer");
  }
  void meet(bool as_producer) const {
    (as_producer ? producer_is_here_ : consumer_is_here_).publish("subscribed");
    (as_producer ? consumer_is_here_ : producer_is_here_).await();
  }

 private:
  Name producer_is_here_;
  Name consumer_is_here_;
};

/// An end, given a client that has subscribed: `publish(View)`, and `next()`, which waits for a
/// message and returns it as an object that has bytes(). An empty one gives room for more (Window).
template <class Client>
class PubsubEnd {
 public:
  PubsubEnd(Client client, const Window& window)
      : client_(std::move(client)), window_(window), room_(window.room) {}

  void send(View message) {
    while (room_ == 0) take_in(client_.next());
    --room_;
    client_.publish(message);
  }
  View peek(std::size_t) {
    while (messages_.empty()) take_in(client_.next());
    return messages_.front().bytes();
  }
  void release() {
    messages_.pop_front();
    if (++taken_ % window_.credit == 0) client_.publish({});
  }

 private:
  using Message = decltype(std::declval<Client&>().next());

  void take_in(Message message) {
    if (message.bytes().empty())
      room_ += window_.credit;
    else
      messages_.push_back(std::move(message));
  }

  Client client_;
  Window window_;
  std::size_t room_;
  std::size_t taken_ = 0;
  std::deque<Message> messages_;
};

}  // namespace ipcbench
