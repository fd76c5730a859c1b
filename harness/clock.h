// clock.h: the two clocks that loops read, and the one that everything else reads.
//
// A latency loop reads the clock once a message, so the read is inlined: the time-stamp counter
// where the kernel itself trusts it, clock_gettime(2) elsewhere. Loops are compiled once for each
// and chosen once a run, so that no message pays for the choice.
#pragma once

#include <time.h>

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace ipcbench {

/// A clock of clock_gettime(2) in nanoseconds; 0 where there is no such clock.
inline std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

/// CLOCK_MONOTONIC in nanoseconds; one clock for all processes and cores of the machine.
inline std::int64_t monotonic_ns() {
  timespec now;  // not zeroed: it is read in loops
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

/// How ticks of the time-stamp counter become nanoseconds: ns = ticks * multiplier / 2^32.
/// A multiplier of 0 says that the counter is not to be trusted here.
struct TickRate {
  std::uint64_t multiplier = 0;
  bool usable() const { return multiplier != 0; }
};

/// Compares the time-stamp counter with CLOCK_MONOTONIC_RAW for about 10 ms. Returns a rate of 0
/// unless the processor says that the counter is invariant and the kernel uses it as its clock.
TickRate measure_tick_rate();

/// The clocks of latency loops: now() in ticks, elapsed() of two readings in nanoseconds.
struct MonotonicClock {
  explicit MonotonicClock(TickRate) {}
  std::uint64_t now() const { return static_cast<std::uint64_t>(monotonic_ns()); }
  std::uint64_t elapsed_ns(std::uint64_t from, std::uint64_t to) const { return to - from; }
};

#if defined(__x86_64__)
struct TscClock {
  explicit TscClock(TickRate rate) : multiplier_(rate.multiplier) {}
  /// rdtscp: unlike rdtsc it waits until the loads before it are done.
  std::uint64_t now() const {
    unsigned int cpu;
    return __rdtscp(&cpu);
  }
  std::uint64_t elapsed_ns(std::uint64_t from, std::uint64_t to) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(to - from) * multiplier_) >> 32);
  }

 private:
  std::uint64_t multiplier_;
};
#else
using TscClock = MonotonicClock;
#endif

/// What one read of each clock costs here, in nanoseconds: the median of batches. 0 for the
/// time-stamp counter where it is not usable.
struct ClockCost {
  double tsc_ns = 0;
  double monotonic_ns = 0;
};
ClockCost measure_clock_cost(TickRate rate);

}  // namespace ipcbench
