// `ipcbench serve` and `ipcbench connect`, as two people in two terminals use them: they meet by
// name and measure; whoever is killed or interrupted, the other one ends and nothing is left.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <optional>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "harness/leftovers_test.h"
#include "harness/program_under_test.h"
#include "harness/results.h"
#include "harness/run.h"

namespace ipcbench {
namespace {

using Words = std::vector<std::string>;

bool eventually(const std::function<bool()>& question) {
  const std::int64_t deadline = monotonic_ns() + Program::deadline_ns;
  while (!question()) {
    if (monotonic_ns() > deadline) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

class Pair : public testing::Test {
 protected:
  // Nothing and nobody is left after each of these tests.
  ~Pair() override {
    EXPECT_TRUE(eventually([&] { return sandbox_.processes().empty(); }));
    EXPECT_EQ(sandbox_.leftovers(), Words());
    EXPECT_EQ(Leftovers::now().text(), before_.text());
  }

  Command serve(const std::string& transport, Words more) const {
    Words words{"serve", transport, "--name", "demo", "--warmup", "1ms"};
    words.insert(words.end(), more.begin(), more.end());
    return {words, {}, {}, ""};
  }
  static Command connect(Words more = {}) {
    Words words{"connect", "--name", "demo"};
    words.insert(words.end(), more.begin(), more.end());
    return {words, {}, {}, ""};
  }
  Command serve_for_ever(const std::string& transport) const {
    return serve(transport, {"--min-time", "600s"});
  }

  static bool is_ready(Program& server) {
    return server.wait_for("now run: ipcbench connect --name demo\n");
  }

  /// The control block of the pair, which lies in the directory that they share.
  ControlBlock& control() {
    if (control_.size() == 0) {
      const std::string path =
          fmt::format("{}/ipcbench-{}-demo/control", sandbox_.temporary(), ::getuid());
      const Fd file(check(::open(path.c_str(), O_RDWR | O_CLOEXEC), "open", path));
      control_ = Mapping(sizeof(ControlBlock), file.get());
    }
    return *reinterpret_cast<ControlBlock*>(control_.data());
  }

  /// Before another pair.
  void forget_control() { control_ = Mapping(); }

  /// What a killed `serve` can't clear away is cleared by the next command.
  void sweep_after_the_killed() const {
    EXPECT_TRUE(eventually([&] { return sandbox_.processes().empty(); }));
    EXPECT_EQ(run_program(sandbox_, {"sweep"}).status, 0);
  }

  Sandbox sandbox_;

 private:
  const Leftovers before_ = Leftovers::now();
  Mapping control_;
};

/// Each kind of name.
class PairOf : public Pair, public testing::WithParamInterface<const char*> {
 protected:
  /// Two commands whose producer has come to this phase and stays there.
  struct Stuck {
    Program server;
    std::optional<Program> client;
    Stuck(const Sandbox& sandbox, const Command& command) : server(sandbox, command) {}
  };
  std::unique_ptr<Stuck> stuck_at(Phase phase) {
    auto pair = std::make_unique<Stuck>(sandbox_, serve_for_ever(GetParam()));
    EXPECT_TRUE(is_ready(pair->server)) << pair->server.err;
    fmt::format("producer:{}", text(phase)).copy(control().params.stop_at, 47);
    pair->client.emplace(sandbox_, connect());
    EXPECT_TRUE(eventually(
        [&] { return control().ends[0].phase.load(std::memory_order_acquire) >= phase; }));
    return pair;
  }
};

TEST_P(PairOf, MeetsByNameAndConnectHasTheResults) {
  Program server(sandbox_, serve(GetParam(), {"--min-time", "10ms"}));
  ASSERT_TRUE(is_ready(server)) << server.err;
  const std::string file = sandbox_.path("x.json");
  const Finished client = run_program(sandbox_, connect({"-o", file}));
  EXPECT_EQ(client.status, 0) << client.err;
  EXPECT_TRUE(contains(client.out, GetParam())) << client.out;
  EXPECT_TRUE(contains(client.out, "start:exec")) << client.out;
  EXPECT_EQ(server.finish(), 0) << server.err;
  const Json document = Json::parse(sandbox_.read("x.json"));
  EXPECT_EQ(document["context"]["complete"], true);
  ASSERT_EQ(document["runs"].size(), 1U);
  const Json& run = document["runs"][0];
  EXPECT_TRUE(run["status"] == "ok" || run["status"] == "suspect") << run;
  EXPECT_EQ(run["key"], fmt::format("ping_pong/{}/size:64/place:none/start:exec", GetParam()));
  EXPECT_EQ(server.out, fmt::format("{}: done, {} messages measured\n",
                                    run["key"].get<std::string>(), run["count"].dump()));
  // The same name again, by people who first type `connect`.
  Program client_first(sandbox_, connect({"--json"}));
  Program second(sandbox_, serve(GetParam(), {"--count", "100"}));
  EXPECT_EQ(client_first.finish(), 0) << client_first.err;
  EXPECT_EQ(second.finish(), 0) << second.err;
  EXPECT_EQ(Json::parse(client_first.out)["runs"].size(), 1U);
}

TEST_P(PairOf, KilledServeEndsConnect) {
  for (const Phase phase : {Phase::opening, Phase::measuring}) {
    SCOPED_TRACE(text(phase));
    const auto pair = stuck_at(phase);
    pair->server.send(SIGKILL);
    EXPECT_EQ(pair->client->finish(), 3) << pair->client->err;
    EXPECT_TRUE(contains(pair->client->err, "failed: the other side is gone ("))
        << pair->client->err;
    EXPECT_TRUE(contains(pair->client->err, fmt::format("producer {}", text(phase))))
        << pair->client->err;
    EXPECT_EQ(pair->server.finish(), 128 + SIGKILL);
    sweep_after_the_killed();
    forget_control();
  }
}

TEST_P(PairOf, KilledConnectEndsServe) {
  for (const Phase phase : {Phase::opening, Phase::measuring}) {
    SCOPED_TRACE(text(phase));
    const auto pair = stuck_at(phase);
    pair->client->send(SIGKILL);
    EXPECT_EQ(pair->server.finish(), 3) << pair->server.err;
    EXPECT_TRUE(contains(pair->server.err, "ipcbench: failed: ")) << pair->server.err;
    EXPECT_EQ(pair->client->finish(), 128 + SIGKILL);
    forget_control();
  }
}

TEST_P(PairOf, AKilledEndIsNamed) {
  const auto pair = stuck_at(Phase::measuring);
  const pid_t end = control().ends[0].pid.load();
  ASSERT_GT(end, 0);
  ::kill(end, SIGKILL);
  EXPECT_EQ(pair->client->finish(), 3);
  EXPECT_TRUE(contains(pair->client->err, "failed: producer killed by signal 9 ("))
      << pair->client->err;
  EXPECT_EQ(pair->server.finish(), 3) << pair->server.err;
}

TEST_P(PairOf, SigintEndsBoth) {
  for (const bool serves : {true, false}) {
    SCOPED_TRACE(serves ? "serve" : "connect");
    const auto pair = stuck_at(Phase::measuring);
    Program& interrupted = serves ? pair->server : *pair->client;
    Program& other = serves ? *pair->client : pair->server;
    interrupted.send(SIGINT);
    EXPECT_EQ(interrupted.finish(), 130) << interrupted.err;
    EXPECT_FALSE(interrupted.was_killed) << "it ends itself";
    EXPECT_TRUE(contains(interrupted.err, "interrupted by signal 2")) << interrupted.err;
    EXPECT_EQ(other.finish(), 3) << other.err;
    forget_control();
  }
}

INSTANTIATE_TEST_SUITE_P(All, PairOf,
                         testing::Values("fifo", "unix_stream", "posix_mq", "sysv_msg",
                                         "shm_posix.futex", "tcp", "mmap_file"),
                         [](const auto& transport) {
                           std::string name(transport.param);
                           for (char& c : name)
                             if (c == '.') c = '_';
                           return name;
                         });

TEST_F(Pair, ANameInUseIsRefused) {
  Program server(sandbox_, serve_for_ever("fifo"));
  ASSERT_TRUE(is_ready(server)) << server.err;
  const Finished second = run_program(sandbox_, serve_for_ever("tcp"));
  EXPECT_EQ(second.status, 2) << second.err;
  EXPECT_TRUE(contains(second.err, "in use by a live process; choose another name")) << second.err;

  Program client(sandbox_, connect());
  EXPECT_TRUE(eventually([&] { return control().ends[0].phase.load() >= Phase::measuring; }));
  const Finished third = run_program(sandbox_, connect());
  EXPECT_EQ(third.status, 2) << third.err;
  EXPECT_TRUE(contains(third.err, "is connected already; serve another name")) << third.err;

  server.send(SIGTERM);
  EXPECT_EQ(server.finish(), 128 + SIGTERM) << server.err;
  EXPECT_EQ(client.finish(), 3) << client.err;
}

TEST_F(Pair, ANameThatNobodyServesIsUnknown) {
  const Finished client = run_program(sandbox_, connect());
  EXPECT_EQ(client.status, 2);
  EXPECT_TRUE(contains(client.err, "--name demo: nobody serves it")) << client.err;
}

TEST_F(Pair, RefusesWhatHasNoName) {
  const Finished pipe = run_program(sandbox_, serve_for_ever("pipe"));
  EXPECT_EQ(pipe.status, 2);
  EXPECT_TRUE(contains(pipe.err, "it has no name that an unrelated process could find it by"))
      << pipe.err;
  for (const char* name : {"", "a/b", "..", "a b", "\xff"}) {
    SCOPED_TRACE(name);
    for (const Words& words :
         {Words{"serve", "fifo", "--name", name}, {"connect", "--name", name}}) {
      const Finished finished = run_program(sandbox_, words);
      EXPECT_EQ(finished.status, 2);
      EXPECT_TRUE(contains(finished.err, "--name")) << finished.err;
    }
  }
}

TEST_F(Pair, AnotherVersionIsRefused) {
  Program server(sandbox_, serve_for_ever("fifo"));
  ASSERT_TRUE(is_ready(server)) << server.err;
  control().layout += 1;
  const Finished newer = run_program(sandbox_, connect());
  EXPECT_EQ(newer.status, 2);
  EXPECT_TRUE(contains(newer.err, "served by another version of ipcbench")) << newer.err;
  const std::string path =
      fmt::format("{}/ipcbench-{}-demo/control", sandbox_.temporary(), ::getuid());
  check(::truncate(path.c_str(), sizeof(ControlBlock) + 64), "truncate", path);
  const Finished larger = run_program(sandbox_, connect());
  EXPECT_EQ(larger.status, 2);
  EXPECT_TRUE(contains(larger.err, fmt::format("expected {}", sizeof(ControlBlock)))) << larger.err;
  server.send(SIGINT);
  EXPECT_EQ(server.finish(), 130) << server.err;
}

TEST_F(Pair, GivesUpAfterItsTime) {
  Program server(sandbox_, serve("tcp", {"--min-time", "600s", "--timeout", "0.2s"}));
  ASSERT_TRUE(is_ready(server)) << server.err;
  const Finished client = run_program(sandbox_, connect());
  EXPECT_EQ(client.status, 3);
  EXPECT_EQ(server.finish(), 3);
  EXPECT_TRUE(contains(client.err + server.err, "failed: not done after 0.2 s (")) << server.err;
}

}  // namespace
}  // namespace ipcbench
