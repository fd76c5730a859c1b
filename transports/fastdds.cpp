// fastdds: eProsima Fast DDS over its shared memory transport, over UDP on the loopback, and
// without a transport, by data sharing: a topic each way, RELIABLE and KEEP_ALL, of which nothing
// is lost.
//
// Both transports may lose what a full buffer has no room for; then reader and writer see to it
// that it is sent again: at once, and not after the library's own delays of 5 ms to 3 s
// (https://fast-dds.docs.eprosima.com/en/v2.9.1/fastdds/use_cases/large_data/large_data.html).
//
// With data sharing a writer lends the memory that its reader will read, and nothing is copied
// (https://fast-dds.docs.eprosima.com/en/v2.9.1/fastdds/use_cases/zero_copy/zero_copy.html).
#include <memory>
#include <string>

#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/fastdds_ends.h"
#include "transports/private_namespaces.h"

namespace ipcbench {
namespace {

inline constexpr FastCarrier over_shm = FastCarrier::shm;
inline constexpr FastCarrier over_udp = FastCarrier::udp;
inline constexpr FastCarrier by_data_sharing = FastCarrier::data_sharing;

template <class End>
struct Fastdds {
  using Variant = FastCarrier;
  static constexpr Facts facts =
      LibraryFacts{.name = "fastdds.shm",
                   .summary = "Fast DDS over its shared memory transport, reliable",
                   .family = Family::messaging,
                   .naming = Naming::pathname,
                   .copies = 4,
                   .standard = "DDS",
                   .carrier = "shm_posix.posix_sem"};
  static constexpr Facts udp_facts() {
    Facts udp = facts_like(facts, "fastdds.udp", "Fast DDS over UDP on 127.0.0.1, reliable");
    udp.naming = Naming::port;
    udp.copies = 5;
    udp.carrier = "udp";
    return udp;
  }
  static constexpr Facts data_sharing_facts() {
    Facts sharing =
        facts_like(facts, "fastdds.data_sharing", "Fast DDS, loans of shared memory, reliable");
    sharing.copies = 0;
    return sharing;
  }
  static std::string unavailable() { return PrivateNamespaces::unavailable(hidden()); }

  explicit Fastdds(const Shape& shape)
      : shape_(shape), namespaces_(*shape.directory, hidden()), steps_(*shape.directory) {
    static int links = 0;
    topic_ = fmt::format("link{}", links++);
  }
  std::size_t depth() const { return fast_depth(shape_); }
  End producer() { return end(Side::producer, "_there", "_back"); }
  End consumer() { return end(Side::consumer, "_back", "_there"); }

 private:
  /// Segments and their locks are named by the library, in /dev/shm; nobody else's participants are
  /// met.
  static Private hidden() { return {.emptied = {"/dev/shm"}, .has_network = true}; }

  End end(Side side, const char* to, const char* from) const {
    return End(std::make_unique<FastEntities>(shape_.variant_as<FastCarrier>(), shape_, side,
                                              topic_ + to, topic_ + from, steps_));
  }

  Shape shape_;
  PrivateNamespaces namespaces_;
  FastSteps steps_;
  std::string topic_;
};

}  // namespace

std::vector<Row> fastdds_rows() {
  using Copying = Fastdds<FastEnd>;
  using Lending = Fastdds<FastLendingEnd>;
  std::vector<Row> rows{row<Copying>(Copying::facts, over_shm),
                        row<Copying>(Copying::udp_facts(), over_udp),
                        row<Lending>(Lending::data_sharing_facts(), by_data_sharing)};
  rows[0].settings =
      "RELIABLE VOLATILE KEEP_ALL max_samples=depth, 4 MiB DYNAMIC_REUSABLE_MEMORY_MODE "
      "data_sharing=off publish_mode=SYNCHRONOUS heartbeatPeriod=1ms, its other delays 0; "
      "max_message_size=size port_queue_capacity=max(512, 4 x depth)";
  rows[1].settings =
      "RELIABLE VOLATILE KEEP_ALL max_samples=depth, 4 MiB DYNAMIC_REUSABLE_MEMORY_MODE "
      "data_sharing=off publish_mode=SYNCHRONOUS, ASYNCHRONOUS from 64,989 B heartbeatPeriod=1ms, "
      "its other delays 0; sendBufferSize=receiveBufferSize=4194304";
  rows[2].settings =
      "RELIABLE VOLATILE KEEP_ALL max_samples=depth, 4 MiB extra_samples=2 "
      "PREALLOCATED_MEMORY_MODE data_sharing=on publish_mode=SYNCHRONOUS";
  return rows;
}

}  // namespace ipcbench
