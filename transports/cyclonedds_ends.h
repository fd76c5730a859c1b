// cyclonedds_ends.h: an end of a link by Cyclone DDS: a writer of one topic and a reader of
// another.
#pragma once

#include <dds/dds.h>
#include <time.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <types/cyclonedds.h>

#include "harness/name.h"
#include "harness/transport.h"
#include "transports/private_namespaces.h"

namespace ipcbench {

inline dds_return_t checked(dds_return_t result, const char* call) {
  if (result >= 0) [[likely]]
    return result;
  throw std::runtime_error(fmt::format("{}: {}", call, ::dds_strretcode(result)));
}

/// No participant of anybody else is in it.
inline const Private cyclone_network{.has_network = true};

/// A process has one, with threads of its own; all its links share it.
class CycloneParticipant {
 public:
  static std::shared_ptr<CycloneParticipant> get() {
    static std::weak_ptr<CycloneParticipant> living;
    std::shared_ptr<CycloneParticipant> participant = living.lock();
    if (!participant) living = participant = std::make_shared<CycloneParticipant>();
    return participant;
  }
  CycloneParticipant()
      : domain_(checked(::dds_create_domain(0, configuration), "dds_create_domain")) {
    participant_ = checked(::dds_create_participant(0, nullptr, nullptr), "dds_create_participant");
  }
  CycloneParticipant(const CycloneParticipant&) = delete;
  CycloneParticipant& operator=(const CycloneParticipant&) = delete;
  ~CycloneParticipant() { ::dds_delete(domain_); }

  dds_entity_t get_entity() const { return participant_; }

 private:
  static constexpr const char* configuration =
      "<CycloneDDS><Domain><General><Interfaces><NetworkInterface name=\"lo\" multicast=\"false\"/>"
      "</Interfaces><AllowMulticast>false</AllowMulticast><MaxMessageSize>65500B</MaxMessageSize>"
      "<FragmentSize>64000B</FragmentSize></General><Discovery><Peers>"
      "<Peer address=\"127.0.0.1\"/></Peers><ParticipantIndex>auto</ParticipantIndex>"
      "<MaxAutoParticipantIndex>31</MaxAutoParticipantIndex></Discovery><Internal>"
      "<HeartbeatInterval min=\"1ms\" minsched=\"1ms\">1ms</HeartbeatInterval>"
      "<NackDelay>1ms</NackDelay><PreEmptiveAckDelay>1ms</PreEmptiveAckDelay></Internal></Domain></"
      "CycloneDDS>";
  dds_entity_t domain_;
  dds_entity_t participant_;
};

/// What an end writes to one topic and reads from the other.
struct CycloneEntities {
  std::shared_ptr<CycloneParticipant> participant = CycloneParticipant::get();
  dds_entity_t writer = 0;
  dds_entity_t reader = 0;
  dds_entity_t waitset = 0;

  CycloneEntities(const std::string& to, const std::string& from, std::size_t depth) {
    const dds_entity_t own = participant->get_entity();
    const std::unique_ptr<dds_qos_t, decltype(&::dds_delete_qos)> qos(::dds_create_qos(),
                                                                      &::dds_delete_qos);
    const auto limit = static_cast<std::int32_t>(depth);
    ::dds_qset_reliability(qos.get(), DDS_RELIABILITY_RELIABLE, DDS_INFINITY);
    ::dds_qset_history(qos.get(), DDS_HISTORY_KEEP_ALL, 0);
    ::dds_qset_resource_limits(qos.get(), limit, 1, limit);
    writer = checked(::dds_create_writer(own, topic(own, to), qos.get(), nullptr), "writer");
    reader = checked(::dds_create_reader(own, topic(own, from), qos.get(), nullptr), "reader");
    waitset = checked(::dds_create_waitset(own), "dds_create_waitset");
    const dds_entity_t has_data = ::dds_create_readcondition(reader, DDS_ANY_STATE);
    checked(::dds_waitset_attach(waitset, has_data, 0), "dds_waitset_attach");
  }
  CycloneEntities(const CycloneEntities&) = delete;
  CycloneEntities& operator=(const CycloneEntities&) = delete;
  ~CycloneEntities() {
    for (const dds_entity_t entity : {waitset, reader, writer}) ::dds_delete(entity);
  }

  bool are_matched() const {
    dds_publication_matched_status_t written{};
    dds_subscription_matched_status_t read{};
    ::dds_get_publication_matched_status(writer, &written);
    ::dds_get_subscription_matched_status(reader, &read);
    return written.current_count == 1 && read.current_count == 1;
  }

 private:
  static dds_entity_t topic(dds_entity_t own, const std::string& name) {
    return checked(
        ::dds_create_topic(own, &ipcbench_dds_Message_desc, name.c_str(), nullptr, nullptr),
        "dds_create_topic");
  }
};

class CycloneEnd {
 public:
  CycloneEnd(const std::string& to, const std::string& from, std::size_t depth, const Name& ready,
             const Name& other_ready)
      : entities_(std::make_unique<CycloneEntities>(to, from, depth)) {
    const timespec pause{0, 100'000};
    while (!entities_->are_matched()) ::nanosleep(&pause, nullptr);
    ready.publish("yes");
    other_ready.await();
    // A reader drops what comes before the writer's first heartbeat, and has it sent again.
    send({});
    checked(::dds_wait_for_acks(entities_->writer, DDS_INFINITY), "dds_wait_for_acks");
    peek(0);
    release();
  }
  CycloneEnd(CycloneEnd&&) noexcept = default;
  CycloneEnd& operator=(CycloneEnd&&) noexcept = default;
  ~CycloneEnd() {
    // What the network has lost is sent again by a writer that is still there.
    if (entities_ && std::uncaught_exceptions() == 0)
      ::dds_wait_for_acks(entities_->writer, DDS_SECS(5));
  }

  void send(View message) {
    const auto size = static_cast<std::uint32_t>(message.size());
    auto* const bytes =
        reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(message.data()));  // read only
    const ipcbench_dds_Message sample{{size, size, bytes, false}};
    checked(::dds_write(entities_->writer, &sample), "dds_write");
  }
  View peek(std::size_t) {
    while (!take())
      checked(::dds_waitset_wait(entities_->waitset, nullptr, 0, DDS_INFINITY), "dds_waitset_wait");
    const auto& bytes = static_cast<const ipcbench_dds_Message*>(in_)->bytes;
    return {reinterpret_cast<const std::byte*>(bytes._buffer), bytes._length};
  }
  void release() { ::dds_return_loan(entities_->reader, &in_, 1); }

 private:
  bool take() {
    in_ = nullptr;
    dds_sample_info_t info;
    if (checked(::dds_take(entities_->reader, &in_, &info, 1, 1), "dds_take") == 0) return false;
    if (!info.valid_data) release();  // only that a writer has come or gone
    return info.valid_data;
  }
  std::unique_ptr<CycloneEntities> entities_;
  void* in_ = nullptr;
};

}  // namespace ipcbench
