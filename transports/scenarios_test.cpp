// What scenarios say of transports whose behaviour is known.
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "harness/driver.h"
#include "harness/plan.h"
#include "harness/stats.h"
#include "scenarios/matrix.h"
#include "transports/socket.h"

namespace ipcbench {
namespace {

constexpr std::int64_t ms = 1'000'000;

Params params_of(const Load& load, std::size_t size = 64) {
  static const TickRate rate = measure_tick_rate();
  Params params;
  params.size = size;
  params.load = load;
  params.warmup_ns = 1 * ms;
  params.min_time_ns = 20 * ms;
  params.timeout_ns = 60'000 * ms;
  params.tick_rate = rate;
  return params;
}

Outcome run(const Row& row, const char* scenario, const Params& params) {
  const RunDirectory directory;
  Interrupts interrupts;
  return execute(row, find_scenario(scenario).value(), params, directory, interrupts);
}
Outcome run(const char* transport, const char* scenario, const Params& params) {
  return run(*find_row(transport), scenario, params);
}

void expect_measured(const Outcome& outcome) {
  EXPECT_TRUE(outcome.status == Status::ok || outcome.status == Status::suspect) << outcome.reason;
}

const OwnValue& value_of(const Outcome& outcome, const std::string& name) {
  const auto found = std::find_if(outcome.values.begin(), outcome.values.end(),
                                  [&](const OwnValue& value) { return value.name == name; });
  if (found == outcome.values.end()) throw std::out_of_range(name);
  return *found;
}

constexpr std::int64_t stall_ns = 20 * ms;

/// A socket pair whose consumer does nothing for a while, now and then: a garbage collection, a
/// page fault, a log that is flushed.
struct Stalling {
  static constexpr Facts facts{.name = "stalling",
                               .summary = "a consumer that stalls",
                               .family = Family::socket,
                               .naming = Naming::inherited,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "none"};

  struct Consumer : MessageEnd {
    int received = 0;
    std::size_t recv(Bytes buffer) {
      if (++received % 400 == 0) {
        const timespec stall{0, stall_ns};
        ::nanosleep(&stall, nullptr);
      }
      return MessageEnd::recv(buffer);
    }
  };

  explicit Stalling(const Shape&) {
    int fds[2];
    check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), "socketpair");
    producer_ = Fd(fds[0]);
    consumer_ = Fd(fds[1]);
  }
  MessageEnd producer() { return {Waitable(std::move(producer_))}; }
  Consumer consumer() {
    Consumer consumer;
    consumer.fd = Waitable(std::move(consumer_));
    return consumer;
  }

 private:
  Fd producer_;
  Fd consumer_;
};

TEST(Paced, ShowsTheStallThatAClosedLoopHides) {
  Load load;
  load.rate_per_s = 40'000;  // 400 messages take 10 ms, and a stall 20
  Params params = params_of(load);
  params.min_time_ns = 200 * ms;
  const Outcome open = run(row<Stalling>(), "paced", params);
  expect_measured(open);
  EXPECT_GE(open.histogram->quantile(0.99).value(), static_cast<double>(stall_ns));
  params.count = 4'000;  // ten stalls
  const Outcome closed = run(row<Stalling>(), "ping_pong", params);
  expect_measured(closed);
  EXPECT_LT(closed.histogram->quantile(0.99).value(), static_cast<double>(stall_ns) / 2);
}

TEST(Paced, AchievesARateThatTheChannelCarries) {
  for (const ArrivalLaw law : {ArrivalLaw::fixed, ArrivalLaw::poisson}) {
    Load load;
    load.rate_per_s = 2'000;
    load.arrivals = static_cast<std::int64_t>(law);
    Params params = params_of(load);
    params.count = 600;
    const Outcome outcome = run("pipe", "paced", params);
    expect_measured(outcome);
    EXPECT_EQ(outcome.count, 600u);
    EXPECT_EQ(outcome.histogram->count(), 600u);
    EXPECT_EQ(outcome.second_histogram->count(), 600u);
    const double per_s = 600 * 1e9 / static_cast<double>(outcome.elapsed_ns);
    EXPECT_LT(per_s, 2'000 * 1.2) << "messages are not sent before they are due";
    // From when it was due a message can't have taken less than from when it was sent.
    EXPECT_GE(outcome.histogram->quantile(0.5).value() * 1.02,
              outcome.second_histogram->quantile(0.5).value());
  }
}

TEST(Paced, RefusesMoreMessagesThanItCanKeep) {
  Params params = params_of({});
  params.count = std::uint64_t{1} << 40;
  const Outcome outcome = run("pipe", "paced", params);
  EXPECT_EQ(outcome.status, Status::failed);
  EXPECT_NE(outcome.reason.find("4000000 at most"), std::string::npos) << outcome.reason;
}

TEST(FanIn, TakesTheMessagesOfSixtyFourProducers) {
  for (const char* transport : {"unix_dgram", "sysv_msg", "posix_mq", "shm_mpmc.futex"}) {
    Load load;
    load.crowd = 64;
    Params params = params_of(load);
    params.count = 12'800;
    const Outcome outcome = run(transport, "fan_in", params);
    SCOPED_TRACE(transport);
    expect_measured(outcome);
    ASSERT_EQ(outcome.ends.size(), 65u);
    std::uint64_t sent = 0;
    std::vector<double> rates;
    for (const EndOutcome& end : outcome.ends) {
      if (!end.role.starts_with("producer")) continue;
      sent += end.count;
      rates.push_back(static_cast<double>(end.count) / static_cast<double>(end.elapsed_ns));
    }
    EXPECT_EQ(sent, outcome.count);
    EXPECT_EQ(outcome.ends.back().count, outcome.count);
    std::printf("%s: fairness of 64 producers %.3f\n", transport, fairness(rates));
    EXPECT_GT(fairness(rates), 1.0 / 64);
  }
}

TEST(Pairs, CountTogether) {
  Load load;
  load.crowd = 3;
  Params params = params_of(load);
  params.count = 3'000;
  const Outcome outcome = run("pipe", "pairs", params);
  expect_measured(outcome);
  ASSERT_EQ(outcome.ends.size(), 6u);
  std::uint64_t received = 0;
  for (const EndOutcome& end : outcome.ends)
    if (end.role.starts_with("consumer")) received += end.count;
  EXPECT_EQ(received, outcome.count);
  EXPECT_GE(outcome.count, 9'000u);
}

TEST(Touch, WhateverIsTouchedMessagesAreToldApart) {
  for (const char* scenario : {"flood", "ping_pong", "one_way", "burst", "pairs", "paced"})
    for (const Touch touch : {Touch::none, Touch::write, Touch::read, Touch::both})
      for (const std::size_t size : {1, 8, 4097}) {
        Load load;
        load.touch = static_cast<std::int64_t>(touch);
        Params params = params_of(load, size);
        params.count = 500;
        const Outcome outcome = run("unix_stream", scenario, params);
        SCOPED_TRACE(scenario);
        expect_measured(outcome);
      }
}

TEST(Burst, OfOneMessageIsARoundTripEach) {
  for (const std::int64_t window : {1, 7, 1000}) {
    Load load;
    load.window = window;
    Params params = params_of(load);
    params.count = 2'000;
    const Outcome outcome = run("pipe", "burst", params);
    expect_measured(outcome);
    EXPECT_GE(outcome.count, 2'000u);
  }
}

TEST(Contend, HoldsTheLockAsLongAsItIsTold) {
  Load load;
  load.hold_ns = 200'000;
  load.crowd = 3;
  const Outcome outcome = run("mutex.normal", "contend", params_of(load));
  expect_measured(outcome);
  EXPECT_EQ(outcome.ends.size(), 3u);
  EXPECT_GE(static_cast<double>(outcome.elapsed_ns),
            0.9 * static_cast<double>(outcome.count) * 200'000);
  EXPECT_GT(value_of(outcome, "longest_wait_ns").number, 0);
}

TEST(Sparse, WaitsForItsGaps) {
  Load load;
  load.gap_ns = 2 * ms;
  Params params = params_of(load);
  params.count = 30;
  for (const char* transport : {"pipe", "eventfd"}) {
    const Outcome outcome = run(transport, "sparse", params);
    expect_measured(outcome);
    EXPECT_EQ(outcome.histogram->count(), 30u);
    EXPECT_GE(outcome.elapsed_ns, 60 * ms);
  }
}

TEST(SetUp, TimesEveryPhase) {
  const Outcome outcome = run("unix_stream", "set_up", params_of({}));
  expect_measured(outcome);
  EXPECT_GE(outcome.count, 24u);
  EXPECT_EQ(outcome.histogram->count(), outcome.count);
  for (const char* phase : {"create_ns", "connect_ns", "first_message_ns", "tear_down_ns"})
    EXPECT_GT(value_of(outcome, phase).number, 0) << phase;
}

TEST(PeerDeath, IsNoticedByAPipeAndNotByARing) {
  const Outcome pipe = run("pipe", "peer_death", params_of({}));
  expect_measured(pipe);
  EXPECT_GT(value_of(pipe, "sender_notices_ns").number, 0);
  EXPECT_NE(value_of(pipe, "sender_notices_ns").note.find("Broken pipe"), std::string::npos);
  const Outcome ring = run("shm_posix.futex", "peer_death", params_of({}));
  expect_measured(ring);
  EXPECT_TRUE(std::isnan(value_of(ring, "sender_notices_ns").number));
  EXPECT_NE(value_of(ring, "sender_notices_ns").note, "");
  EXPECT_EQ(value_of(ring, "lost_messages").number, 64) << "all that the ring holds";
}

TEST(Memory, KnowsWhatAPipeHolds) {
  const Outcome outcome = run("pipe", "memory", params_of({}, 4096));
  expect_measured(outcome);
  EXPECT_EQ(value_of(outcome, "held_bytes").number, 65536) << "pipe(7)";
  EXPECT_EQ(value_of(outcome, "held_messages").number, 16);
  const OwnValue& kernel = value_of(outcome, "kernel_bytes");
  EXPECT_TRUE(kernel.number >= 0 || !kernel.note.empty());
}

}  // namespace
}  // namespace ipcbench
