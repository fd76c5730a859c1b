// mosquitto: MQTT messages by way of the broker mosquitto over its UNIX socket: sent once (qos0),
// or kept until they are acknowledged (qos1), between each end and the broker.
#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/mosquitto_broker.h"
#include "transports/mosquitto_client.h"
#include "transports/pubsub.h"

namespace ipcbench {
namespace {

struct Mosquitto {
  struct Variant {
    int qos;
  };
  static constexpr Variant once{0};
  static constexpr Variant acknowledged{1};
  static constexpr Facts facts =
      LibraryFacts{.name = "mosquitto.qos0",
                   .summary = "MQTT by way of mosquitto, sent at most once (QoS 0)",
                   .family = Family::broker,
                   .naming = Naming::pathname,
                   // Into a packet, in and out; in the broker out of it and into
                   // another; in and out; out of the packet, and out of the callback.
                   .copies = 9,
                   .standard = "MQTT 3.1.1",
                   .carrier = "unix_stream"};
  static constexpr std::string_view settings =
      "max_inflight_messages=0 max_queued_messages=0 persistence=false sys_interval=0 keepalive=0; "
      "depth under way, 64 MiB";
  static std::string unavailable() { return mqtt::Broker::unavailable(); }
  /// Of a packet: 256 MiB, and a topic is in it, too (MQTT Version 3.1.1, 2.2.3).
  static std::size_t message_max() { return (std::size_t{256} << 20) - 1024; }

  explicit Mosquitto(const Shape& shape)
      : qos_(shape.variant_as<Variant>().qos),
        window_(shape),
        broker_(shared_broker<mqtt::Broker>(*shape.directory)),
        subjects_(*shape.directory) {}

  std::size_t depth() const { return window_.all; }
  PubsubEnd<mqtt::Client> producer() { return end(true); }
  PubsubEnd<mqtt::Client> consumer() { return end(false); }

 private:
  PubsubEnd<mqtt::Client> end(bool as_producer) const {
    mqtt::Client client(broker_->path(), subjects_.from(as_producer), subjects_.from(!as_producer),
                        qos_);
    subjects_.meet(as_producer);
    return {std::move(client), window_};
  }

  int qos_;
  Window window_;
  std::shared_ptr<mqtt::Broker> broker_;
  Subjects subjects_;
};

}  // namespace

std::vector<Row> mosquitto_rows() {
  Facts acknowledged = facts_like(Mosquitto::facts, "mosquitto.qos1",
                                  "MQTT by way of mosquitto, acknowledged (QoS 1)");
  acknowledged.copies = 10;  // the client keeps one
  return {row<Mosquitto>(Mosquitto::facts, Mosquitto::once),
          row<Mosquitto>(acknowledged, Mosquitto::acknowledged)};
}

}  // namespace ipcbench
