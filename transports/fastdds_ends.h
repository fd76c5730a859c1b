// fastdds_ends.h: an end of a link by Fast DDS: a writer of one topic and a reader of another.
#pragma once

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include <fastdds/dds/domain/DomainParticipant.hpp>
#include <fastdds/dds/domain/DomainParticipantFactory.hpp>
#include <fastdds/dds/log/Log.hpp>
#include <fastdds/dds/publisher/DataWriter.hpp>
#include <fastdds/dds/publisher/Publisher.hpp>
#include <fastdds/dds/subscriber/DataReader.hpp>
#include <fastdds/dds/subscriber/SampleInfo.hpp>
#include <fastdds/dds/subscriber/Subscriber.hpp>
#include <fastdds/dds/topic/TypeSupport.hpp>

#include "harness/transport.h"
#include "transports/fastdds_steps.h"
#include "transports/fastdds_type.h"

namespace ipcbench {

template <class Entity>
Entity* made(Entity* entity, const char* call) {
  if (entity == nullptr) throw std::runtime_error(fmt::format("{} failed", call));
  return entity;
}

inline void await(const auto& is_so) {
  const timespec pause{0, 100'000};
  while (!is_so()) ::nanosleep(&pause, nullptr);
}

/// A process has one, with threads of its own; all its links share it.
class FastParticipant {
 public:
  static std::shared_ptr<FastParticipant> get(FastTransport transport, const Shape& shape) {
    static std::weak_ptr<FastParticipant> living;
    std::shared_ptr<FastParticipant> participant = living.lock();
    if (!participant) living = participant = std::make_shared<FastParticipant>(transport, shape);
    return participant;
  }
  FastParticipant(FastTransport transport, const Shape& shape) {
    dds::Log::ClearConsumers();  // it speaks on the standard output
    dds::DomainParticipantQos qos;
    qos.transport().use_builtin_transports = false;
    qos.transport().user_transports.push_back(describe(transport, shape));
    // It announces itself every 100 ms at first: who comes at the same time may miss the first one.
    auto& announcements = qos.wire_protocol().builtin.discovery_config.initial_announcements;
    announcements.count = 100;
    announcements.period = {0, 10'000'000};
    qos.name() = own_name();
    participant_ =
        made(factory().create_participant(0, qos, &acquaintances_, dds::StatusMask::none()),
             "create_participant");
    dds::TypeSupport(new FastType(shape.size)).register_type(participant_);
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

/// What an end writes to one topic and reads from the other.
struct FastEntities {
  std::shared_ptr<FastParticipant> participant;
  dds::DataWriter* writer;
  dds::DataReader* reader;

  FastEntities(FastTransport transport, const Shape& shape, Side side, const std::string& to,
               const std::string& from, const FastSteps& steps)
      : participant(FastParticipant::get(transport, shape)) {
    // A participant hears at once of what is made when both know each other; of what has been there
    // before it asks after 70 ms.
    steps.tell(side, 0, FastParticipant::own_name());
    const std::string other = steps.hear(side, 0);
    await([&] { return participant->knows(other); });
    steps.tell(side, 1, "known");
    steps.hear(side, 1);
    writer = made(participant->publisher().create_datawriter(participant->topic(to),
                                                             qos_of_writer(transport, shape)),
                  "create_datawriter");
    reader = made(
        participant->subscriber().create_datareader(participant->topic(from), qos_of_reader(shape)),
        "create_datareader");
  }
  FastEntities(const FastEntities&) = delete;
  FastEntities& operator=(const FastEntities&) = delete;
  ~FastEntities() {
    // What got lost is sent again by a writer that is still there.
    if (std::uncaught_exceptions() == 0) writer->wait_for_acknowledgments({5, 0});
    participant->publisher().delete_datawriter(writer);
    participant->subscriber().delete_datareader(reader);
  }

 private:
  bool is_matched() const {
    dds::PublicationMatchedStatus written;
    dds::SubscriptionMatchedStatus read;
    writer->get_publication_matched_status(written);
    reader->get_subscription_matched_status(read);
    return written.current_count == 1 && read.current_count == 1;
  }
};

class FastEnd {
 public:
  FastEnd(FastTransport transport, const Shape& shape, Side side, const std::string& to,
          const std::string& from, const FastSteps& steps)
      : entities_(std::make_unique<FastEntities>(transport, shape, side, to, from, steps)) {
    // A writer may take its first messages for received by a reader that doesn't know it yet. So
    // there are greetings, of no bytes, until both ends have one.
    for (bool is_greeted = false; !is_greeted || !steps.is_told(side, 2);) {
      send({});
      entities_->reader->wait_for_unread_message({0, 1'000'000});
      bool is_any = false;
      while (take({})) is_any = true;  // all of them, or the other one had no room to go on
      if (is_greeted || !is_any) continue;
      is_greeted = true;
      steps.tell(side, 2, "greeted");
    }
    steps.tell(side, 3, "done");  // from now on, nothing that comes is thrown away
    steps.hear(side, 3);
  }

  void send(View message) {
    using Code = eprosima::fastrtps::types::ReturnCode_t;
    // It gives up, long before the time is up, when an acknowledgement comes that makes no room.
    Code result = Code::RETCODE_TIMEOUT;
    while (result == Code::RETCODE_TIMEOUT)
      result = entities_->writer->write(&message, eprosima::fastrtps::rtps::InstanceHandle_t());
    if (result != Code::RETCODE_OK) [[unlikely]]
      throw std::runtime_error(fmt::format("DataWriter::write: error {}", result()));
  }
  std::size_t recv(Bytes buffer) {
    std::optional<std::size_t> size;
    while (!(size = take(buffer)) || *size == 0)  // 0: a greeting that has come late
      if (!size) entities_->reader->wait_for_unread_message({1, 0});
    return *size;
  }

 private:
  std::optional<std::size_t> take(Bytes buffer) {
    dds::SampleInfo info;
    const auto result = entities_->reader->take_next_sample(&buffer, &info);
    return result() == 0 && info.valid_data ? std::optional(buffer.size()) : std::nullopt;
  }
  std::unique_ptr<FastEntities> entities_;
};

}  // namespace ipcbench
