// noise.h: what disturbed a run, and whether that makes it suspect.
//
// Everything is recorded with its run ("noise" in results files). A few findings, each with a
// threshold and a reason for it (noise_thresholds() below, harness/README.md), make a run suspect:
// it is counted in, marked, and repeated within bounds (stopping.h), never dropped.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "harness/clock.h"
#include "harness/machine.h"
#include "harness/stats.h"

namespace ipcbench {

struct EndOutcome;

/// Clocks that run beside each other, read at one moment. Nanoseconds, but for the ticks.
struct ClockReadings {
  std::int64_t monotonic_ns = 0;
  std::int64_t raw_ns = 0;       ///< not slewed by NTP
  std::int64_t boottime_ns = 0;  ///< goes on while the machine sleeps
  std::int64_t realtime_ns = 0;  ///< is set by people
  std::uint64_t ticks = 0;       ///< of the time-stamp counter; 0 where it isn't used
  std::int64_t within_ns = 0;    ///< from the first of them to the last
};
ClockReadings read_clocks(TickRate rate);

/// How the machine stood at a moment.
struct Surroundings {
  ProcessorTimes processors;
  std::optional<std::int64_t> pressure_us;  ///< somebody waited for a CPU, in all since boot
  ClockReadings clocks;
};
Surroundings look_around(TickRate rate);

/// What disturbed a run. Nothing where it can't be known here, or the run is too short to tell.
struct Noise {
  double steal_fraction = 0;                ///< of all processors' time, taken by the hypervisor
  double stolen_ticks = 0;                  ///< the same in ticks of /proc/stat, which are 10 ms
  std::optional<double> pressure_fraction;  ///< of the time, in which somebody waited for a CPU
  /// Of the time of the end that suffered most: it could have run, and others ran than its peers.
  std::optional<double> kept_waiting_fraction;
  double involuntary_per_s = 0;             ///< switches of the end that had most
  std::optional<std::uint64_t> migrations;  ///< of all ends, from one CPU to another
  std::optional<double> halves_ratio;       ///< medians of the sub-batches, slower half by faster
  std::optional<Clusters> clusters;         ///< of the sub-batches' times, in ns
  std::int64_t suspended_ns = 0;            ///< the machine slept
  std::int64_t realtime_step_ns = 0;        ///< somebody set the clock, which no loop reads
  std::optional<double> tick_error;         ///< of the tick rate against the clock, a fraction
  std::vector<std::string> reasons;         ///< why it is suspect; none where it isn't
};

/// From which on a finding makes a run suspect.
struct NoiseThresholds {
  /// Above what accounting makes of nothing. Some virtual machines never count any; where it is
  /// counted, it is time that the run didn't have.
  double steal_fraction = 0.05;
  double stolen_ticks = 2;  ///< one may have been anywhere within 10 ms
  /// CPU pressure of a few per cent moves means (rank correlation 0.6). The ends' own waiting says
  /// it of the run itself; the whole machine's is judged where that can't be read, and only where
  /// each end has a CPU of its own: ends that share one press on each other.
  double kept_waiting_fraction = 0.05;
  double pressure_fraction = 0.05;
  /// A switch that the end didn't want gives its CPU away for up to 3 ms. Likewise.
  double involuntary_per_s = 100;
  /// Of 1,400 runs of 140 cells, those beyond it lay 16 to 19 % (median) off their cell's median,
  /// those from 1.1 to 1.4 8 %, those below 1.05 1 %.
  double halves_ratio = 1.4;
  std::int64_t suspended_ns = 1'000'000;
  double tick_error = 0.001;  ///< NTP slews by 0.0005 at most
};

/// What is known of a finished run.
struct RunFacts {
  std::span<const EndOutcome> ends;
  std::span<const std::uint64_t> batch_ns;
  std::int64_t daemons_ns = 0;   ///< CPU time of the link's daemons, which are pinned nowhere
  bool makes_processes = false;  ///< they are its load: that ends wait for them is no noise
  bool own_cpus = false;         ///< each end is pinned to a CPU that no other end uses
  TickRate rate;
};

/// Compares before and after. The reasons are whole sentences without a full stop.
Noise judge(const Surroundings& before, const Surroundings& after, const RunFacts& run);

/// "noise" of a run, and the thresholds as a results file's context has them.
nlohmann::ordered_json to_json(const Noise& noise);
nlohmann::ordered_json noise_thresholds();

}  // namespace ipcbench
