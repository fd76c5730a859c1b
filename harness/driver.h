// driver.h: the process that plans, forks runners, keeps deadlines and reads what came of a run.
//
// It never touches a transport: it forks a runner that does, waits for it by pidfd with a
// deadline, and afterwards sees to it that nobody and nothing of the run is left.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/histogram.h"
#include "harness/noise.h"
#include "harness/row.h"
#include "harness/run.h"

namespace ipcbench {

enum class Status { ok, skipped, failed, suspect };
std::string_view text(Status);

/// What one end of a run used in the measured loop. Times are nanoseconds.
struct EndOutcome {
  std::string role;
  int cpu = -1;  ///< -1: not pinned
  std::uint64_t count = 0;
  std::int64_t elapsed_ns = 0;
  std::int64_t user_ns = 0;
  std::int64_t system_ns = 0;
  std::int64_t threads_ns = 0;  ///< of these two: of its other threads
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::uint64_t page_faults = 0;
  std::optional<std::uint64_t> migrations{};
  std::optional<std::int64_t> kept_waiting_ns{};  ///< runnable, and not running
  bool is_fifo = false;
  CounterReading counters{};
  std::int64_t life_user_ns = 0;  ///< of the whole process, set-up and warm-up included
  std::int64_t life_system_ns = 0;
  std::uint64_t resident_max_bytes = 0;
};

/// A measure of a scenario's own.
struct OwnValue {
  std::string name;  ///< with its unit: "create_ns"
  double number = 0;
  std::string note;  ///< on it; where it is NaN, why there is none
};

/// What came of a run. The measures are meaningful where the status is ok or suspect.
struct Outcome {
  Status status = Status::failed;
  std::string reason;                   ///< why it isn't ok, or ""
  std::uint64_t count = 0;              ///< messages, round trips or acquisitions
  std::int64_t elapsed_ns = 0;          ///< of the measured loop
  std::uint64_t batch_messages = 0;     ///< messages of a sub-batch
  std::vector<std::uint64_t> batch_ns;  ///< the sub-batches' times, in order
  std::optional<Histogram> histogram;   ///< of round trips, or of what the scenario times
  std::optional<Histogram> second_histogram;
  std::vector<OwnValue> values;
  std::optional<std::uint64_t> depth;  ///< messages the link held, where it says so
  std::uint64_t verified_bytes = 0;    ///< by the verify scenario
  std::optional<Losses> losses;        ///< where the channel is lossy
  Noise noise;
  std::int64_t daemons_ns = 0;  ///< CPU time of a broker or the like, during the measured loop
  std::int64_t took_ns = 0;     ///< the whole run, from the fork to the last reaping
  std::vector<EndOutcome> ends;
};

/// Blocks SIGINT, SIGTERM and SIGHUP for the driver and collects them, so that a run in progress
/// is ended in an orderly way. One object, in the driver, for as long as it executes runs.
class Interrupts {
 public:
  Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts();
  int fd() const { return fd_.get(); }
  /// The signal that has arrived, or 0. Doesn't block.
  int arrived();
  /// Gives a forked process the signals back.
  static void restore();

 private:
  Fd fd_;
  int signal_ = 0;
};

/// Executes one run and returns when all its processes are gone: because they are done, one of
/// them failed or was killed, the deadline passed, or an interrupt arrived. Doesn't throw for
/// anything that a transport does.
Outcome execute(const Row& row, std::size_t scenario, const Params& params,
                const RunDirectory& directory, Interrupts& interrupts);

/// Writes down what is to be run in a fresh control block.
void fill(ControlBlock& control, const Row& row, std::size_t scenario, const Params& params);

/// What came of a run whose ends are all done, and whether it is to be trusted. `before` is from
/// when it began.
Outcome conclude(const ControlBlock& control, const Surroundings& before);

/// "producer measuring, at message 512; consumer measuring, at message 448"
std::string whereabouts(const ControlBlock& control);

/// Why a run failed: the first of the causes that isn't a consequence of another. The runner's
/// status is as of waitpid(2).
std::string cause(const ControlBlock& control, int runner_status);

}  // namespace ipcbench
