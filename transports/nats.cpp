// nats: messages by way of a NATS server, over TCP on the loopback: it has nothing else.
#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/nats_client.h"
#include "transports/nats_server.h"
#include "transports/pubsub.h"

namespace ipcbench {
namespace {

struct Nats {
  static constexpr Facts facts =
      LibraryFacts{.name = "nats",
                   .summary = "NATS, publish and subscribe over TCP on 127.0.0.1",
                   .family = Family::broker,
                   .naming = Naming::port,
                   // Into the client's buffer, in and out; into that of the other
                   // client; in and out; out of the buffer that was read.
                   .copies = 7,
                   .carrier = "tcp"};
  static constexpr std::string_view settings =
      "SendAsap=true PendingLimits=-1 max_payload=64MiB max_pending=1GiB write_deadline=1h; depth "
      "under way, 64 MiB";
  static std::string unavailable() { return nats::Server::unavailable(); }
  static std::size_t message_max() { return nats::payload_max; }

  explicit Nats(const Shape& shape)
      : window_(shape),
        server_(shared_broker<nats::Server>(*shape.directory)),
        subjects_(*shape.directory) {}

  std::size_t depth() const { return window_.all; }
  PubsubEnd<nats::Client> producer() { return end(true); }
  PubsubEnd<nats::Client> consumer() { return end(false); }

 private:
  PubsubEnd<nats::Client> end(bool as_producer) const {
    nats::Client client(server_->url(), subjects_.from(as_producer), subjects_.from(!as_producer));
    subjects_.meet(as_producer);
    return {std::move(client), window_};
  }

  Window window_;
  std::shared_ptr<nats::Server> server_;
  Subjects subjects_;
};

}  // namespace

std::vector<Row> nats_rows() {
  return {row<Nats>()};
}

}  // namespace ipcbench
