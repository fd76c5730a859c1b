#include "harness/clock.h"

#include <algorithm>
#include <array>
#include <string>

#include "harness/unix.h"

namespace ipcbench {
namespace {

template <class Clock>
double read_cost_ns(TickRate rate) {
  constexpr int reads = 1000;
  const Clock clock(rate);
  std::array<double, 9> batches{};
  for (double& batch : batches) {
    const std::int64_t start = monotonic_ns();
    for (int i = 0; i < reads; ++i) {
      std::uint64_t now = clock.now();
      asm volatile("" : "+r"(now));
    }
    batch = static_cast<double>(monotonic_ns() - start) / reads;
  }
  std::nth_element(batches.begin(), batches.begin() + batches.size() / 2, batches.end());
  return batches[batches.size() / 2];
}

}  // namespace

#if defined(__x86_64__)
TickRate measure_tick_rate() {
  const std::string flags = read_text("/proc/cpuinfo");
  const std::string source =
      read_text("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  const bool invariant = flags.find(" constant_tsc") != std::string::npos &&
                         flags.find(" nonstop_tsc") != std::string::npos &&
                         flags.find(" rdtscp") != std::string::npos;
  if (!invariant || source != "tsc") return {};
  const TscClock clock(TickRate{1});
  const std::int64_t start_ns = clock_ns(CLOCK_MONOTONIC_RAW);
  const std::uint64_t start = clock.now();
  std::int64_t now_ns;
  do now_ns = clock_ns(CLOCK_MONOTONIC_RAW);
  while (now_ns - start_ns < 10'000'000);
  const std::uint64_t ticks = clock.now() - start;
  const double ns_per_tick = static_cast<double>(now_ns - start_ns) / static_cast<double>(ticks);
  return {static_cast<std::uint64_t>(ns_per_tick * 4294967296.0)};
}
#else
TickRate measure_tick_rate() {
  return {};
}
#endif

ClockCost measure_clock_cost(TickRate rate) {
  ClockCost cost;
  cost.monotonic_ns = read_cost_ns<MonotonicClock>(rate);
  if (rate.usable()) cost.tsc_ns = read_cost_ns<TscClock>(rate);
  return cost;
}

}  // namespace ipcbench
