// run.h: one run as its own processes see it: the runner, its ends, and the control block.
//
//   driver ── forks a runner (driver.h)
//   runner ── makes the link ── forks the ends ── reaps them ── removes the link
//   end:      pin → open → meet → warm up → meet → measured loop → exit
//
// That is how a pair starts by fork. By exec each end is a program of its own, which makes or finds
// the link by its names and runs its own part of the scenario: ipcbench executes itself, or two
// people type `ipcbench serve` and `ipcbench connect`. So it is, too, where a library's launcher
// starts these programs, such as mpirun; each of them then forks and reaps its end, as the runner's
// children are the launcher's.
//
// The control block is shared memory that the driver makes for the run. Every line of it has one
// writer. When a process dies, the driver reads there where each one was.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "harness/clock.h"
#include "harness/counters.h"
#include "harness/futex.h"
#include "harness/histogram.h"
#include "harness/load.h"
#include "harness/size_mix.h"
#include "harness/transport.h"
#include "harness/unix.h"

namespace ipcbench {

enum class Phase : std::uint32_t { none, starting, opening, warming_up, measuring, closing, done };
std::string_view text(Phase);

/// How the processes of a pair come to be: forked from the runner, which made the link; as programs
/// of their own, which find each other by the link's name; or as programs that a library's launcher
/// starts.
enum class Start { fork, exec, launch };
std::string_view text(Start);

/// The axes of how a mechanism is used, whatever is sent.
struct Manner {
  Waiting waiting = Waiting::block;
  Start start = Start::fork;
  int producers = 1;  ///< on one object, which is a mailbox where there are several of either
  int consumers = 1;
  Peer peer = Peer::process;  ///< at the other end

  bool is_mailbox() const { return producers > 1 || consumers > 1; }
  /// What isn't as usual: "wait:poll", "start:exec", "peers:4x1", "peer:kernel".
  std::vector<std::string> words() const;
  bool operator==(const Manner&) const = default;
};

/// Everything that decides how a run goes. Recorded with its results. Ends that are programs of
/// their own read it in the control block, so it holds no pointers of its own process.
struct Params {
  std::size_t size = 64;            ///< bytes of a message; 0 where the scenario has none
  std::size_t depth = 64;           ///< messages the channel is asked to hold
  std::array<int, 2> cpus{-1, -1};  ///< where producers and consumers are pinned; -1: nowhere
  Manner manner;
  Load load;
  bool fifo = false;        ///< ends that have a CPU of their own run under SCHED_FIFO
  bool is_crowded = false;  ///< several ends share one of the CPUs
  std::int64_t warmup_ns = 20'000'000;
  std::int64_t min_time_ns = 50'000'000;  ///< what the calibrated count aims at
  std::int64_t timeout_ns = 20'000'000'000;
  std::uint64_t count = 0;  ///< messages to measure; 0: calibrated during the warm-up
  TickRate tick_rate;
  /// The sizes of messages where they differ (size_mix.h), or none; `size` is then the largest.
  std::array<std::uint32_t, SizeMix::sizes_max> mixed_sizes{};
  std::uint32_t mixed_count = 0;
  std::size_t size_of(std::uint64_t message) const {
    return mixed_count == 0 ? size : mixed_sizes[message % mixed_count];
  }
  char stop_at[48] = "";  ///< "role:phase": that process stops itself there, for tests
};
static_assert(std::is_trivially_copyable_v<Params>);

/// What a lossy channel did with messages that were sent through it: some never came, some came
/// after younger ones, some came more than once.
struct Losses {
  std::uint64_t lost = 0;
  std::uint64_t reordered = 0;
  std::uint64_t duplicates = 0;
};

/// What an end writes of itself. Times are nanoseconds; counts are of the measured loop alone.
struct alignas(64) EndRecord {
  std::atomic<std::uint64_t> message;  ///< the message it is at: written for each one
  alignas(64) std::atomic<Phase> phase;
  std::atomic<std::int32_t> pid;
  char role[16];
  std::int32_t cpu;
  std::uint64_t count;  ///< messages it sent, received or acquired in the measured loop
  std::int64_t elapsed_ns;
  std::int64_t user_ns;
  std::int64_t system_ns;
  std::int64_t threads_ns;  ///< of these two: of its other threads, which a library has started
  std::int64_t daemons_ns;  ///< CPU time of the link's daemons meanwhile; written by the last end
  std::uint64_t voluntary_switches;
  std::uint64_t involuntary_switches;
  std::uint64_t page_faults;
  std::int64_t migrations;       ///< to another CPU; below 0: can't be read here
  std::int64_t kept_waiting_ns;  ///< runnable, and not running; below 0: can't be read here
  bool is_fifo;                  ///< ran under SCHED_FIFO
  CounterReading counters;
  Losses losses;    ///< as the end saw them that can tell
  bool is_lossy;    ///< the channel may lose messages, and this end has counted
  char error[384];  ///< what() of what it threw
  // Written by its parent when the end is gone (reap_end): the whole life of the process.
  std::int32_t exit_status;
  bool reaped;
  bool ended_by_runner;  ///< killed because another end had died
  std::int64_t life_user_ns;
  std::int64_t life_system_ns;
  std::uint64_t resident_max_bytes;
};

/// A measure that one scenario has and others don't: "create_ns", "kernel_bytes".
struct NamedValue {
  char name[32];
  double value;   ///< NaN: it can't be had here, and the note says why
  char note[96];  ///< on the value, or ""
};

struct ControlBlock {
  static constexpr std::size_t ends_max = 130;  ///< 64 pairs, and two to spare
  static constexpr std::size_t values_max = 24;
  static constexpr std::size_t batches_max = 256;
  static constexpr std::size_t scratch_size = 8192;
  /// Ends that are programs of their own must understand each other's block.
  static constexpr std::uint64_t layout_version = 4;

  std::uint64_t layout;  ///< layout_version; written last by who makes the block
  char transport[64];
  char scenario[32];
  Params params;
  std::atomic<std::int32_t> command_pids[2];  ///< of connect and serve, where they started the ends
  alignas(64) std::atomic<std::uint32_t> link_made;  ///< an exec start's creator is ready; a futex
  alignas(64) std::byte scratch[scratch_size];       ///< zeroed; a scenario's own (Runner::scratch)

  alignas(64) std::atomic<std::uint32_t> arrived;  ///< ends at the current meeting
  std::atomic<std::uint32_t> meetings;             ///< meetings over; the futex of the next one
  std::uint32_t meeting_size;                      ///< how many ends meet
  // Decided by the first end between two meetings.
  alignas(64) std::uint64_t
      round_count;               ///< messages of the next warm-up round; 0: warm-up is over
  std::uint64_t batch_messages;  ///< messages of a sub-batch
  std::uint64_t batch_count;
  EndRecord runner;
  EndRecord ends[ends_max];
  std::uint64_t multiplicity;           ///< pairs that count for themselves; 0: one
  std::uint64_t depth;                  ///< what the link says it holds; 0: it doesn't say
  std::uint64_t verified_bytes;         ///< by the verify scenario
  std::uint64_t batch_ns[batches_max];  ///< written by the timekeeper
  Histogram histogram;                  ///< written by the timekeeper of a latency scenario
  Histogram second_histogram;           ///< likewise, where it measures two things at once
  NamedValue values[values_max];        ///< written by one end, or one after the other
};
static_assert(std::is_standard_layout_v<ControlBlock>);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// An end, in its own process.
class End {
 public:
  End(ControlBlock& control, std::size_t index, const Params& params)
      : control_(control), record_(control.ends[index]), index_(index), params_(params) {}

  const Params& params() const { return params_; }
  /// Which of the run's ends it is, from 0.
  std::size_t index() const { return index_; }
  Histogram& histogram() { return control_.histogram; }
  Histogram& second_histogram() { return control_.second_histogram; }
  /// Notes which message it is at. Cheap enough for every message: a store to a line of its own.
  void at(std::uint64_t message) { record_.message.store(message, std::memory_order_relaxed); }
  /// Which message the other end is at, where there are two.
  std::uint64_t other_at() const {
    return control_.ends[1 - index_].message.load(std::memory_order_acquire);
  }
  void enter(Phase phase);
  /// Waits until all ends of the run are here.
  void meet();

  /// Warms up, and runs the measured loop. `loop(first, count)` handles the messages first to
  /// first + count - 1; all ends call it with the same numbers. The first end finds the count
  /// during the warm-up; the timekeeper's sub-batch times are kept.
  template <class Loop>
  void measure(Loop loop, bool timekeeper) {
    std::uint64_t first =
        warm_up([&](std::uint64_t from, std::uint64_t count) { loop(from, count); });
    start_measuring(timekeeper);
    const std::uint64_t batches = control_.batch_count;
    const std::uint64_t messages = control_.batch_messages;
    std::int64_t before_ns = monotonic_ns();
    for (std::uint64_t batch = 0; batch < batches; ++batch) {
      loop(first, messages);
      first += messages;
      const std::int64_t now_ns = monotonic_ns();
      if (timekeeper) control_.batch_ns[batch] = static_cast<std::uint64_t>(now_ns - before_ns);
      before_ns = now_ns;
    }
    stop_measuring(batches * messages);
  }

  /// Runs something once, without warm-up; for scenarios that check and don't measure.
  template <class Body>
  void once(Body body) {
    meet();
    control_.batch_count = 0;
    start_measuring(false);
    stop_measuring(body());
  }

  /// Calls `use(clock)` with the clock that latency loops read here.
  template <class Use>
  void with_clock(Use use) {
    if (params_.tick_rate.usable())
      use(TscClock(params_.tick_rate));
    else
      use(MonotonicClock(params_.tick_rate));
  }

  /// Whether the warm-up is over.
  bool is_measuring() const { return measuring_; }
  /// Overrides what measure() counted: a lock's holder has its own share of the acquisitions.
  void set_count(std::uint64_t count) { record_.count = count; }
  /// What has become of the messages of the measured loop so far, where the channel is lossy.
  void set_losses(const Losses& losses) {
    record_.losses = losses;
    record_.is_lossy = true;
  }
  /// Keeps a measure of the scenario's own, under a name with its unit, in place of one of the same
  /// name; or why there is none.
  void set_value(std::string_view name, double value, std::string_view note = "");
  void set_no_value(std::string_view name, std::string_view why);
  void set_verified_bytes(std::uint64_t bytes) { control_.verified_bytes = bytes; }

 private:
  std::uint64_t warm_up(const std::function<void(std::uint64_t, std::uint64_t)>& loop);
  void plan_batches(double message_ns);
  void start_measuring(bool timekeeper);
  void stop_measuring(std::uint64_t count);
  void add_usage(int sign);
  NamedValue& value(std::string_view name);

  ControlBlock& control_;
  EndRecord& record_;
  std::size_t index_;
  const Params& params_;
  Counters counters_;
  std::int64_t start_ns_ = 0;
  bool measuring_ = false;
};

/// Which side of the link an end is on. It decides the CPU it is pinned to.
enum class Side { producer, consumer };

struct EndPlan {
  std::string role;
  Side side;
  std::function<void(End&)> body;  ///< runs in the end's process, which exits with it
};

/// The process between the driver and the ends: it owns the link's names and reaps the ends. For an
/// exec start, the part of it that each end's program plays.
class Runner {
 public:
  /// In the runner: all ends are its own, and it forks them.
  Runner(ControlBlock& control, const Params& params, const RunDirectory& directory,
         const void* variant)
      : control_(control), params_(params), directory_(directory), variant_(variant) {}
  /// In the program of one end of an exec start: it plays that one itself.
  Runner(ControlBlock& control, const Params& params, const RunDirectory& directory,
         const void* variant, std::size_t only)
      : Runner(control, params, directory, variant) {
    only_ = only;
  }

  const Params& params() const { return params_; }
  Shape shape() const { return shape(params_.manner.producers, params_.manner.consumers); }
  /// Of an object that so many share.
  Shape shape(int producers, int consumers) const;

  /// Forks the ends and waits for all of them. What a body throws ends up in the control block.
  /// When one end fails, the others are killed and this throws.
  void run(const std::vector<EndPlan>& ends);
  /// Reaps ends that are processes already, as run() does.
  void reap(std::size_t count);
  /// Waits for the launcher's daemon; the programs that it has started have reaped the ends.
  void await_launcher(std::size_t count);

  /// A zeroed T that all ends share: what a scenario keeps beside its link.
  template <class T>
  T& scratch() const {
    static_assert(sizeof(T) <= ControlBlock::scratch_size && alignof(T) <= 64);
    static_assert(std::is_trivially_destructible_v<T>);
    return *std::launder(reinterpret_cast<T*>(control_.scratch));
  }

  /// So many pairs each handle the messages of every loop.
  void note_multiplicity(std::uint64_t pairs) { control_.multiplicity = pairs; }
  /// Records how many messages the link says it holds, where it says so.
  template <class T>
  void note_depth(const T& link) {
    if constexpr (requires { link.depth(); }) control_.depth = link.depth();
  }

 private:
  void fork_end(std::size_t index, const EndPlan& plan);
  void play(std::size_t index, const EndPlan& plan);

  ControlBlock& control_;
  const Params& params_;
  const RunDirectory& directory_;
  const void* variant_;
  std::optional<std::size_t> only_;
};

/// Pins the calling process to a CPU; -1: nowhere.
void pin(int cpu);

/// Moves the calling process to a phase of its record, and stops it there if the run says so.
void enter(EndRecord& record, Phase phase, const Params& params);

/// Waits for an end, a child of the calling process, and writes down how it ended.
void reap_end(EndRecord& record);

/// What run() throws where an end has failed: the end's own record says why.
inline constexpr std::string_view end_failed = "an end failed";

/// Copies an error into a record.
void note_error(EndRecord& record, std::string_view error);

}  // namespace ipcbench
