#include "harness/noise.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "harness/driver.h"
#include "harness/program_under_test.h"

namespace ipcbench {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

EndOutcome end_on(int cpu) {
  EndOutcome end;
  end.role = "producer";
  end.cpu = cpu;
  end.elapsed_ns = second_ns;
  end.kept_waiting_ns = 0;
  end.migrations = 0;
  return end;
}

/// A run of one second on two CPUs in which nothing happened.
struct QuietRun {
  Surroundings before;
  Surroundings after;
  std::vector<EndOutcome> ends{end_on(0), end_on(1)};
  std::vector<std::uint64_t> batch_ns = std::vector<std::uint64_t>(20, 1'500'000);
  std::int64_t daemons_ns = 0;
  bool own_cpus = true;

  QuietRun() {
    before.pressure_us = after.pressure_us = 1'000;
    after.processors = {.all = 200, .stolen = 0};
    after.clocks = {.monotonic_ns = second_ns,
                    .raw_ns = second_ns,
                    .boottime_ns = second_ns,
                    .realtime_ns = second_ns};
  }
  Noise judged() const {
    return judge(before, after,
                 {.ends = ends,
                  .batch_ns = batch_ns,
                  .daemons_ns = daemons_ns,
                  .own_cpus = own_cpus,
                  .rate = {}});
  }
  /// The one reason, or "".
  std::string reason() const {
    const std::vector<std::string> reasons = judged().reasons;
    EXPECT_LE(reasons.size(), 1U);
    return reasons.empty() ? "" : reasons[0];
  }
};

TEST(Noise, AQuietRunIsNotSuspect) {
  EXPECT_EQ(QuietRun().reason(), "");
}

TEST(Noise, StealIsJudgedFromTwoTicksOn) {
  QuietRun run;
  run.after.processors = {.all = 10, .stolen = 1};
  EXPECT_EQ(run.reason(), "") << "one tick may have been anywhere";
  run.after.processors = {.all = 30, .stolen = 3};
  EXPECT_TRUE(contains(run.reason(), "10 % of the processors' time was stolen"));
  run.after.processors = {.all = 200, .stolen = 3};
  EXPECT_EQ(run.reason(), "");
}

TEST(Noise, AnEndThatOthersKeptWaitingIsSuspect) {
  QuietRun run;
  run.ends[1].kept_waiting_ns = second_ns / 10;
  EXPECT_TRUE(contains(run.reason(), "for 10 % of the time")) << run.reason();
  EXPECT_DOUBLE_EQ(run.judged().kept_waiting_fraction.value(), 0.1);
  run.ends[1].kept_waiting_ns = second_ns / 100;
  EXPECT_EQ(run.reason(), "");
}

TEST(Noise, AnEndWaitsForItsOwnThreadsAndItsBroker) {
  QuietRun run;
  run.ends[1].kept_waiting_ns = second_ns / 2;
  run.ends[1].threads_ns = second_ns / 4;
  EXPECT_TRUE(contains(run.reason(), "for 25 % of the time")) << run.reason();
  run.daemons_ns = second_ns / 4;
  EXPECT_EQ(run.reason(), "");
}

TEST(Noise, EndsOfOneCpuWaitForEachOther) {
  QuietRun run;
  run.own_cpus = false;
  run.ends = {end_on(0), end_on(0)};
  run.ends[0].user_ns = run.ends[1].user_ns = second_ns / 2;
  run.ends[0].kept_waiting_ns = run.ends[1].kept_waiting_ns = second_ns / 2;
  EXPECT_EQ(run.reason(), "");
  run.ends[1].user_ns = second_ns / 5;  // and somebody else had the rest
  EXPECT_TRUE(contains(run.reason(), "for 30 % of the time")) << run.reason();
}

TEST(Noise, WithoutTheEndsOwnWaitingTheMachinesCounts) {
  QuietRun run;
  run.after.pressure_us = 501'000;
  EXPECT_EQ(run.reason(), "") << "the ends didn't wait";
  for (EndOutcome& end : run.ends) end.kept_waiting_ns.reset();
  EXPECT_TRUE(contains(run.reason(), "waited for a CPU in 50 % of the time")) << run.reason();
  run.own_cpus = false;
  EXPECT_EQ(run.reason(), "") << "they waited for each other";
  run.own_cpus = true;
  run.before.pressure_us.reset();
  EXPECT_EQ(run.reason(), "");
  EXPECT_FALSE(run.judged().pressure_fraction);
  run.ends[0].involuntary_switches = 500;
  EXPECT_TRUE(contains(run.reason(), "500 times a second")) << run.reason();
}

TEST(Noise, ProcessesThatTheRunMakesAreNoNoise) {
  QuietRun run;
  run.ends[1].kept_waiting_ns = second_ns / 4;
  const Noise noise =
      judge(run.before, run.after,
            {.ends = run.ends, .batch_ns = {}, .makes_processes = true, .rate = {}});
  EXPECT_TRUE(noise.reasons.empty());
  EXPECT_FALSE(noise.kept_waiting_fraction);
}

TEST(Noise, HalvesAndClustersOfSubBatches) {
  QuietRun run;
  for (std::size_t i = 10; i < 20; ++i) run.batch_ns[i] = 1'800'000;
  EXPECT_EQ(run.reason(), "") << "a fifth";
  for (std::size_t i = 10; i < 20; ++i) run.batch_ns[i] = 15'000'000;
  std::vector<std::string> reasons = run.judged().reasons;
  ASSERT_EQ(reasons.size(), 2U);
  EXPECT_EQ(reasons[0], "the two halves of the run differ by a factor of 10.0");
  EXPECT_EQ(reasons[1], "bimodal: 50 % of the sub-batches took 10.0 times as long");
  for (std::size_t i = 0; i < 20; ++i) run.batch_ns[i] = i % 2 == 0 ? 1'500'000 : 15'000'000;
  run.ends[0].migrations = 2;
  EXPECT_TRUE(contains(run.reason(), "bimodal")) << run.reason();
  EXPECT_TRUE(contains(run.reason(), "moved to another CPU 2 times")) << run.reason();
  run.batch_ns.resize(7);
  EXPECT_EQ(run.reason(), "") << "too few to tell";
}

TEST(Noise, ClocksThatJumped) {
  QuietRun run;
  run.after.clocks.realtime_ns += 3'600 * second_ns;
  EXPECT_EQ(run.reason(), "") << "no loop reads that clock";
  EXPECT_EQ(run.judged().realtime_step_ns, 3'600 * second_ns);
  run.after.clocks.boottime_ns += 2 * second_ns;
  EXPECT_EQ(run.reason(), "the machine slept for 2 s");
}

TEST(Noise, TheTickRateIsComparedWithTheClock) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "no time-stamp counter here";
#endif
  QuietRun run;
  const TickRate one_ns{std::uint64_t{1} << 32};  // a tick is a nanosecond
  const auto reasons = [&](std::int64_t ticks) {
    run.before.clocks.ticks = 1;
    run.after.clocks.ticks = 1 + static_cast<std::uint64_t>(ticks);
    return judge(run.before, run.after, {.ends = run.ends, .batch_ns = {}, .rate = one_ns}).reasons;
  };
  EXPECT_TRUE(reasons(second_ns).empty());
  EXPECT_TRUE(reasons(second_ns + second_ns / 2000).empty());
  EXPECT_EQ(reasons(second_ns + second_ns / 100).size(), 1U);
  run.after.clocks.within_ns = second_ns / 50;
  EXPECT_TRUE(reasons(second_ns + second_ns / 100).empty()) << "within what reading them took";
}

TEST(Noise, ReadsWhatThisMachineHas) {
  const TickRate rate = measure_tick_rate();
  const Surroundings before = look_around(rate);
  const Surroundings after = look_around(rate);
  EXPECT_GE(after.clocks.monotonic_ns, before.clocks.monotonic_ns);
  EXPECT_GE(after.processors.all, before.processors.all);
  EXPECT_GE(after.pressure_us.value_or(0), before.pressure_us.value_or(0));
  const auto json = to_json(judge(before, after, {.ends = {}, .batch_ns = {}, .rate = rate}));
  EXPECT_TRUE(json.at("halves_ratio").is_null());
  EXPECT_TRUE(json.at("migrations").is_null());
}

}  // namespace
}  // namespace ipcbench
