#include "harness/noise.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/driver.h"
#include "harness/results.h"
#include "harness/unix.h"

namespace ipcbench {
namespace {

constexpr NoiseThresholds thresholds;

ClockReadings read_clocks_once(TickRate rate) {
  ClockReadings readings;
  readings.monotonic_ns = monotonic_ns();
  readings.boottime_ns = clock_ns(CLOCK_BOOTTIME);
  readings.realtime_ns = clock_ns(CLOCK_REALTIME);
  readings.raw_ns = clock_ns(CLOCK_MONOTONIC_RAW);
  readings.ticks = rate.usable() ? TscClock(rate).now() : 0;
  readings.within_ns = monotonic_ns() - readings.monotonic_ns;
  return readings;
}

/// Of the time of the run's own processes and threads, what may have kept this end from running.
double peers_cpu_ns(const RunFacts& run, const EndOutcome& end) {
  auto sum = static_cast<double>(run.daemons_ns + end.threads_ns);
  for (const EndOutcome& other : run.ends)
    if (&other != &end && (other.cpu < 0 || end.cpu < 0 || other.cpu == end.cpu))
      sum += static_cast<double>(other.user_ns + other.system_ns);
  return sum;
}

void compare_ends(Noise& noise, const RunFacts& run) {
  for (const EndOutcome& end : run.ends) {
    const auto elapsed_ns = static_cast<double>(end.elapsed_ns);
    if (elapsed_ns <= 0) continue;
    noise.involuntary_per_s = std::max(
        noise.involuntary_per_s, static_cast<double>(end.involuntary_switches) * 1e9 / elapsed_ns);
    if (end.migrations) noise.migrations = noise.migrations.value_or(0) + *end.migrations;
    if (!end.kept_waiting_ns || run.makes_processes) continue;
    const double by_others = static_cast<double>(*end.kept_waiting_ns) - peers_cpu_ns(run, end);
    noise.kept_waiting_fraction = std::max(noise.kept_waiting_fraction.value_or(0),
                                           std::clamp(by_others / elapsed_ns, 0.0, 1.0));
  }
}

void compare_batches(Noise& noise, std::span<const std::uint64_t> batch_ns) {
  const std::size_t half = batch_ns.size() / 2;
  if (half < 4) return;
  const std::vector<double> times(batch_ns.begin(), batch_ns.end());
  const std::span<const double> all(times);
  const double first = quantile(all.first(half), 0.5).value();
  const double second = quantile(all.last(half), 0.5).value();
  noise.halves_ratio = std::max(first, second) / std::max(1.0, std::min(first, second));
  noise.clusters = two_clusters(all);
}

void compare_clocks(Noise& noise, const ClockReadings& before, const ClockReadings& after,
                    TickRate rate) {
  const std::int64_t monotonic_ns = after.monotonic_ns - before.monotonic_ns;
  noise.suspended_ns =
      std::max<std::int64_t>(0, after.boottime_ns - before.boottime_ns - monotonic_ns);
  noise.realtime_step_ns = after.realtime_ns - before.realtime_ns - monotonic_ns;
  const auto raw_ns = static_cast<double>(after.raw_ns - before.raw_ns);
  if (!rate.usable() || before.ticks == 0 || after.ticks == 0 || raw_ns <= 0) return;
#if defined(__x86_64__)
  const auto counted_ns = static_cast<double>(TscClock(rate).elapsed_ns(before.ticks, after.ticks));
  // What may be due to reading one after the other is no error of the clock.
  const double doubt_ns = static_cast<double>(before.within_ns + after.within_ns);
  noise.tick_error = std::max(0.0, std::abs(counted_ns - raw_ns) - doubt_ns) / raw_ns;
#endif
}

/// " (ends were moved to another CPU 3 times)", where they were.
std::string by_migrations(const Noise& noise) {
  if (noise.migrations.value_or(0) == 0) return "";
  return fmt::format(" (ends were moved to another CPU {} times)", *noise.migrations);
}

std::vector<std::string> find_reasons(const Noise& noise, const RunFacts& run) {
  std::vector<std::string> reasons;
  const auto percent = [](double fraction) { return 100 * fraction; };
  if (noise.steal_fraction > thresholds.steal_fraction &&
      noise.stolen_ticks >= thresholds.stolen_ticks)
    reasons.push_back(fmt::format("{:.0f} % of the processors' time was stolen by the hypervisor",
                                  percent(noise.steal_fraction)));
  if (noise.kept_waiting_fraction.value_or(0) > thresholds.kept_waiting_fraction)
    reasons.push_back(
        fmt::format("other processes kept an end from running for {:.0f} % of the time",
                    percent(*noise.kept_waiting_fraction)));
  const bool by_machine = !noise.kept_waiting_fraction && run.own_cpus && !run.makes_processes;
  if (by_machine && noise.pressure_fraction.value_or(0) > thresholds.pressure_fraction)
    reasons.push_back(fmt::format("processes waited for a CPU in {:.0f} % of the time",
                                  percent(*noise.pressure_fraction)));
  if (by_machine && noise.involuntary_per_s > thresholds.involuntary_per_s)
    reasons.push_back(
        fmt::format("an end was taken off its CPU {:.0f} times a second", noise.involuntary_per_s));
  if (noise.halves_ratio.value_or(1) > thresholds.halves_ratio)
    reasons.push_back(fmt::format("the two halves of the run differ by a factor of {:.1f}{}",
                                  *noise.halves_ratio, by_migrations(noise)));
  if (noise.clusters)
    reasons.push_back(
        fmt::format("bimodal: {:.0f} % of the sub-batches took {:.1f} times as long{}",
                    percent(noise.clusters->high_share), noise.clusters->high / noise.clusters->low,
                    by_migrations(noise)));
  if (noise.suspended_ns > thresholds.suspended_ns)
    reasons.push_back(fmt::format("the machine slept for {:.3g} s",
                                  static_cast<double>(noise.suspended_ns) / 1e9));
  if (noise.tick_error.value_or(0) > thresholds.tick_error)
    reasons.push_back(
        fmt::format("the time-stamp counter and the kernel's clock differ by {:.2g} %",
                    percent(*noise.tick_error)));
  return reasons;
}

template <class Number>
Json or_null(const std::optional<Number>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

ClockReadings read_clocks(TickRate rate) {
  // Whoever is interrupted in between has another try.
  ClockReadings best = read_clocks_once(rate);
  for (int tries = 0; tries < 5 && best.within_ns > 5'000; ++tries)
    if (const ClockReadings next = read_clocks_once(rate); next.within_ns < best.within_ns)
      best = next;
  return best;
}

Surroundings look_around(TickRate rate) {
  Surroundings now{.processors = processor_times(), .pressure_us = {}, .clocks = read_clocks(rate)};
  // "some avg10=0.00 avg60=0.00 avg300=0.00 total=0"
  const std::string pressure = read_text("/proc/pressure/cpu");
  if (const std::size_t at = pressure.find("total="); at != std::string::npos)
    now.pressure_us = std::strtoll(pressure.c_str() + at + 6, nullptr, 10);
  return now;
}

Noise judge(const Surroundings& before, const Surroundings& after, const RunFacts& run) {
  Noise noise;
  noise.steal_fraction = steal_fraction(before.processors, after.processors);
  noise.stolen_ticks = after.processors.stolen - before.processors.stolen;
  const auto took_ns = static_cast<double>(after.clocks.monotonic_ns - before.clocks.monotonic_ns);
  if (before.pressure_us && after.pressure_us && took_ns > 0)
    noise.pressure_fraction = std::clamp(
        static_cast<double>(*after.pressure_us - *before.pressure_us) * 1e3 / took_ns, 0.0, 1.0);
  compare_ends(noise, run);
  compare_batches(noise, run.batch_ns);
  compare_clocks(noise, before.clocks, after.clocks, run.rate);
  noise.reasons = find_reasons(noise, run);
  return noise;
}

Json to_json(const Noise& noise) {
  Json clusters = nullptr;
  if (noise.clusters)
    clusters = {{"low_ns", noise.clusters->low},
                {"high_ns", noise.clusters->high},
                {"high_share", noise.clusters->high_share},
                {"separation", noise.clusters->separation}};
  return {{"steal_fraction", noise.steal_fraction},
          {"pressure_fraction", or_null(noise.pressure_fraction)},
          {"kept_waiting_fraction", or_null(noise.kept_waiting_fraction)},
          {"involuntary_switches_per_s", noise.involuntary_per_s},
          {"migrations", or_null(noise.migrations)},
          {"halves_ratio", or_null(noise.halves_ratio)},
          {"clusters", std::move(clusters)},
          {"suspended_ns", noise.suspended_ns},
          {"realtime_step_ns", noise.realtime_step_ns},
          {"tick_error", or_null(noise.tick_error)},
          {"reasons", noise.reasons}};
}

Json noise_thresholds() {
  return {{"steal_fraction", thresholds.steal_fraction},
          {"pressure_fraction", thresholds.pressure_fraction},
          {"kept_waiting_fraction", thresholds.kept_waiting_fraction},
          {"involuntary_switches_per_s", thresholds.involuntary_per_s},
          {"halves_ratio", thresholds.halves_ratio},
          {"suspended_ns", thresholds.suspended_ns},
          {"tick_error", thresholds.tick_error}};
}

}  // namespace ipcbench
