// cyclonedds: Eclipse Cyclone DDS over UDP on the loopback: a topic each way, RELIABLE and
// KEEP_ALL, of which nothing is lost; a received message is lent by the reader. And over iceoryx,
// whose shared memory a writer lends and a reader reads.
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
#ifdef DDS_HAS_SHM
#include "transports/cyclonedds_iceoryx.h"
#endif
#include "transports/facts.h"
#include "transports/private_namespaces.h"

namespace ipcbench {
namespace {

/// No participant of anybody else is in it.
const Private cyclone_network{.has_network = true};

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
      "RELIABLE KEEP_ALL max_samples=depth NetworkInterface=lo AllowMulticast=false "
      "MaxMessageSize=65500B FragmentSize=64000B HeartbeatInterval=1ms(min=1ms,minsched=1ms) "
      "NackDelay=1ms PreEmptiveAckDelay=1ms";

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

#ifdef DDS_HAS_SHM
struct CycloneddsIceoryx {
  static constexpr Facts facts =
      LibraryFacts{.name = "cyclonedds.iceoryx",
                   .summary = "Cyclone DDS over iceoryx, loans of shared memory",
                   .family = Family::messaging,
                   .naming = Naming::pathname,
                   .copies = 0,
                   .standard = "DDS",
                   .carrier = "shm_posix.posix_sem"};
  static constexpr std::string_view settings =
      "SharedMemory=true RELIABLE KEEP_LAST=depth monitoring-mode=off; depth under way, credits of "
      "depth/2 by RELIABLE KEEP_ALL NetworkInterface=lo AllowMulticast=false NackDelay=1ms "
      "HeartbeatInterval=1ms(min=1ms,minsched=1ms) PreEmptiveAckDelay=1ms";

  static std::string unavailable() {
    const std::string why = Roudi::unavailable();
    return why.empty() ? PrivateNamespaces::unavailable(cyclone_network) : why;
  }

  explicit CycloneddsIceoryx(const Shape& shape)
      : shape_(shape),
        namespaces_(*shape.directory, hidden()),
        roudi_(Roudi::get(chunks_of(shape))),
        producer_ready_(*shape.directory, NameKind::note),
        consumer_ready_(*shape.directory, NameKind::note) {
    static int links = 0;
    topic_ = fmt::format("link{}", links++);
  }
  std::size_t depth() const { return Roudi::depth(chunks_of(shape_)); }
  CycloneLendingEnd producer() {
    return {shape_, depth(), topic_ + "_there", topic_ + "_back", producer_ready_, consumer_ready_};
  }
  CycloneLendingEnd consumer() {
    return {shape_, depth(), topic_ + "_back", topic_ + "_there", consumer_ready_, producer_ready_};
  }

 private:
  /// RouDi's names, and other participants.
  static Private hidden() {
    Private hidden = Roudi::hidden();
    hidden.has_network = true;
    return hidden;
  }
  /// A message has its length before it, and both libraries' headers.
  static Shape chunks_of(Shape shape) {
    shape.size += sizeof(CycloneLoan) + 128;
    return shape;
  }
  Shape shape_;
  PrivateNamespaces namespaces_;
  std::shared_ptr<Roudi> roudi_;
  Name producer_ready_;
  Name consumer_ready_;
  std::string topic_;
};
#endif

}  // namespace

std::vector<Row> cyclonedds_rows() {
  return {
      row<Cyclonedds>(),
#ifdef DDS_HAS_SHM
      row<CycloneddsIceoryx>(),
#endif
  };
}

}  // namespace ipcbench
