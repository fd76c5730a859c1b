// fastdds_entities.h: what an end of a link by Fast DDS has: a writer of one topic and a reader of
// another.
#pragma once

#include <exception>
#include <memory>
#include <string>

#include <fastdds/dds/publisher/DataWriter.hpp>
#include <fastdds/dds/subscriber/DataReader.hpp>

#include "harness/transport.h"
#include "transports/fastdds_participant.h"

namespace ipcbench {

/// What an end writes to one topic and reads from the other.
struct FastEntities {
  std::shared_ptr<FastParticipant> participant;
  dds::DataWriter* writer;
  dds::DataReader* reader;

  FastEntities(FastCarrier carrier, const Shape& shape, Side side, const std::string& to,
               const std::string& from, const FastSteps& steps)
      : participant(FastParticipant::get(carrier, shape)), side_(side), steps_(steps) {
    // A participant hears at once of what is made when both know each other; of what has been there
    // before it asks after 70 ms.
    steps.tell(side, FastStep::named, FastParticipant::own_name());
    const std::string other = steps.hear(side, FastStep::named);
    await([&] { return participant->knows(other); });
    steps.tell(side, FastStep::acquainted);
    steps.hear(side, FastStep::acquainted);
    writer = made(participant->publisher().create_datawriter(participant->topic(to),
                                                             qos_of_writer(carrier, shape)),
                  "create_datawriter");
    reader = made(participant->subscriber().create_datareader(participant->topic(from),
                                                              qos_of_reader(carrier, shape)),
                  "create_datareader");
    // A writer may take its first messages for received by a reader that doesn't know it yet.
    await([&] { return is_matched(); });
    steps.tell(side, FastStep::matched);
    steps.hear(side, FastStep::matched);
  }
  FastEntities(const FastEntities&) = delete;
  FastEntities& operator=(const FastEntities&) = delete;
  ~FastEntities() {
    if (std::uncaught_exceptions() == 0) say_goodbye();
    participant->publisher().delete_datawriter(writer);
    participant->subscriber().delete_datareader(reader);
  }

  /// Waits while as many messages as there may be aren't acknowledged.
  void write(void* message) const {
    using Code = eprosima::fastrtps::types::ReturnCode_t;
    // It gives up, long before the time is up, when an acknowledgement comes that makes no room.
    Code result = Code::RETCODE_TIMEOUT;
    while (result == Code::RETCODE_TIMEOUT)
      result = writer->write(message, eprosima::fastrtps::rtps::InstanceHandle_t());
    checked(result, "DataWriter::write");
  }
  void wait() const { reader->wait_for_unread_message({1, 0}); }

 private:
  bool is_matched() const {
    dds::PublicationMatchedStatus written;
    dds::SubscriptionMatchedStatus read;
    writer->get_publication_matched_status(written);
    reader->get_subscription_matched_status(read);
    return written.current_count == 1 && read.current_count == 1;
  }
  /// What got lost is sent again by a writer that is still there, and what is shared lies there as
  /// long as its writer lives: so both stay until both are done.
  void say_goodbye() const noexcept {
    try {
      steps_.tell(side_, FastStep::done);
      steps_.hear(side_, FastStep::done);
    } catch (const std::exception&) {
      // The run is over, and its directory gone.
    }
  }

  Side side_;
  const FastSteps& steps_;
};

}  // namespace ipcbench
