// fastdds_steps.h: what two ends know of each other until they are sure of the library's
// connection.
#pragma once

#include <array>
#include <mutex>
#include <set>
#include <string>

#include <fastdds/dds/domain/DomainParticipant.hpp>
#include <fastdds/dds/domain/DomainParticipantListener.hpp>

#include "harness/name.h"
#include "harness/run.h"

namespace ipcbench {

namespace dds = eprosima::fastdds::dds;

/// The names of the other participants that one knows.
class FastAcquaintances : public dds::DomainParticipantListener {
 public:
  void on_participant_discovery(dds::DomainParticipant*,
                                eprosima::fastrtps::rtps::ParticipantDiscoveryInfo&& who) override {
    const std::lock_guard guard(mutex_);
    names_.insert(who.info.m_participantName.c_str());
  }
  bool has(const std::string& name) const {
    const std::lock_guard guard(mutex_);
    return names_.contains(name);
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string> names_;
};

/// What both ends have reached, one after the other.
enum class FastStep { named, acquainted, matched, done };

/// What two ends tell each other, step by step.
class FastSteps {
 public:
  explicit FastSteps(const RunDirectory& directory)
      : notes_{note(directory), note(directory), note(directory), note(directory),
               note(directory), note(directory), note(directory), note(directory)} {}
  void tell(Side side, FastStep step, const std::string& text = "reached") const {
    of(side, step).publish(text);
  }
  /// What the other end tells in this step, once it does.
  std::string hear(Side side, FastStep step) const { return of(other(side), step).await(); }

 private:
  static Side other(Side side) { return side == Side::producer ? Side::consumer : Side::producer; }
  const Name& of(Side side, FastStep step) const {
    return notes_[2 * static_cast<std::size_t>(step) + (side == Side::producer ? 0 : 1)];
  }
  static Name note(const RunDirectory& directory) { return {directory, NameKind::note}; }
  std::array<Name, 8> notes_;
};

}  // namespace ipcbench
