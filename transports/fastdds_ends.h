// fastdds_ends.h: the ends of a link by Fast DDS: one that copies and one that lends.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <fastdds/dds/core/LoanableSequence.hpp>
#include <fastdds/dds/subscriber/SampleInfo.hpp>

#include "harness/transport.h"
#include "transports/fastdds_entities.h"

namespace ipcbench {

/// An end that copies.
class FastEnd {
 public:
  explicit FastEnd(std::unique_ptr<FastEntities> entities) : entities_(std::move(entities)) {}

  void send(View message) { entities_->write(&message); }
  std::size_t recv(Bytes buffer) {
    std::optional<std::size_t> size;
    while (!(size = take(buffer))) entities_->wait();
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

/// An end whose messages lie in the writer's memory, from which the reader takes them.
class FastLendingEnd {
 public:
  explicit FastLendingEnd(std::unique_ptr<FastEntities> entities)
      : entities_(std::move(entities)), taken_(std::make_unique<Taken>()) {}

  Bytes reserve(std::size_t size) {
    void* sample = nullptr;
    checked(entities_->writer->loan_sample(sample), "DataWriter::loan_sample");
    lent_ = static_cast<FastSample*>(sample);
    lent_->size = static_cast<std::uint32_t>(size);
    return {lent_->bytes(), size};
  }
  void commit() { entities_->write(lent_); }
  View peek(std::size_t) {
    while (!take()) entities_->wait();
    FastSample& sample = taken_->samples[0];
    return {sample.bytes(), sample.size};
  }
  void release() {
    checked(entities_->reader->return_loan(taken_->samples, taken_->infos),
            "DataReader::return_loan");
  }

 private:
  struct Taken {
    dds::LoanableSequence<FastSample> samples;
    dds::SampleInfoSeq infos;
  };
  bool take() {
    if (entities_->reader->take(taken_->samples, taken_->infos, 1)() != 0) return false;
    const bool is_message = taken_->infos[0].valid_data;
    if (!is_message) release();  // only that the writer has gone
    return is_message;
  }
  std::unique_ptr<FastEntities> entities_;
  std::unique_ptr<Taken> taken_;
  FastSample* lent_ = nullptr;
};

}  // namespace ipcbench
