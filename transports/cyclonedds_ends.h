// cyclonedds_ends.h: an end of a link by Cyclone DDS over UDP.
#pragma once

#include <dds/dds.h>

#include <exception>
#include <memory>
#include <string>

#include <types/cyclonedds.h>

#include "harness/name.h"
#include "harness/transport.h"
#include "transports/cyclonedds_entities.h"

namespace ipcbench {

class CycloneEnd {
 public:
  CycloneEnd(const std::string& to, const std::string& from, std::size_t depth, const Name& ready,
             const Name& other_ready)
      : entities_(std::make_unique<CycloneEntities>(CycloneCarrier::udp, ipcbench_dds_Message_desc,
                                                    to, from, depth)) {
    entities_->await_match();
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
    while (!take()) entities_->wait();
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
