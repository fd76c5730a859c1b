// What a lossy channel does to messages is counted, all of it, and nothing waits for ever: seen
// with channels that lose, repeat and swap what they are told to, and with UDP whose buffer is too
// small.
#include <gtest/gtest.h>

#include "harness/driver.h"
#include "harness/plan.h"
#include "scenarios/matrix.h"
#include "transports/datagram.h"

namespace ipcbench {
namespace {

TEST(Arrivals, InOrderNothingIsLost) {
  Arrivals arrivals;
  for (std::uint64_t i = 0; i != 5000; ++i) arrivals.add(i);
  EXPECT_EQ(arrivals.next(), 5000u);
  EXPECT_EQ(arrivals.arrived(), 5000u);
  EXPECT_EQ(arrivals.losses().lost, 0u);
  EXPECT_EQ(arrivals.losses().reordered, 0u);
  EXPECT_EQ(arrivals.losses().duplicates, 0u);
}

TEST(Arrivals, AGapIsLostUntilItIsFilled) {
  Arrivals arrivals;
  for (const std::uint64_t number : {0, 1, 4}) arrivals.add(number);
  EXPECT_EQ(arrivals.losses().lost, 2u);
  arrivals.add(2);
  EXPECT_EQ(arrivals.losses().lost, 1u);
  EXPECT_EQ(arrivals.losses().reordered, 1u);
  arrivals.give_up(8);
  EXPECT_EQ(arrivals.losses().lost, 4u);
  arrivals.add(7);  // it was only late
  EXPECT_EQ(arrivals.losses().lost, 3u);
  EXPECT_EQ(arrivals.losses().reordered, 2u);
  EXPECT_EQ(arrivals.next(), 8u);
}

TEST(Arrivals, WhatCameTwiceIsNotWhatCameLate) {
  Arrivals arrivals;
  for (const std::uint64_t number : {0, 0, 2, 2, 1, 1, 1}) arrivals.add(number);
  EXPECT_EQ(arrivals.arrived(), 3u);
  EXPECT_EQ(arrivals.losses().lost, 0u);
  EXPECT_EQ(arrivals.losses().reordered, 1u);
  EXPECT_EQ(arrivals.losses().duplicates, 4u);
}

TEST(Arrivals, CountsFromARestart) {
  Arrivals arrivals;
  for (const std::uint64_t number : {0, 3}) arrivals.add(number);
  arrivals.restart();
  arrivals.add(1);  // of before
  arrivals.add(4);
  EXPECT_EQ(arrivals.arrived(), 1u);
  EXPECT_EQ(arrivals.losses().lost, 0u);
  EXPECT_EQ(arrivals.losses().reordered, 0u);
}

TEST(Numbers, AreKnownByTheirLowBytes) {
  for (const std::uint64_t expected : {0, 5, 127, 128, 255, 256, 1000, 70000})
    for (std::int64_t distance = -100; distance <= 100; ++distance)
      for (const std::size_t size : {1, 2, 4, 7, 8}) {
        const std::uint64_t number = expected + static_cast<std::uint64_t>(distance);
        if (number > expected + 100) continue;  // below 0
        const std::uint64_t mask =
            size == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * size) - 1;
        EXPECT_EQ(nearest_number(number & mask, size, expected), number);
      }
}

/// What a channel does wrong: with each message whose number, divided by `period`, leaves this.
struct Faults {
  std::uint64_t period;
  std::uint64_t lose;
  std::uint64_t repeat;
  std::uint64_t swap;     ///< with the one after it
  std::uint64_t corrupt;  ///< period: never, here and above
};

/// A reliable channel that is made lossy.
template <Faults faults>
struct Faulty {
  static constexpr Facts facts = renamed(Udp::facts, "faulty", "a channel with faults", "none");

  struct End : DatagramEnd {
    std::uint64_t sent = 0;
    std::vector<std::byte> kept;
    void send(View message) {
      const std::uint64_t kind = sent++ % faults.period;
      std::vector<std::byte> copy(message.begin(), message.end());
      if (kind == faults.lose) return;
      if (kind == faults.corrupt) copy.back() ^= std::byte{0x10};
      if (kind == faults.swap) {
        kept = std::move(copy);
        return;
      }
      MessageEnd::send(copy);
      if (kind == faults.repeat) MessageEnd::send(copy);
      if (!kept.empty()) MessageEnd::send(std::exchange(kept, {}));
    }
  };

  explicit Faulty(const Shape&) {
    int fds[2];
    check(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), "socketpair");
    producer_ = Fd(fds[0]);
    consumer_ = Fd(fds[1]);
  }
  std::size_t depth() const { return 16; }
  End producer() { return take(producer_); }
  End consumer() { return take(consumer_); }

 private:
  static End take(Fd& socket) {
    End end;
    end.fd = Waitable(std::move(socket));
    return end;
  }
  Fd producer_;
  Fd consumer_;
};

/// UDP whose sender is told of much more room than there is.
struct Overrun : PortPair<DatagramEnd> {
  static constexpr Facts facts = renamed(Udp::facts, "overrun", "UDP in a tiny buffer", "none");
  static constexpr PortProtocol v4{.domain = AF_INET, .protocol = IPPROTO_UDP};
  using PortPair::PortPair;
  std::size_t depth() const { return Arrivals::memory; }
  DatagramEnd consumer() {
    DatagramEnd end = PortPair::consumer();
    const int least = 1;  // the kernel makes 2304 of it
    check(::setsockopt(end.fd.get(), SOL_SOCKET, SO_RCVBUF, &least, sizeof least), "setsockopt");
    return end;
  }
};

Outcome run(const Row& row, const char* scenario, std::uint64_t count, std::size_t size) {
  const RunDirectory directory;
  Interrupts interrupts;
  Params params;
  params.size = size;
  params.count = count;
  params.warmup_ns = 100'000;
  params.tick_rate = measure_tick_rate();
  return execute(row, find_scenario(scenario).value(), params, directory, interrupts);
}

void expect_about(std::uint64_t seen, std::uint64_t expected, const char* what) {
  EXPECT_LE(seen, expected + 2) << what;
  EXPECT_GE(seen + 2, expected) << what;
}

void expect_all_accounted_for(const Outcome& outcome) {
  ASSERT_TRUE(outcome.losses);
  ASSERT_EQ(outcome.ends.size(), 2u);
  EXPECT_EQ(outcome.ends[0].count, outcome.count);
  EXPECT_EQ(outcome.ends[1].count + outcome.losses->lost, outcome.ends[0].count);
}

TEST(Flood, CountsWhatIsLostRepeatedAndSwapped) {
  for (const std::size_t size : {1, 2, 8, 64}) {
    const Outcome outcome = run(row<Faulty<Faults{10, 3, 5, 7, 10}>>(), "flood", 1000, size);
    ASSERT_NE(outcome.status, Status::failed) << outcome.reason;
    expect_all_accounted_for(outcome);
    expect_about(outcome.losses->lost, outcome.count / 10, "lost");
    expect_about(outcome.losses->duplicates, outcome.count / 10, "duplicates");
    expect_about(outcome.losses->reordered, outcome.count / 10, "reordered");
  }
}

TEST(Flood, EndsThoughNothingArrives) {
  const Outcome outcome = run(row<Faulty<Faults{1, 0, 1, 1, 1}>>(), "flood", 40, 64);
  ASSERT_NE(outcome.status, Status::failed) << outcome.reason;
  expect_all_accounted_for(outcome);
  EXPECT_EQ(outcome.losses->lost, outcome.count);
}

TEST(Flood, FailsOnOtherContent) {
  const Outcome outcome = run(row<Faulty<Faults{100, 100, 100, 100, 42}>>(), "flood", 1000, 64);
  EXPECT_EQ(outcome.status, Status::failed);
  EXPECT_NE(outcome.reason.find("arrived with other content"), std::string::npos) << outcome.reason;
}

TEST(Flood, OverrunsASmallBuffer) {
  const Outcome outcome = run(row<Overrun>(Overrun::facts, Overrun::v4), "flood", 20000, 64);
  ASSERT_NE(outcome.status, Status::failed) << outcome.reason;
  expect_all_accounted_for(outcome);
  EXPECT_GT(outcome.losses->lost, 0u);
  EXPECT_EQ(outcome.losses->duplicates, 0u);
}

TEST(PingPong, AsksAgain) {
  const Outcome outcome = run(row<Faulty<Faults{50, 7, 20, 50, 50}>>(), "ping_pong", 200, 64);
  ASSERT_NE(outcome.status, Status::failed) << outcome.reason;
  ASSERT_TRUE(outcome.losses);
  EXPECT_GT(outcome.losses->lost, 0u);
  EXPECT_GT(outcome.losses->duplicates, 0u);
  EXPECT_EQ(outcome.losses->reordered, 0u);
  EXPECT_EQ(outcome.histogram->count(), outcome.count);
}

TEST(Verify, SaysWhatWasLost) {
  const Outcome lossy = run(row<Faulty<Faults{100, 3, 5, 7, 100}>>(), "verify", 0, 64);
  EXPECT_EQ(lossy.status, Status::suspect) << lossy.reason;
  EXPECT_NE(lossy.reason.find("messages were lost"), std::string::npos) << lossy.reason;
  const Outcome sound = run(row<Faulty<Faults{1, 1, 1, 1, 1}>>(), "verify", 0, 64);
  EXPECT_EQ(sound.status, Status::ok) << sound.reason;
  ASSERT_TRUE(sound.losses);
  EXPECT_EQ(sound.losses->lost, 0u);
  const Outcome broken = run(row<Faulty<Faults{100, 100, 100, 100, 42}>>(), "verify", 0, 64);
  EXPECT_EQ(broken.status, Status::failed);
}

}  // namespace
}  // namespace ipcbench
