// redis_ends.h: what sends messages to a Redis server, and what gets them from there.
//
// A sender doesn't wait for the reply to a message before it sends the next one: "it is possible to
// send multiple commands to the server without waiting for the replies at all"
// (https://redis.io/docs/latest/develop/use/pipelining/). It reads them when it has no room left
// for messages: then it waits for the receiver, who gives room back through a list.
//
// From a list a message is taken at a time, as by programs that share one. BLMPOP (Redis 7) takes
// several: but they would be lost with a receiver that is killed, and nobody else's where several
// receive, who so would have to be told from a single one.
#pragma once

#include <memory>
#include <string>

#include "transports/redis_server.h"

namespace ipcbench::redis {

enum class Way { list, pubsub, stream };

/// Where a link's messages and its room are in the server.
struct Keys {
  std::string messages;
  std::string room;
};

template <Way way>
class Producer {
 public:
  Producer(const std::string& path, const Keys& keys, const Window& window)
      : redis_(path), keys_(keys), window_(window), room_(window.room) {}

  void send(View message) {
    if (room_ == 0) {
      redis_.ask("BLPOP %s 0", keys_.room.c_str());
      room_ = window_.credit;
    }
    --room_;
    if constexpr (way == Way::list)
      redis_.tell("RPUSH %s %b", keys_.messages.c_str(), message.data(), message.size());
    if constexpr (way == Way::pubsub)
      redis_.tell("PUBLISH %s %b", keys_.messages.c_str(), message.data(), message.size());
    if constexpr (way == Way::stream)  // all but those under way have been read
      redis_.tell("XADD %s MAXLEN ~ %llu * m %b", keys_.messages.c_str(),
                  static_cast<unsigned long long>(window_.all), message.data(), message.size());
  }

 private:
  Redis redis_;
  Keys keys_;
  Window window_;
  std::size_t room_;
};

/// Lends messages where the client library has put them.
template <Way way>
class Consumer {
 public:
  Consumer(const std::string& path, const Keys& keys, const Window& window)
      : redis_(path), keys_(keys), window_(window) {
    if constexpr (way == Way::pubsub) {
      giver_ = std::make_unique<Redis>(path);
      redis_.ask("SUBSCRIBE %s", keys_.messages.c_str());
    }
  }

  View peek(std::size_t) {
    if constexpr (way == Way::list) {
      reply_ = redis_.ask("BLPOP %s 0", keys_.messages.c_str());
      return bytes_of(reply_->element[1]);
    } else if constexpr (way == Way::pubsub) {
      reply_ = redis_.next();
      return bytes_of(reply_->element[2]);
    } else {
      if (entry_ == entries_) read_entries();
      const redisReply& entry = *reply_->element[0]->element[1]->element[entry_++];
      last_ = entry.element[0]->str;
      return bytes_of(entry.element[1]->element[1]);
    }
  }
  void release() {
    if constexpr (way != Way::stream) reply_.reset();
    if (++taken_ % window_.credit != 0) return;
    if constexpr (way == Way::pubsub)
      giver_->ask("RPUSH %s 1", keys_.room.c_str());
    else
      redis_.tell("RPUSH %s 1", keys_.room.c_str());
  }

 private:
  /// All that are there, up to what is given back at once.
  void read_entries() {
    reply_ = redis_.ask("XREAD COUNT %llu BLOCK 0 STREAMS %s %s",
                        static_cast<unsigned long long>(window_.credit), keys_.messages.c_str(),
                        last_.c_str());
    entries_ = reply_->element[0]->element[1]->elements;
    entry_ = 0;
  }
  static View bytes_of(const redisReply* reply) {
    return {reinterpret_cast<const std::byte*>(reply->str), reply->len};
  }

  Redis redis_;
  std::unique_ptr<Redis> giver_;  ///< a connection that has subscribed can do nothing else
  Keys keys_;
  Window window_;
  RedisReply reply_;
  std::string last_ = "0";
  std::size_t entry_ = 0;
  std::size_t entries_ = 0;
  std::size_t taken_ = 0;
};

}  // namespace ipcbench::redis
