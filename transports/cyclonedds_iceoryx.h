// cyclonedds_iceoryx.h: an end of a link by Cyclone DDS whose messages stay in iceoryx's memory,
// where they were written.
//
// iceoryx is used for KEEP_LAST alone, and a slow reader's oldest messages are dropped. So a writer
// has no more under way than a window holds, and a reader acknowledges half a window at once, by a
// KEEP_ALL topic of its own, which goes over UDP. dds_take() would copy a message to the heap;
// dds_takecdr() shows it where it lies, as ROS 2 has its loans
// (https://github.com/ros2/rmw_cyclonedds).
#pragma once

#include <dds/dds.h>
#include <dds/ddsc/dds_loan_api.h>
#include <dds/ddsi/ddsi_serdata.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

#include "transports/cyclonedds_ends.h"
#include "transports/cyclonedds_type.h"
#include "transports/roudi.h"

namespace ipcbench {

class CycloneLendingEnd {
 public:
  CycloneLendingEnd(const Shape& shape, std::size_t window, const std::string& to,
                    const std::string& from, const Name& ready, const Name& other_ready)
      : entities_(std::make_unique<CycloneEntities>(
            CycloneCarrier::iceoryx, CycloneFixedType(shape.size).descriptor(), to, from, window)),
        room_(window),
        credit_(std::max<std::size_t>(1, window / 2)) {
    entities_->await_match();
    credits_ =
        std::make_unique<CycloneEnd>(to + "_credit", from + "_credit", 8, ready, other_ready);
    meet();
  }
  CycloneLendingEnd(CycloneLendingEnd&&) noexcept = default;
  CycloneLendingEnd& operator=(CycloneLendingEnd&&) noexcept = default;
  ~CycloneLendingEnd() {
    if (entities_ && std::uncaught_exceptions() == 0) say_goodbye();
  }

  Bytes reserve(std::size_t size) {
    while (room_ == 0) await_credit();
    lend(size);
    return {lent_->bytes(), size};
  }
  void commit() {
    publish();
    --room_;
  }
  View peek(std::size_t) {
    while (!take()) entities_->wait();
    return {taken().bytes(), taken().size};
  }
  void release() {
    ::ddsi_serdata_unref(in_);
    if (++released_ < credit_) return;
    released_ = 0;
    say(Word::credit);
  }

 private:
  /// What is said by the topic of credits.
  enum class Word : std::uint8_t { hello, credit, goodbye };

  /// What is written before RouDi has introduced a writer and a reader is nobody's, and no call
  /// tells when it has. So an end says one more than it has heard: 1, to whoever there is; 2, I
  /// hear you; 3, I know that you hear me, which arrives, and is the last.
  void meet() {
    constexpr std::uint64_t last = 3;
    std::uint64_t said = 0;
    std::uint64_t heard = 0;
    while (said < last || heard < last) {
      if (said < last) {
        said = std::min(heard + 1, last);
        lend(said);
        publish();
      }
      entities_->wait(DDS_MSECS(1));
      for (; take(); ::ddsi_serdata_unref(in_)) heard = std::max(heard, taken().size);
    }
    // Neither begins before both have heard that.
    say(Word::hello);
    hear();
  }
  /// What is shared is read as long as its writer is known: so both stay until both are done.
  void say_goodbye() noexcept {
    try {
      say(Word::goodbye);
      while (!other_is_done_) await_credit();
    } catch (const std::exception&) {
      // The other end is gone without a word.
    }
  }
  void await_credit() {
    other_is_done_ = hear() == Word::goodbye;
    room_ = other_is_done_ ? std::numeric_limits<std::size_t>::max() : room_ + credit_;
  }
  void say(Word word) { credits_->send(std::as_bytes(std::span(&word, 1))); }
  Word hear() {
    const auto word = static_cast<Word>(credits_->peek(1).front());
    credits_->release();
    return word;
  }

  void lend(std::uint64_t size) {
    void* sample = nullptr;
    checked(::dds_loan_sample(entities_->writer, &sample), "dds_loan_sample");
    lent_ = static_cast<CycloneLoan*>(sample);
    lent_->size = size;
  }
  void publish() { checked(::dds_write(entities_->writer, lent_), "dds_write"); }
  bool take() {
    dds_sample_info_t info;
    if (checked(::dds_takecdr(entities_->reader, &in_, 1, &info, DDS_ANY_STATE), "dds_takecdr") ==
        0)
      return false;
    if (!info.valid_data)
      ::ddsi_serdata_unref(in_);  // only that a writer has come or gone
    else if (in_->iox_chunk == nullptr) [[unlikely]]
      throw std::runtime_error("a message didn't come by shared memory");
    return info.valid_data;
  }
  CycloneLoan& taken() const { return *static_cast<CycloneLoan*>(in_->iox_chunk); }

  std::unique_ptr<CycloneEntities> entities_;
  std::unique_ptr<CycloneEnd> credits_;
  std::size_t room_;
  std::size_t credit_;
  std::size_t released_ = 0;
  bool other_is_done_ = false;
  CycloneLoan* lent_ = nullptr;
  ddsi_serdata* in_ = nullptr;
};

}  // namespace ipcbench
