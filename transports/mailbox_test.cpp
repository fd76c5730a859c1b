// A mailbox gives every message to one consumer, and the scenario notices one that doesn't: seen
// with mailboxes that lose, repeat, swap and corrupt a message.
#include <sys/socket.h>

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "harness/driver.h"
#include "harness/leftovers_test.h"
#include "harness/plan.h"
#include "scenarios/matrix.h"

namespace ipcbench {
namespace {

enum class Fault { none, lose, repeat, swap, corrupt };

/// A datagram socket pair, which all producers and all consumers share. Each producer does one
/// thing wrong, once.
template <Fault fault>
struct Faulty {
  static constexpr Facts facts{.name = "faulty",
                               .summary = "a mailbox with a fault",
                               .family = Family::socket,
                               .naming = Naming::inherited,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_many,
                               .pollable = true,
                               .copies = 2,
                               .standard = "none"};

  struct Producer {
    int fd;
    int sent = 0;
    std::vector<std::byte> kept;

    void send(View message) {
      const bool is_the_one = sent++ == 300;
      std::vector<std::byte> copy(message.begin(), message.end());
      if (is_the_one && fault == Fault::lose) return;
      if (is_the_one && fault == Fault::swap) {
        kept = std::move(copy);
        return;
      }
      // A repeated message takes the place of the one after it, so that their number is right.
      if (sent == 302 && fault == Fault::repeat) copy = std::exchange(kept, {});
      if (is_the_one && fault == Fault::repeat) kept = copy;
      if (is_the_one && fault == Fault::corrupt) copy.back() ^= std::byte{0x10};
      put(copy);
      if (sent == 302 && fault == Fault::swap) put(kept);
    }
    void put(View message) const {
      check(::send(fd, message.data(), message.size(), MSG_NOSIGNAL), "send");
    }
  };
  struct Consumer {
    int fd;
    std::size_t recv(Bytes buffer) {
      return static_cast<std::size_t>(check(::recv(fd, buffer.data(), buffer.size(), 0), "recv"));
    }
  };

  explicit Faulty(const Shape&) {
    int fds[2];
    check(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), "socketpair");
    producer_ = Fd(fds[0]);
    consumer_ = Fd(fds[1]);
  }
  Producer producer() { return {producer_.get(), 0, {}}; }
  Consumer consumer() { return {consumer_.get()}; }

 private:
  Fd producer_;
  Fd consumer_;
};

template <Fault fault>
Outcome run(int producers, int consumers, std::int64_t timeout_ns = 20'000'000'000) {
  const RunDirectory directory;
  Interrupts interrupts;
  Params params;
  params.size = 64;
  params.count = 2000;
  params.warmup_ns = 100'000;
  params.timeout_ns = timeout_ns;
  params.manner = {.producers = producers, .consumers = consumers};
  return execute(row<Faulty<fault>>(), find_scenario("flood").value(), params, directory,
                 interrupts);
}

class Mailbox : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(Leftovers::now().text(), before_.text()); }

  static void expect_failed(const Outcome& outcome, std::string_view reason) {
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_NE(outcome.reason.find(reason), std::string::npos) << outcome.reason;
  }

 private:
  const Leftovers before_ = Leftovers::now();
};

TEST_F(Mailbox, GivesEveryMessageToOneConsumer) {
  for (const auto& [producers, consumers] : {std::pair(2, 2), {5, 1}, {1, 5}, {8, 8}}) {
    const Outcome outcome = run<Fault::none>(producers, consumers);
    ASSERT_NE(outcome.status, Status::failed) << outcome.reason;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    for (const EndOutcome& end : outcome.ends)
      (end.role.starts_with("producer_") ? sent : received) += end.count;
    EXPECT_EQ(sent, outcome.count);
    EXPECT_EQ(received, outcome.count);
  }
}

TEST_F(Mailbox, AMessageThatCameTwiceIsNoticed) {
  expect_failed(run<Fault::repeat>(2, 1), "arrived out of order");
}

TEST_F(Mailbox, AMessageThatCameTwiceToDifferentConsumersIsNoticed) {
  const Outcome outcome = run<Fault::repeat>(2, 4);
  EXPECT_EQ(outcome.status, Status::failed);
  EXPECT_TRUE(outcome.reason.find("they aren't the same ones") != std::string::npos ||
              outcome.reason.find("arrived out of order") != std::string::npos)
      << outcome.reason;
}

TEST_F(Mailbox, MessagesThatChangedTheirOrderAreNoticed) {
  expect_failed(run<Fault::swap>(2, 1), "arrived out of order");
}

TEST_F(Mailbox, OtherContentIsNoticed) {
  expect_failed(run<Fault::corrupt>(2, 2), "arrived with other content");
}

TEST_F(Mailbox, ALostMessageIsWaitedForInVain) {
  expect_failed(run<Fault::lose>(2, 2, 500'000'000), "not done after 0.5 s");
}

}  // namespace
}  // namespace ipcbench
