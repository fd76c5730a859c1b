// subject.h: a transport under test: how an experiment makes its link and casts its ends.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/laboratory.h"
#include "harness/row.h"

namespace ipcbench {

/// One row under test. All its experiments make a link anew.
class Subject {
 public:
  /// Of a module's row, the module is loaded.
  Subject(const Row& row, const RunDirectory& directory);

  const Row& row() const { return row_; }
  const Facts& facts() const { return row_.facts; }
  const RunDirectory& directory() const { return directory_; }
  /// The size, or the largest that a message can have.
  std::size_t at_most(std::size_t size) const;

  /// The families that it has, or null. A remote procedure call is a channel (any_link.h).
  const LinkMaker* channel() const { return maker(&Verbs::send, &Verbs::receive); }
  const LinkMaker* signal() const { return maker(&Verbs::notify, &Verbs::wait); }
  const LinkMaker* lock() const { return maker(&Verbs::lock, &Verbs::lock); }

  Shape shape(std::size_t size) const;

  /// Conducts an experiment (laboratory.h), and clears away what it left.
  std::string ask(const std::function<std::string(Bench&)>& experiment) const;

 private:
  const LinkMaker* maker(bool Verbs::*producer, bool Verbs::*consumer) const;

  const Row& row_;
  const RunDirectory& directory_;
};

/// Transports remove no names for as long as this lives, as those of killed processes aren't
/// removed. The directory is empty before and after.
class KeptNames {
 public:
  explicit KeptNames(const RunDirectory& directory) : directory_(directory) {
    directory_.clear();
    directory_.keep_names(true);
  }
  KeptNames(const KeptNames&) = delete;
  KeptNames& operator=(const KeptNames&) = delete;
  ~KeptNames() {
    directory_.keep_names(false);
    directory_.clear();
  }

 private:
  const RunDirectory& directory_;
};

/// Within an experiment: a link that is never taken apart; it goes with its processes.
AnyLink& make(const LinkMaker& maker, const Shape& shape);

/// What an end does once all of them are open.
struct Part {
  bool is_producer;
  std::function<void(AnyEnd&)> play;
};

/// Within an experiment: forks a subject for each part, in this order of places, and returns when
/// they have met. The experimenter holds nothing of the link any more. Throws std::runtime_error
/// where an end can't be opened.
void cast(Bench& bench, AnyLink& link, const std::vector<Part>& parts);
/// The producer has place 0, the consumer place 1.
void cast(Bench& bench, AnyLink& link, const std::function<void(AnyEnd&)>& producer,
          const std::function<void(AnyEnd&)>& consumer);

/// Sends a message of one letter.
void put(AnyEnd& end, std::size_t size, char letter);
/// Receives a message; of a byte stream, `size` bytes.
std::string take(AnyEnd& end, std::size_t size);

/// What went wrong with the subjects, or "".
std::string first_error(const Bench& bench);

}  // namespace ipcbench
