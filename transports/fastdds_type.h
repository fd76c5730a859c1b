// fastdds_type.h: what a message is for Fast DDS, and how its writers, readers and transports are
// set up.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>

#include <fastdds/rtps/transport/UDPv4TransportDescriptor.h>
#include <fastdds/rtps/transport/shared_mem/SharedMemTransportDescriptor.h>
#include <fmt/format.h>
#include <fastdds/dds/publisher/qos/DataWriterQos.hpp>
#include <fastdds/dds/subscriber/qos/DataReaderQos.hpp>
#include <fastdds/dds/topic/TopicDataType.hpp>

#include "harness/transport.h"
#include "transports/private_namespaces.h"

namespace ipcbench {

/// What carries messages: the data of a row.
enum class FastTransport { shm, udp };

/// sequence<octet> in CDR, little-endian: an encapsulation header, the length, the bytes. What is
/// written is a View, what is read goes to a Bytes, which is cut to what has come.
class FastType : public eprosima::fastdds::dds::TopicDataType {
 public:
  static constexpr const char* name = "ipcbench::Message";
  static constexpr std::uint32_t header_size = 8;

  explicit FastType(std::size_t size) {
    setName(name);
    m_typeSize = header_size + static_cast<std::uint32_t>(size);
    auto_fill_type_object(false);
    auto_fill_type_information(false);
  }
  bool serialize(void* data, eprosima::fastrtps::rtps::SerializedPayload_t* payload) override {
    const View& message = *static_cast<const View*>(data);
    const auto size = static_cast<std::uint32_t>(message.size());
    if (payload->max_size < header_size + size) return false;
    payload->encapsulation = CDR_LE;
    payload->length = header_size + size;
    std::memcpy(payload->data, "\0\1\0\0", 4);
    std::memcpy(payload->data + 4, &size, sizeof size);
    if (size != 0) std::memcpy(payload->data + header_size, message.data(), size);
    return true;
  }
  bool deserialize(eprosima::fastrtps::rtps::SerializedPayload_t* payload, void* data) override {
    Bytes& buffer = *static_cast<Bytes*>(data);
    std::uint32_t size = 0;
    if (payload->length < header_size) return false;
    std::memcpy(&size, payload->data + 4, sizeof size);
    if (size > payload->length - header_size || size > buffer.size()) return false;
    if (size != 0) std::memcpy(buffer.data(), payload->data + header_size, size);
    buffer = buffer.first(size);
    return true;
  }
  std::function<std::uint32_t()> getSerializedSizeProvider(void* data) override {
    return [size = static_cast<const View*>(data)->size()] {
      return header_size + static_cast<std::uint32_t>(size);
    };
  }
  void* createData() override { return new Bytes; }
  void deleteData(void* data) override { delete static_cast<Bytes*>(data); }
  bool getKey(void*, eprosima::fastrtps::rtps::InstanceHandle_t*, bool) override { return false; }
};

inline std::uint32_t fast_message_max(FastTransport transport, const Shape& shape) {
  constexpr std::uint32_t datagram_max = 65'500;
  if (transport == FastTransport::udp) return datagram_max;
  return std::max(datagram_max, static_cast<std::uint32_t>(shape.size) + 1024);
}

/// How many messages a writer keeps that aren't acknowledged, and a reader that aren't taken.
inline std::size_t fast_depth(const Shape& shape) {
  constexpr std::size_t bytes_max = 4 << 20;  // a participant fills its segment first
  const std::size_t affordable = bytes_max / std::max<std::size_t>(shape.size, 1);
  return std::min(shape.depth, std::max<std::size_t>(affordable, 2));
}

inline std::shared_ptr<eprosima::fastdds::rtps::TransportDescriptorInterface> describe(
    FastTransport transport, const Shape& shape) {
  if (transport == FastTransport::udp) {
    auto udp = std::make_shared<eprosima::fastdds::rtps::UDPv4TransportDescriptor>();
    udp->interfaceWhiteList.emplace_back("127.0.0.1");
    udp->sendBufferSize = udp->receiveBufferSize = 4 << 20;
    return udp;
  }
  auto shm = std::make_shared<eprosima::fastdds::rtps::SharedMemTransportDescriptor>();
  const std::uint32_t largest = fast_message_max(transport, shape);
  const auto depth = static_cast<std::uint32_t>(fast_depth(shape));
  shm->max_message_size(largest);
  shm->segment_size(2 * largest + depth * (static_cast<std::uint32_t>(shape.size) + 1024));
  shm->port_queue_capacity(std::max(512U, 4 * depth));
  return shm;
}

/// Of both, a writer and a reader.
template <class Qos>
Qos fast_qos(const Shape& shape) {
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
  return qos;
}

inline eprosima::fastdds::dds::DataWriterQos qos_of_writer(FastTransport transport,
                                                           const Shape& shape) {
  using namespace eprosima::fastdds::dds;
  auto qos = fast_qos<DataWriterQos>(shape);
  // What doesn't fit one of the transport's messages is sent in pieces, by another thread.
  const bool fits = shape.size + 512 <= fast_message_max(transport, shape);
  qos.publish_mode().kind = fits ? SYNCHRONOUS_PUBLISH_MODE : ASYNCHRONOUS_PUBLISH_MODE;
  auto& times = qos.reliable_writer_qos().times;
  times.initialHeartbeatDelay = {0, 0};
  times.heartbeatPeriod = {0, 1'000'000};
  times.nackResponseDelay = {0, 0};
  times.nackSupressionDuration = {0, 0};
  return qos;
}
inline eprosima::fastdds::dds::DataReaderQos qos_of_reader(const Shape& shape) {
  auto qos = fast_qos<eprosima::fastdds::dds::DataReaderQos>(shape);
  qos.reliable_reader_qos().times.initialAcknackDelay = {0, 0};
  qos.reliable_reader_qos().times.heartbeatResponseDelay = {0, 0};
  return qos;
}

}  // namespace ipcbench
