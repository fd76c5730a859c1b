// fastdds: eProsima Fast DDS over its shared memory transport and over UDP on the loopback: a topic
// each way, RELIABLE and KEEP_ALL, of which nothing is lost.
//
// Both transports may lose what a full buffer has no room for; then reader and writer see to it
// that it is sent again: at once, and not after the library's own delays of 5 ms to 3 s
// (https://fast-dds.docs.eprosima.com/en/v2.9.1/fastdds/use_cases/large_data/large_data.html).
#include <string>

#include "scenarios/matrix.h"
#include "transports/fastdds_ends.h"

namespace ipcbench {
namespace {

inline constexpr FastTransport over_shm = FastTransport::shm;
inline constexpr FastTransport over_udp = FastTransport::udp;

struct Fastdds {
  using Variant = FastTransport;
  static constexpr Facts facts{.name = "fastdds.shm",
                               .summary = "Fast DDS over its shared memory transport, reliable",
                               .family = Family::messaging,
                               .naming = Naming::pathname,
                               .handle = Handle::library,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = false,
                               .copies = 4,
                               .standard = "DDS",
                               .carrier = "shm_posix.posix_sem"};
  static constexpr Facts udp_facts() {
    Facts udp = facts;
    udp.name = "fastdds.udp";
    udp.summary = "Fast DDS over UDP on 127.0.0.1, reliable";
    udp.naming = Naming::port;
    udp.copies = 5;
    udp.carrier = "udp";
    return udp;
  }
  static constexpr std::string_view settings =
      "RELIABLE KEEP_ALL max_samples=depth data_sharing=off heartbeatPeriod=1ms";

  static std::string unavailable() { return PrivateNamespaces::unavailable(hidden()); }

  explicit Fastdds(const Shape& shape)
      : shape_(shape), namespaces_(*shape.directory, hidden()), steps_(*shape.directory) {
    static int links = 0;
    topic_ = fmt::format("link{}", links++);
  }
  std::size_t depth() const { return fast_depth(shape_); }
  FastEnd producer() { return end(Side::producer, "_there", "_back"); }
  FastEnd consumer() { return end(Side::consumer, "_back", "_there"); }

 private:
  /// Segments and their locks are named by the library, in /dev/shm; nobody else's participants are
  /// met.
  static Private hidden() { return {.emptied = {"/dev/shm"}, .has_network = true}; }

  FastEnd end(Side side, const char* to, const char* from) const {
    return {shape_.variant_as<FastTransport>(), shape_, side, topic_ + to, topic_ + from, steps_};
  }

  Shape shape_;
  PrivateNamespaces namespaces_;
  FastSteps steps_;
  std::string topic_;
};

}  // namespace

std::vector<Row> fastdds_rows() {
  return {row<Fastdds>(Fastdds::facts, over_shm), row<Fastdds>(Fastdds::udp_facts(), over_udp)};
}

}  // namespace ipcbench
