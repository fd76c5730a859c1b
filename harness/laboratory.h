// laboratory.h: processes for experiments: each with a deadline, all of them gone afterwards.
//
// That something doesn't happen is seen, and not guessed from a time that is over: all subjects
// sleep, or turn in circles. So a busy machine makes an experiment slower and no less true.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include "harness/unix.h"

namespace ipcbench {

/// What the processes of an experiment tell each other: shared memory, zeroed. Each subject has a
/// place in every array.
struct Bench {
  static constexpr std::size_t places = 4;
  std::array<std::atomic<pid_t>, places> pid;            ///< 0: nobody, or dead
  std::array<std::atomic<std::uint64_t>, places> count;  ///< messages sent or received
  std::array<std::atomic<std::uint32_t>, places> step;   ///< how far it is; what an experiment says
  std::array<std::atomic<std::int64_t>, places> ended_ns;  ///< when its body returned or threw
  std::array<char[200], places> error;                     ///< what it threw, or ""
  std::array<char[24], places> sign;  ///< the same in a word: EOF, EPIPE, SIGABRT, "an error"
  std::array<char[200], places> seen;
  std::atomic<std::uint32_t> open;  ///< how many subjects have opened their ends
  std::atomic<bool> begun;          ///< they have met
};

/// An experiment came to no end.
struct Undecided : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// There was no room for it: no memory, descriptors or queues.
struct Scarce : Undecided {
  using Undecided::Undecided;
};

/// Runs `experiment` in a process group of its own and returns what it returned. Nobody of the
/// group is left. Throws Undecided if it wasn't done in time, Scarce, and std::runtime_error if it
/// threw something else.
std::string in_the_lab(const std::function<std::string(Bench&)>& experiment);

/// Within an experiment: forks a subject that runs `body` and notes how it ended.
void fork_subject(Bench& bench, std::size_t place, const std::function<void()>& body);

/// Within an experiment: kills a subject, and returns when it is gone and forgotten.
void kill_subject(Bench& bench, std::size_t place);

/// Within an experiment: closes every descriptor and forgets what it holds, so that the subjects
/// are alone with theirs.
void let_go_of_descriptors();

/// Within an experiment: asks until the answer is yes; or until all subjects have stood still for
/// `quiet_ns` (or have used a third of it without progress), so that it will never be. Throws
/// Undecided when they still go on after a long while.
bool happens(Bench& bench, const std::function<bool()>& question,
             std::int64_t quiet_ns = 100'000'000);

/// Within a subject: sleeps until the answer is yes.
void await(const std::function<bool()>& question);

}  // namespace ipcbench
