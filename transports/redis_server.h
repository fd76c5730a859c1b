// redis_server.h: a Redis server of a run's own, on a UNIX socket alone, which keeps nothing on
// disk; and connections to it.
#pragma once

#include <hiredis/hiredis.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "transports/broker.h"

namespace ipcbench {

struct RedisFree {
  void operator()(redisContext* context) const { ::redisFree(context); }
  void operator()(redisReply* reply) const { ::freeReplyObject(reply); }
};
using RedisReply = std::unique_ptr<redisReply, RedisFree>;

class RedisServer {
 public:
  // A subscriber would be disconnected that is behind by more than the default limit of 32 MB.
  explicit RedisServer(const RunDirectory& directory)
      : socket_(directory, NameKind::path),
        daemon_(start_broker(
            directory,
            {"redis-server", "--port", "0", "--unixsocket", socket_.text(), "--unixsocketperm",
             "700", "--save", "", "--appendonly", "no", "--dir", directory.path(),
             "--client-output-buffer-limit", "pubsub 0 0 0", "--loglevel", "warning"},
            [this] { return is_listening(socket_.text()); })) {}
  // A signal has it end at its next look around, ten times a second; a command does at once.
  ~RedisServer() {
    if (!daemon_ || ::getpid() != owner_) return;
    const std::unique_ptr<redisContext, RedisFree> client(::redisConnectUnix(path().c_str()));
    int is_sent = 0;
    if (client && ::redisAppendCommand(client.get(), "SHUTDOWN NOSAVE") == REDIS_OK)
      ::redisBufferWrite(client.get(), &is_sent);
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  const std::string& path() const { return socket_.text(); }
  static std::string unavailable() { return Daemon::why_missing("redis-server", "redis-server"); }

 private:
  Name socket_;
  std::unique_ptr<Daemon> daemon_;
  pid_t owner_ = ::getpid();
};

/// A connection. Commands are printf's formats, with %b for bytes and their number.
class Redis {
 public:
  explicit Redis(const std::string& path) : context_(::redisConnectUnix(path.c_str())) {
    if (!context_ || context_->err != 0) fail_with(context_ ? context_->errstr : "no memory");
  }
  Redis(Redis&&) noexcept = default;
  Redis& operator=(Redis&&) noexcept = default;
  // What is closed with replies in it may be closed before its commands were read.
  ~Redis() {
    if (!context_) return;
    try {
      last_reply();
    } catch (const std::exception&) {
      // The server has gone.
    }
  }

  /// Sends a command. Its reply is read, and found to be no error, before that of one that is
  /// asked.
  template <class... Arguments>
  void tell(const char* command, Arguments... arguments) {
    if (::redisAppendCommand(context_.get(), command, arguments...) != REDIS_OK) [[unlikely]]
      fail_with(context_->errstr);
    int is_sent = 0;
    while (is_sent == 0)
      if (::redisBufferWrite(context_.get(), &is_sent) != REDIS_OK) [[unlikely]]
        fail_with(context_->errstr);
    ++unanswered_;
  }
  /// Sends a command, and returns its reply.
  template <class... Arguments>
  RedisReply ask(const char* command, Arguments... arguments) {
    tell(command, arguments...);
    return last_reply();
  }
  /// What the server sends by itself.
  RedisReply next() {
    void* answer = nullptr;
    if (::redisGetReply(context_.get(), &answer) != REDIS_OK) [[unlikely]]
      fail_with(context_->errstr);
    RedisReply reply(static_cast<redisReply*>(answer));
    if (reply->type == REDIS_REPLY_ERROR) [[unlikely]]
      fail_with(reply->str);
    return reply;
  }

 private:
  RedisReply last_reply() {
    RedisReply reply;
    for (; unanswered_ > 0; --unanswered_) reply = next();
    return reply;
  }
  [[noreturn, gnu::cold]] static void fail_with(const char* why) {
    throw std::runtime_error(fmt::format("redis: {}", why));
  }
  std::unique_ptr<redisContext, RedisFree> context_;
  std::size_t unanswered_ = 0;
};

}  // namespace ipcbench
