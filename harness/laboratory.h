// laboratory.h: processes for experiments: each with a deadline, all of them gone afterwards.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "harness/unix.h"

namespace ipcbench {

/// What the processes of an experiment tell each other: shared memory, zeroed.
struct Bench {
  std::array<std::atomic<std::uint64_t>, 4> count;  ///< messages sent or received by each
  std::array<std::atomic<std::uint32_t>, 4> is_ready;
  std::array<std::atomic<std::int64_t>, 4> ended_ns;  ///< when a subject's body returned or threw
  std::array<char[200], 4> error;                     ///< what it threw, or ""
};

/// Runs `experiment` in a process group of its own and returns what it returned, or nothing if it
/// wasn't done in time. What it threw is the answer "error: …". Nobody of the group is left.
std::optional<std::string> in_the_lab(const std::function<std::string(Bench&)>& experiment,
                                      std::int64_t deadline_ns = 5'000'000'000);

/// Within an experiment: forks a subject that runs `body` and notes how it ended.
pid_t fork_subject(Bench& bench, std::size_t index, const std::function<void()>& body);

/// Within an experiment: closes every descriptor and forgets what it holds, so that the subjects
/// are alone with theirs.
void let_go_of_descriptors();

/// Within an experiment: asks until the answer is yes, at most for this long.
bool within(std::int64_t ns, const std::function<bool()>& question);

}  // namespace ipcbench
