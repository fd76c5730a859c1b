// The probe shows every fact of every transport and contradicts none; and it finds out transports
// whose Facts are wrong.
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include <gtest/gtest.h>

#include "harness/commands.h"
#include "harness/probe.h"
#include "scenarios/matrix.h"
#include "transports/socket.h"

namespace ipcbench {
namespace {

std::vector<const Row*> rows_of(Family family) {
  std::vector<const Row*> rows;
  for (const Row& row : all_rows())
    if (row.facts.family == family && !row.links.empty()) rows.push_back(&row);
  return rows;
}

class EveryFact : public testing::TestWithParam<Family> {};

TEST_P(EveryFact, IsShownAndNotContradicted) {
  const ProbeResult result = probe_all(rows_of(GetParam()), [](const Probed&) {});
  EXPECT_EQ(result.signal, 0);
  EXPECT_FALSE(result.all.empty());
  for (const Probed& one : result.all) {
    if (!one.unavailable.empty()) continue;
    EXPECT_EQ(one.proofs.size(), probe_facts().size()) << one.row->facts.name;
    for (const Proof& proof : one.proofs) {
      SCOPED_TRACE(fmt::format("{}: {}", one.row->facts.name, proof.fact));
      EXPECT_NE(proof.verdict, Verdict::contradicted) << proof.value << ": " << proof.how;
      EXPECT_NE(proof.value, "?") << proof.how;
      EXPECT_NE(proof.value, "");
      EXPECT_NE(proof.how, "");
    }
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // no child is left
  EXPECT_TRUE(std::filesystem::is_empty(temporary_directory()));
}

INSTANTIATE_TEST_SUITE_P(All, EveryFact,
                         testing::Values(Family::pipe, Family::socket, Family::queue, Family::file,
                                         Family::shm, Family::process, Family::signal, Family::sync,
                                         Family::rpc),
                         [](const auto& family) {
                           const std::string words(text(family.param));
                           return words.substr(0, words.find(' ')) +
                                  (family.param == Family::shm ? "_memory" : "");
                         });

Proof boundary_of(const std::string& name) {
  const RunDirectory directory;
  for (const Row& row : all_rows())
    if (row.facts.name == name) return probe("boundary", row, directory);
  throw std::logic_error("no row " + name);
}

TEST(Boundary, DatagramSocketsKeepItAndStreamSocketsDoNot) {
  for (const char* name : {"unix_dgram", "unix_dgram.abstract", "unix_dgram.pair", "unix_seqpacket",
                           "udp", "udp.v6", "udplite", "netlink"}) {
    const Proof proof = boundary_of(name);
    EXPECT_EQ(proof.value, "message") << name;
    EXPECT_EQ(proof.verdict, Verdict::proved) << name << ": " << proof.how;
  }
  for (const char* name : {"unix_stream", "unix_stream.abstract", "unix_stream.pair", "tcp",
                           "tcp.v6", "mptcp", "pipe", "fifo"}) {
    const Proof proof = boundary_of(name);
    EXPECT_EQ(proof.value, "byte stream") << name;
    EXPECT_EQ(proof.verdict, Verdict::proved) << name << ": " << proof.how;
  }
}

/// What is true of a socketpair of datagrams.
constexpr Facts truth{.name = "liar",
                      .summary = "a transport of the tests",
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

/// A pair of sockets whose Facts may be wrong.
template <class End, int type>
class Pair {
 public:
  static constexpr Facts facts = truth;
  explicit Pair(const Shape& shape) : waiting_(shape.waiting) {
    int fds[2];
    check(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), "socketpair");
    producer_ = Fd(fds[0]);
    consumer_ = Fd(fds[1]);
  }
  End producer() { return open(producer_, consumer_); }
  End consumer() { return open(consumer_, producer_); }

 protected:
  Waiting waiting_;

 private:
  End open(Fd& ours, Fd& theirs) {
    theirs.close();
    End end;
    end.fd = Waitable(std::move(ours), waiting_);
    return end;
  }
  Fd producer_;
  Fd consumer_;
};
using Datagrams = Pair<MessageEnd, SOCK_DGRAM>;
using Stream = Pair<StreamEnd, SOCK_STREAM>;

/// A socket without a name among those that claim to have one.
template <class T>
struct Claiming : T {
  struct Variant {};
  using T::T;
};

/// What the probe says of a fact, where these are claimed.
template <class T>
Proof probed(std::string_view fact, Facts claimed) {
  static constexpr typename Claiming<T>::Variant variant{};
  const Row liar = row<Claiming<T>>(claimed, variant);
  const RunDirectory directory;
  Proof proof = probe(fact, liar, directory);
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  return proof;
}

/// The boundary is a part of the type: it decides how an end is lent its buffer.
template <class T, Boundary claimed>
struct Bounded : T {
  static constexpr Facts facts = [] {
    Facts result = truth;
    result.boundary = claimed;
    return result;
  }();
  using T::T;
};

template <class T>
Proof probed_itself(std::string_view fact) {
  const Row liar = row<T>();
  const RunDirectory directory;
  return probe(fact, liar, directory);
}

void expect_contradiction(const Proof& proof, std::string_view seen) {
  EXPECT_EQ(proof.verdict, Verdict::contradicted) << proof.value << ": " << proof.how;
  EXPECT_EQ(proof.value.substr(0, seen.size()), seen) << proof.how;
}

TEST(Probe, FindsNothingWrongWithTheTruth) {
  const Row honest = row<Datagrams>();
  const RunDirectory directory;
  for (const std::string_view fact : {"name", "handle", "boundary", "direction", "order", "lives",
                                      "holds messages", "copies", "epoll"})
    EXPECT_EQ(probe(fact, honest, directory).verdict, Verdict::proved) << fact;
}

TEST(Probe, FindsOutAWrongBoundary) {
  expect_contradiction(probed_itself<Bounded<Stream, Boundary::message>>("boundary"),
                       "byte stream");
  expect_contradiction(probed_itself<Bounded<Datagrams, Boundary::stream>>("boundary"), "message");
}

/// Reads a datagram as often as it takes, as if it were a stream.
struct Reassembler : MessageEnd {
  std::size_t recv(Bytes buffer) {
    std::size_t got = 0;
    while (got < buffer.size()) {
      const ssize_t more = ::recv(fd.get(), buffer.data() + got, buffer.size() - got, 0);
      got += static_cast<std::size_t>(check(more, "recv"));
    }
    return got;
  }
};

TEST(Probe, FindsOutDatagramsThatPoseAsAStream) {
  using Posing = Bounded<Pair<Reassembler, SOCK_DGRAM>, Boundary::stream>;
  expect_contradiction(probed_itself<Posing>("boundary"), "the rest of a message is lost");
}

/// Sends each second message before the first.
struct Swapper : MessageEnd {
  std::vector<std::byte> kept = {};
  void send(View message) {
    std::vector<std::byte> copy(message.begin(), message.end());
    if (kept.empty()) {
      kept = std::move(copy);
      return;
    }
    MessageEnd::send(copy);
    MessageEnd::send(std::exchange(kept, {}));
  }
};
/// Loses each tenth message.
struct Loser : MessageEnd {
  int sent = 0;
  void send(View message) {
    if (++sent % 10 != 0) MessageEnd::send(message);
  }
};

TEST(Probe, FindsOutWrongOrderAndLoss) {
  expect_contradiction(probed_itself<Pair<Swapper, SOCK_DGRAM>>("order"), "a message overtook");
  expect_contradiction(probed_itself<Pair<Loser, SOCK_DGRAM>>("order"), "some lost");
}

/// Blocks whatever it is asked for.
struct Blocking : Datagrams {
  explicit Blocking(const Shape& shape) : Datagrams(shape) { waiting_ = Waiting::block; }
};
/// Looks again and again.
struct Spinning : Datagrams {
  explicit Spinning(const Shape& shape) : Datagrams(shape) { waiting_ = Waiting::spin; }
};

TEST(Probe, FindsOutWhatDoesNotWaitInEpoll) {
  expect_contradiction(probed_itself<Blocking>("epoll"), "no: it waits in another call");
  expect_contradiction(probed_itself<Spinning>("epoll"), "no: it waits in another call");
}

TEST(Probe, FindsOutWrongClaimsOfNameHandleLifeAndCopies) {
  Facts named = truth;
  named.naming = Naming::pathname;
  expect_contradiction(probed<Datagrams>("name", named), "pathname");

  Facts in_memory = truth;
  in_memory.handle = Handle::memory;
  expect_contradiction(probed<Datagrams>("handle", in_memory), "memory");

  Facts lasting = truth;
  lasting.persistence = Persistence::kernel;
  expect_contradiction(probed<Datagrams>("lives", lasting), "process");

  Facts without_copies = truth;
  without_copies.copies = 0;
  expect_contradiction(probed<Datagrams>("copies", without_copies), "≥ 1, at the send");
}

/// Says that messages have at most 100 bytes.
struct Modest : Datagrams {
  static std::size_t message_max() { return 100; }
  using Datagrams::Datagrams;
};

TEST(Probe, FindsOutAWrongLimit) {
  expect_contradiction(probed_itself<Modest>("largest"), "100 B");
  expect_contradiction(probed_itself<Datagrams>("largest"), "less than 4 MiB");
}

/// Sends half of a message, and then the other half.
struct Halver : StreamEnd {
  void send(View message) {
    StreamEnd::send(message.first(message.size() / 2));
    ::sched_yield();
    StreamEnd::send(message.subspan(message.size() / 2));
  }
};

TEST(Probe, FindsOutWritesThatAreNotAtomic) {
  Facts shared = truth;
  shared.boundary = Boundary::stream;
  shared.peers = Peers::many_to_one;
  expect_contradiction(
      probed<Bounded<Pair<Halver, SOCK_STREAM>, Boundary::stream>>("atomic", shared),
      "4 KiB mixed");
}

struct Failing : MessageEnd {
  void send(View) { throw std::runtime_error("it can't"); }
};
struct Crashing : MessageEnd {
  void send(View) { std::abort(); }
};

TEST(Probe, TellsWhyATransportFails) {
  expect_contradiction(probed_itself<Pair<Failing, SOCK_DGRAM>>("order"), "it can't");
  expect_contradiction(probed_itself<Pair<Crashing, SOCK_DGRAM>>("order"), "signal 6");
}

TEST(ProbeCommand, ExitsWith3WhereAFactIsContradicted) {
  Facts named = truth;
  named.naming = Naming::pathname;
  static constexpr Claiming<Datagrams>::Variant variant{};
  const Row liar = row<Claiming<Datagrams>>(named, variant);
  for (const char* format : {"text", "md", "json"}) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    EXPECT_EQ(probe_rows({&liar}, format), exit_failed);
    EXPECT_NE(testing::internal::GetCapturedStdout().find(
                  format == std::string_view("json") ? "contradicted" : "✗ "),
              std::string::npos);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("was contradicted (✗)"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace ipcbench
