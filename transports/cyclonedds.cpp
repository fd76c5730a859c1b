// cyclonedds: Eclipse Cyclone DDS over UDP on the loopback: a topic each way, RELIABLE and
// KEEP_ALL, of which nothing is lost. A received message is lent by the reader.
//
// Participants find each other at 127.0.0.1, without multicast, in a network of the run's own
// (https://cyclonedds.io/docs/cyclonedds/0.10.2/config/config_file_reference.html). Messages and
// fragments are as large as UDP lets them be, so that large ones take few packets. A reader that
// has no room makes the thread that receives sleep for milliseconds: so it has much. What a
// receive buffer had no room for is asked for at once, and not after 100 ms.
#include <algorithm>
#include <string>

#include "scenarios/matrix.h"
#include "transports/cyclonedds_ends.h"
#include "transports/facts.h"

namespace ipcbench {
namespace {

struct Cyclonedds {
  static constexpr Facts facts =
      LibraryFacts{.name = "cyclonedds",
                   .summary = "Cyclone DDS over UDP on 127.0.0.1, reliable",
                   .family = Family::messaging,
                   .naming = Naming::port,
                   .copies = 5,
                   .standard = "DDS",
                   .carrier = "udp"};
  static constexpr std::string_view settings =
      "RELIABLE KEEP_ALL max_samples=depth MaxMessageSize=65500B FragmentSize=64000B "
      "HeartbeatInterval=1ms NackDelay=1ms";

  static std::string unavailable() { return PrivateNamespaces::unavailable(cyclone_network); }

  explicit Cyclonedds(const Shape& shape)
      : depth_(std::max(shape.depth,
                        std::min(samples_max, bytes_max / std::max<std::size_t>(shape.size, 1)))),
        namespaces_(*shape.directory, cyclone_network),
        producer_ready_(*shape.directory, NameKind::note),
        consumer_ready_(*shape.directory, NameKind::note) {
    static int links = 0;
    topic_ = fmt::format("link{}", links++);
  }
  std::size_t depth() const { return depth_; }
  CycloneEnd producer() {
    return {topic_ + "_there", topic_ + "_back", depth_, producer_ready_, consumer_ready_};
  }
  CycloneEnd consumer() {
    return {topic_ + "_back", topic_ + "_there", depth_, consumer_ready_, producer_ready_};
  }

 private:
  static constexpr std::size_t samples_max = 4096;
  static constexpr std::size_t bytes_max = 64 << 20;
  std::size_t depth_;
  PrivateNamespaces namespaces_;
  Name producer_ready_;
  Name consumer_ready_;
  std::string topic_;
};

}  // namespace

std::vector<Row> cyclonedds_rows() {
  return {row<Cyclonedds>()};
}

}  // namespace ipcbench
