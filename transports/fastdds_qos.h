// fastdds_qos.h: how Fast DDS's transports, writers and readers are set up.
#pragma once

#include <algorithm>
#include <memory>

#include <fastdds/rtps/transport/UDPv4TransportDescriptor.h>
#include <fastdds/rtps/transport/shared_mem/SharedMemTransportDescriptor.h>
#include <fastdds/dds/publisher/qos/DataWriterQos.hpp>
#include <fastdds/dds/subscriber/qos/DataReaderQos.hpp>

#include "harness/transport.h"

namespace ipcbench {

/// What carries messages: the data of a row. `data_sharing`: they stay in the shared memory where
/// they were written, and the transport, over shared memory too, carries acknowledgements alone.
enum class FastCarrier { shm, udp, data_sharing };

/// The largest message that a transport carries in one piece.
inline std::uint32_t fast_message_max(FastCarrier carrier, const Shape& shape) {
  constexpr std::uint32_t datagram_max = 65'500;
  if (carrier != FastCarrier::shm) return datagram_max;
  return std::max(datagram_max, static_cast<std::uint32_t>(shape.size) + 1024);
}

/// How many messages a writer keeps that aren't acknowledged, and a reader that aren't taken.
inline std::size_t fast_depth(const Shape& shape) {
  constexpr std::size_t bytes_max = 4 << 20;  // a participant fills its segment first
  const std::size_t affordable = bytes_max / std::max<std::size_t>(shape.size, 1);
  return std::min(shape.depth, std::max<std::size_t>(affordable, 2));
}

inline std::shared_ptr<eprosima::fastdds::rtps::TransportDescriptorInterface> describe(
    FastCarrier carrier, const Shape& shape) {
  if (carrier == FastCarrier::udp) {
    auto udp = std::make_shared<eprosima::fastdds::rtps::UDPv4TransportDescriptor>();
    udp->interfaceWhiteList.emplace_back("127.0.0.1");
    udp->sendBufferSize = udp->receiveBufferSize = 4 << 20;
    return udp;
  }
  auto shm = std::make_shared<eprosima::fastdds::rtps::SharedMemTransportDescriptor>();
  const std::uint32_t largest = fast_message_max(carrier, shape);
  const auto depth = static_cast<std::uint32_t>(fast_depth(shape));
  const auto carried = carrier == FastCarrier::shm ? static_cast<std::uint32_t>(shape.size) : 0;
  shm->max_message_size(largest);
  shm->segment_size(2 * largest + depth * (carried + 1024));
  shm->port_queue_capacity(std::max(512U, 4 * depth));
  return shm;
}

/// Of both, a writer and a reader.
template <class Qos>
Qos fast_qos(FastCarrier carrier, const Shape& shape) {
  using namespace eprosima::fastdds::dds;
  Qos qos;
  qos.reliability().kind = RELIABLE_RELIABILITY_QOS;
  qos.reliability().max_blocking_time = {86'400, 0};
  qos.durability().kind = VOLATILE_DURABILITY_QOS;
  qos.history().kind = KEEP_ALL_HISTORY_QOS;
  const auto depth = static_cast<std::int32_t>(fast_depth(shape));
  qos.resource_limits().max_samples = depth;
  qos.resource_limits().max_instances = 1;
  qos.resource_limits().max_samples_per_instance = depth;
  qos.resource_limits().allocated_samples = depth;
  qos.endpoint().history_memory_policy = eprosima::fastrtps::rtps::DYNAMIC_REUSABLE_MEMORY_MODE;
  qos.data_sharing().off();
  if (carrier == FastCarrier::data_sharing) {
    qos.endpoint().history_memory_policy = eprosima::fastrtps::rtps::PREALLOCATED_MEMORY_MODE;
    // By shm_open(3). Were a directory named, the files would lie in the current one.
    qos.data_sharing().on("");
  }
  return qos;
}

inline eprosima::fastdds::dds::DataWriterQos qos_of_writer(FastCarrier carrier,
                                                           const Shape& shape) {
  using namespace eprosima::fastdds::dds;
  auto qos = fast_qos<DataWriterQos>(carrier, shape);
  if (carrier == FastCarrier::data_sharing) {
    // A reader acknowledges a message when it takes it, not when it has read it
    // (https://github.com/eProsima/Fast-DDS/issues/2080). Memory is lent in turn: with two more
    // places than messages wait, that of a message is lent again when the next one has been taken.
    qos.resource_limits().extra_samples = 2;
    qos.publish_mode().kind = SYNCHRONOUS_PUBLISH_MODE;
    return qos;  // nothing that is shared would have to be sent again
  }
  // What doesn't fit one of the transport's messages is sent in pieces, by another thread.
  const bool fits = shape.size + 512 <= fast_message_max(carrier, shape);
  qos.publish_mode().kind = fits ? SYNCHRONOUS_PUBLISH_MODE : ASYNCHRONOUS_PUBLISH_MODE;
  auto& times = qos.reliable_writer_qos().times;
  times.initialHeartbeatDelay = {0, 0};
  times.heartbeatPeriod = {0, 1'000'000};
  times.nackResponseDelay = {0, 0};
  times.nackSupressionDuration = {0, 0};
  return qos;
}
inline eprosima::fastdds::dds::DataReaderQos qos_of_reader(FastCarrier carrier,
                                                           const Shape& shape) {
  auto qos = fast_qos<eprosima::fastdds::dds::DataReaderQos>(carrier, shape);
  qos.reliable_reader_qos().times.initialAcknackDelay = {0, 0};
  qos.reliable_reader_qos().times.heartbeatResponseDelay = {0, 0};
  return qos;
}

}  // namespace ipcbench
