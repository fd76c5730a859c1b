// cyclonedds_type.h: a message as Cyclone DDS lends it, for idlc can't know its size.
#pragma once

#include <dds/dds.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace ipcbench {

/// A message in shared memory: its length, and behind that the bytes.
struct CycloneLoan {
  std::uint64_t size;
  std::byte* bytes() { return reinterpret_cast<std::byte*>(this + 1); }
};

/// A type for loans of one size, which are the only ones that there are; idlc knows sizes too
/// early.
class CycloneFixedType {
 public:
  explicit CycloneFixedType(std::size_t size)
      : size_((static_cast<std::uint32_t>(size) + 7) / 8 * 8),
        operations_{std::uint32_t{DDS_OP_ADR} | DDS_OP_TYPE_8BY,
                    offsetof(CycloneLoan, size),
                    std::uint32_t{DDS_OP_ADR} | DDS_OP_TYPE_ARR | DDS_OP_SUBTYPE_1BY,
                    sizeof(CycloneLoan),
                    size_,
                    DDS_OP_RTS} {}
  dds_topic_descriptor_t descriptor() const {
    return {.m_size = static_cast<std::uint32_t>(sizeof(CycloneLoan)) + size_,
            .m_align = alignof(CycloneLoan),
            .m_flagset = DDS_TOPIC_FIXED_SIZE,
            .m_nkeys = 0,
            .m_typename = "ipcbench_dds::Loan",
            .m_keys = nullptr,
            .m_nops = 3,
            .m_ops = operations_.data(),
            .m_meta = "",
            .type_information = {},
            .type_mapping = {},
            .restrict_data_representation = 0};
  }

 private:
  std::uint32_t size_;
  std::array<std::uint32_t, 6> operations_;
};

}  // namespace ipcbench
