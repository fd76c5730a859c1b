// cyclonedds_entities.h: what an end of a link by Cyclone DDS has: a part in a domain, a writer of
// one topic and a reader of another.
#pragma once

#include <dds/dds.h>
#include <time.h>

#include <memory>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

namespace ipcbench {

inline dds_return_t checked(dds_return_t result, const char* call) {
  if (result >= 0) [[likely]]
    return result;
  throw std::runtime_error(fmt::format("{}: {}", call, ::dds_strretcode(result)));
}

/// What carries messages: UDP; or, what a KEEP_LAST reader of messages of a fixed size is there
/// for, iceoryx's shared memory, and UDP everything else.
enum class CycloneCarrier { udp, iceoryx };

/// A process has one, with threads of its own; all its links share it. The first one says whether
/// there is shared memory.
class CycloneParticipant {
 public:
  static std::shared_ptr<CycloneParticipant> get(CycloneCarrier carrier) {
    static std::weak_ptr<CycloneParticipant> living;
    std::shared_ptr<CycloneParticipant> participant = living.lock();
    if (!participant) living = participant = std::make_shared<CycloneParticipant>(carrier);
    return participant;
  }
  explicit CycloneParticipant(CycloneCarrier carrier)
      : domain_(checked(::dds_create_domain(0, configure(carrier).c_str()), "dds_create_domain")) {
    participant_ = checked(::dds_create_participant(0, nullptr, nullptr), "dds_create_participant");
  }
  CycloneParticipant(const CycloneParticipant&) = delete;
  CycloneParticipant& operator=(const CycloneParticipant&) = delete;
  ~CycloneParticipant() { ::dds_delete(domain_); }

  dds_entity_t get_entity() const { return participant_; }

 private:
  static std::string configure(CycloneCarrier carrier) {
    const char* const shared_memory =
        carrier == CycloneCarrier::udp
            ? ""
            : "<SharedMemory><Enable>true</Enable><LogLevel>error</LogLevel></SharedMemory>";
    return fmt::format(
        "<CycloneDDS><Domain><General><Interfaces>"
        "<NetworkInterface name=\"lo\" multicast=\"false\"/></Interfaces>"
        "<AllowMulticast>false</AllowMulticast><MaxMessageSize>65500B</MaxMessageSize>"
        "<FragmentSize>64000B</FragmentSize></General><Discovery><Peers>"
        "<Peer address=\"127.0.0.1\"/></Peers><ParticipantIndex>auto</ParticipantIndex>"
        "<MaxAutoParticipantIndex>31</MaxAutoParticipantIndex></Discovery><Internal>"
        "<HeartbeatInterval min=\"1ms\" minsched=\"1ms\">1ms</HeartbeatInterval>"
        "<NackDelay>1ms</NackDelay><PreEmptiveAckDelay>1ms</PreEmptiveAckDelay></Internal>{}"
        "</Domain></CycloneDDS>",
        shared_memory);
  }
  dds_entity_t domain_;
  dds_entity_t participant_;
};

/// What an end writes to one topic and reads from the other.
struct CycloneEntities {
  std::shared_ptr<CycloneParticipant> participant;
  dds_entity_t writer = 0;
  dds_entity_t reader = 0;
  dds_entity_t waitset = 0;

  CycloneEntities(CycloneCarrier carrier, const dds_topic_descriptor_t& type, const std::string& to,
                  const std::string& from, std::size_t depth)
      : participant(CycloneParticipant::get(carrier)) {
    const dds_entity_t own = participant->get_entity();
    const std::unique_ptr<dds_qos_t, decltype(&::dds_delete_qos)> qos(::dds_create_qos(),
                                                                      &::dds_delete_qos);
    const auto limit = static_cast<std::int32_t>(depth);
    ::dds_qset_reliability(qos.get(), DDS_RELIABILITY_RELIABLE, DDS_INFINITY);
    if (carrier == CycloneCarrier::iceoryx) {
      ::dds_qset_history(qos.get(), DDS_HISTORY_KEEP_LAST, limit);
    } else {
      ::dds_qset_history(qos.get(), DDS_HISTORY_KEEP_ALL, 0);
      ::dds_qset_resource_limits(qos.get(), limit, 1, limit);
    }
    writer = checked(::dds_create_writer(own, topic(own, type, to), qos.get(), nullptr), "writer");
    reader =
        checked(::dds_create_reader(own, topic(own, type, from), qos.get(), nullptr), "reader");
    waitset = checked(::dds_create_waitset(own), "dds_create_waitset");
    const dds_entity_t has_data = ::dds_create_readcondition(reader, DDS_ANY_STATE);
    checked(::dds_waitset_attach(waitset, has_data, 0), "dds_waitset_attach");
  }
  CycloneEntities(const CycloneEntities&) = delete;
  CycloneEntities& operator=(const CycloneEntities&) = delete;
  ~CycloneEntities() {
    for (const dds_entity_t entity : {waitset, reader, writer}) ::dds_delete(entity);
  }

  void await_match() const {
    const timespec pause{0, 100'000};
    while (!are_matched()) ::nanosleep(&pause, nullptr);
  }
  void wait(dds_duration_t timeout = DDS_INFINITY) const {
    checked(::dds_waitset_wait(waitset, nullptr, 0, timeout), "dds_waitset_wait");
  }

 private:
  bool are_matched() const {
    dds_publication_matched_status_t written{};
    dds_subscription_matched_status_t read{};
    ::dds_get_publication_matched_status(writer, &written);
    ::dds_get_subscription_matched_status(reader, &read);
    return written.current_count == 1 && read.current_count == 1;
  }
  static dds_entity_t topic(dds_entity_t own, const dds_topic_descriptor_t& type,
                            const std::string& name) {
    return checked(::dds_create_topic(own, &type, name.c_str(), nullptr, nullptr),
                   "dds_create_topic");
  }
};

}  // namespace ipcbench
