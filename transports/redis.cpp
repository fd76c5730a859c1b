// redis: messages by way of a Redis server over its UNIX socket: through a list (RPUSH, BLPOP), to
// a subscriber (PUBLISH), through a stream (XADD, XREAD).
#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/redis_ends.h"

namespace ipcbench {
namespace {

constexpr Facts facts_of(redis::Way way) {
  LibraryFacts facts{.name = "redis.list",
                     .summary = "Redis, a list: RPUSH and BLPOP",
                     .family = Family::broker,
                     .naming = Naming::pathname,
                     .peers = Peers::many_to_many,
                     // Twice in the client, in, out, twice in the server; out of it, in, out, and
                     // twice in the client: its buffer, the reply.
                     .copies = 12,
                     .carrier = "unix_stream"};
  if (way == redis::Way::list) return facts;
  facts.name = way == redis::Way::pubsub ? "redis.pubsub" : "redis.stream";
  facts.summary = way == redis::Way::pubsub ? "Redis, PUBLISH to one subscriber"
                                            : "Redis, a stream: XADD and XREAD";
  facts.peers = Peers::one_to_one;
  facts.copies = way == redis::Way::pubsub ? 10 : 11;
  return facts;
}

template <redis::Way way>
struct RedisLink {
  static constexpr Facts facts = facts_of(way);
  static constexpr std::string_view settings =
      "save='' appendonly=no client-output-buffer-limit='pubsub 0 0 0'; depth under way, 64 MiB";
  static std::string unavailable() { return RedisServer::unavailable(); }
  static std::size_t message_max() { return std::size_t{512} << 20; }  // proto-max-bulk-len

  explicit RedisLink(const Shape& shape)
      : window_(shape),
        server_(shared_broker<RedisServer>(*shape.directory)),
        note_(*shape.directory, NameKind::note),
        keys_{fmt::format("messages{}", note_.key()), fmt::format("room{}", note_.key())} {}

  std::size_t depth() const { return window_.all; }
  redis::Producer<way> producer() {
    if (way == redis::Way::pubsub) note_.await();  // what nobody has subscribed to is nobody's
    return {server_->path(), keys_, window_};
  }
  redis::Consumer<way> consumer() {
    redis::Consumer<way> end(server_->path(), keys_, window_);
    if (way == redis::Way::pubsub) note_.publish("subscribed");
    return end;
  }

 private:
  Window window_;
  std::shared_ptr<RedisServer> server_;
  Name note_;
  redis::Keys keys_;
};

}  // namespace

std::vector<Row> redis_rows() {
  return {row<RedisLink<redis::Way::list>>(), row<RedisLink<redis::Way::pubsub>>(),
          row<RedisLink<redis::Way::stream>>()};
}

}  // namespace ipcbench
