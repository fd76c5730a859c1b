// fastdds_participant.h: a process's part in a domain of Fast DDS.
#pragma once

#include <time.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <fastdds/dds/domain/DomainParticipant.hpp>
#include <fastdds/dds/domain/DomainParticipantFactory.hpp>
#include <fastdds/dds/log/Log.hpp>
#include <fastdds/dds/publisher/Publisher.hpp>
#include <fastdds/dds/subscriber/Subscriber.hpp>
#include <fastdds/dds/topic/TypeSupport.hpp>

#include "transports/fastdds_qos.h"
#include "transports/fastdds_steps.h"
#include "transports/fastdds_type.h"

namespace ipcbench {

template <class Entity>
Entity* made(Entity* entity, const char* call) {
  if (entity == nullptr) throw std::runtime_error(fmt::format("{} failed", call));
  return entity;
}

inline void checked(eprosima::fastrtps::types::ReturnCode_t result, const char* call) {
  if (result() != 0) [[unlikely]]
    throw std::runtime_error(fmt::format("{}: error {}", call, result()));
}

inline void await(const auto& is_so) {
  const timespec pause{0, 100'000};
  while (!is_so()) ::nanosleep(&pause, nullptr);
}

/// A process has one, with threads of its own; all its links share it.
class FastParticipant {
 public:
  static std::shared_ptr<FastParticipant> get(FastCarrier carrier, const Shape& shape) {
    static std::weak_ptr<FastParticipant> living;
    std::shared_ptr<FastParticipant> participant = living.lock();
    if (!participant) living = participant = std::make_shared<FastParticipant>(carrier, shape);
    return participant;
  }
  FastParticipant(FastCarrier carrier, const Shape& shape) {
    dds::Log::ClearConsumers();  // it speaks on the standard output
    dds::DomainParticipantQos qos;
    qos.transport().use_builtin_transports = false;
    qos.transport().user_transports.push_back(describe(carrier, shape));
    // It announces itself every 100 ms at first: who comes at the same time may miss the first one.
    auto& announcements = qos.wire_protocol().builtin.discovery_config.initial_announcements;
    announcements.count = 100;
    announcements.period = {0, 10'000'000};
    qos.name() = own_name();
    participant_ =
        made(factory().create_participant(0, qos, &acquaintances_, dds::StatusMask::none()),
             "create_participant");
    dds::TypeSupport(new FastType(shape.size, carrier == FastCarrier::data_sharing))
        .register_type(participant_);
    publisher_ =
        made(participant_->create_publisher(dds::PUBLISHER_QOS_DEFAULT), "create_publisher");
    subscriber_ =
        made(participant_->create_subscriber(dds::SUBSCRIBER_QOS_DEFAULT), "create_subscriber");
  }
  FastParticipant(const FastParticipant&) = delete;
  FastParticipant& operator=(const FastParticipant&) = delete;
  ~FastParticipant() {
    participant_->delete_contained_entities();
    factory().delete_participant(participant_);
  }

  static std::string own_name() { return std::to_string(::getpid()); }
  bool knows(const std::string& name) const { return acquaintances_.has(name); }
  dds::Topic* topic(const std::string& name) {
    return made(participant_->create_topic(name, FastType::name, dds::TOPIC_QOS_DEFAULT),
                "create_topic");
  }
  dds::Publisher& publisher() { return *publisher_; }
  dds::Subscriber& subscriber() { return *subscriber_; }

 private:
  static dds::DomainParticipantFactory& factory() {
    return *dds::DomainParticipantFactory::get_instance();
  }
  FastAcquaintances acquaintances_;
  dds::DomainParticipant* participant_;
  dds::Publisher* publisher_;
  dds::Subscriber* subscriber_;
};

}  // namespace ipcbench
