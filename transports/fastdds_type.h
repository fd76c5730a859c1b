// fastdds_type.h: what a message is for Fast DDS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#include <fastdds/dds/topic/TopicDataType.hpp>

#include "harness/transport.h"

namespace ipcbench {

/// A message as a writer lends it, to be filled in place, and a reader shows it: its length, and
/// behind that the bytes.
struct FastSample {
  std::uint32_t size = 0;
  std::byte* bytes() { return reinterpret_cast<std::byte*>(this + 1); }
};

/// sequence<octet> in CDR, little-endian: an encapsulation header, the length, the bytes. What is
/// written is a View, what is read goes to a Bytes, which is cut to what has come. If it is `lent`,
/// neither happens: what lies behind the encapsulation header is a FastSample.
class FastType : public eprosima::fastdds::dds::TopicDataType {
 public:
  static constexpr const char* name = "ipcbench::Message";
  static constexpr std::uint32_t encapsulation_size = 4;
  static constexpr std::uint32_t header_size = encapsulation_size + sizeof(FastSample);

  FastType(std::size_t size, bool is_lent) : is_lent_(is_lent) {
    setName(name);
    m_typeSize = header_size + static_cast<std::uint32_t>(size);
    auto_fill_type_object(false);
    auto_fill_type_information(false);
  }
  bool is_bounded() const override { return is_lent_; }
  bool is_plain() const override { return is_lent_; }
  bool construct_sample(void* memory) const override {
    new (memory) FastSample;
    return true;
  }
  bool serialize(void* data, eprosima::fastrtps::rtps::SerializedPayload_t* payload) override {
    const View& message = *static_cast<const View*>(data);
    const auto size = static_cast<std::uint32_t>(message.size());
    if (payload->max_size < header_size + size) return false;
    payload->encapsulation = CDR_LE;
    payload->length = header_size + size;
    std::memcpy(payload->data, "\0\1\0\0", encapsulation_size);
    std::memcpy(payload->data + encapsulation_size, &size, sizeof size);
    if (size != 0) std::memcpy(payload->data + header_size, message.data(), size);
    return true;
  }
  bool deserialize(eprosima::fastrtps::rtps::SerializedPayload_t* payload, void* data) override {
    Bytes& buffer = *static_cast<Bytes*>(data);
    std::uint32_t size = 0;
    if (payload->length < header_size) return false;
    std::memcpy(&size, payload->data + encapsulation_size, sizeof size);
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

 private:
  bool is_lent_;
};

}  // namespace ipcbench
