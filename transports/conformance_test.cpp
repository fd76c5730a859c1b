// Every transport passes these, in every scenario and every manner that fits it: nothing is listed
// here by name.
#include <algorithm>
#include <filesystem>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "harness/driver.h"
#include "harness/leftovers_test.h"
#include "harness/plan.h"
#include "transports/rows_test.h"

namespace ipcbench {
namespace {

class Conformance : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    if (const std::string why = why_unavailable(row()); !why.empty()) GTEST_SKIP() << why;
    before_ = Leftovers::now();
    directory_.emplace();
  }
  void TearDown() override {
    if (!directory_) return;  // skipped
    EXPECT_TRUE(std::filesystem::is_empty(directory_->path()));
    directory_.reset();
    EXPECT_EQ(Leftovers::now().text(), before_.text());
  }

  const Row& row() const { return all_rows()[GetParam()]; }

  /// The scenarios that the row's types fit.
  std::vector<std::size_t> scenarios() const {
    std::vector<std::size_t> fitting;
    for (std::size_t i = 0; i < row().cells.size(); ++i)
      if (row().cells[i] != nullptr) fitting.push_back(i);
    return fitting;
  }

  std::string why_not(std::size_t scenario, std::size_t size, const Manner& manner) const {
    const auto [producers, consumers] = shared_by(all_scenarios()[scenario], manner);
    return misfit(row(), scenario,
                  {.size = size,
                   .shares_core = producers > 1 || consumers > 1,
                   .waiting = manner.waiting,
                   .producers = producers,
                   .consumers = consumers,
                   .variant = row().variant},
                  manner.start);
  }

  Outcome run(std::size_t scenario, const Params& wanted) {
    // As many messages as fit into this time: an end that spins without a core of its own takes
    // some milliseconds for each.
    Params params = wanted;
    params.min_time_ns = 2'000'000;
    params.warmup_ns = 100'000;
    params.load.gap_ns = 100'000;
    params.tick_rate = tick_rate();
    Interrupts interrupts;
    return execute(row(), scenario, params, *directory_, interrupts);
  }

  /// Returns why not, where a module's runner says so: its manifest doesn't know of the machine.
  std::string expect_runs(std::size_t scenario, std::size_t size, const Manner& manner = {},
                          int times = 1) {
    std::string why_not;
    expect_runs(scenario, size, manner, times, why_not);
    return why_not;
  }
  void expect_runs(std::size_t scenario, std::size_t size, const Manner& manner, int times,
                   std::string& why_not) {
    const ScenarioFacts& facts = all_scenarios()[scenario];
    SCOPED_TRACE(fmt::format("{}, {} bytes {}", facts.name, size, fmt::join(manner.words(), " ")));
    for (int time = 0; time < times; ++time) {
      Params params;
      params.size = size;
      params.manner = manner;
      params.timeout_ns = 60'000'000'000;
      const Outcome outcome = run(scenario, params);
      if (outcome.status == Status::skipped && row().module != nullptr) {
        why_not = outcome.reason;
        return;
      }
      ASSERT_TRUE(outcome.status == Status::ok || outcome.status == Status::suspect)
          << outcome.reason;
      EXPECT_GT(outcome.count, 0u);
      if (manner.is_mailbox()) expect_all_received(outcome, manner);
      // Where several take from one object, one of them may get all.
      const bool are_rivals = !facts.rivals.empty() && outcome.ends.size() > 2;
      if (facts.name == "contend" || are_rivals) continue;
      for (const EndOutcome& end : outcome.ends) EXPECT_GT(end.count, 0u) << end.role;
    }
  }

  /// The consumers have received as many as the producers have sent; the scenario itself proves
  /// that they were the same ones (mailbox_test.cpp).
  static void expect_all_received(const Outcome& outcome, const Manner& manner) {
    EXPECT_EQ(outcome.ends.size(), std::size_t(manner.producers + manner.consumers));
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    for (const EndOutcome& end : outcome.ends)
      (end.role.starts_with("producer") ? sent : received) += end.count;
    EXPECT_EQ(sent, outcome.count);
    EXPECT_EQ(received, outcome.count);
  }

  /// Every scenario in one manner; what is sent is looked at in two sizes.
  void expect_runs_in(const Manner& manner) {
    int runs = 0;
    std::string why;
    for (const std::size_t scenario : scenarios())
      for (const std::size_t size : {8, 4096}) {
        if (size > 8 && (!is_sized(scenario) || all_scenarios()[scenario].name != "verify")) break;
        std::string why_not_this = why_not(scenario, size, manner);
        if (why_not_this.empty()) why_not_this = expect_runs(scenario, size, manner);
        if (why_not_this.empty())
          ++runs;
        else
          why = why_not_this;
      }
    if (runs == 0) GTEST_SKIP() << why;
  }

  std::vector<std::size_t> sizes_for(std::size_t scenario) const {
    // What makes many links and processes takes its time, and looks at no size in particular.
    if (all_scenarios()[scenario].only_forks && is_sized(scenario)) return {8};
#ifdef IPCBENCH_SANITIZED
    // Most sizes take the same code, and with all of them a row took ten seconds: here only the
    // scenario that checks every byte has some.
    if (all_scenarios()[scenario].name == "verify") return {1, 7, 4097, 65536};
    return {is_sized(scenario) ? std::size_t{8} : std::size_t{1}};
#endif
    return {1, 2, 7, 8, 64, 4095, 4097, 65536, 1 << 20};
  }

  bool is_sized(std::size_t scenario) const {
    return all_scenarios()[scenario].sized && row().facts.boundary != Boundary::none;
  }

 private:
  static std::pair<int, int> shared_by(const ScenarioFacts& scenario, const Manner& manner) {
    if (scenario.shareable) return {manner.producers, manner.consumers};
    const auto crowd = static_cast<int>(Load{}.crowd);
    const auto [producers, consumers] = scenario.shared_by;
    return {producers == 0 ? crowd : producers, consumers == 0 ? crowd : consumers};
  }

  static TickRate tick_rate() {
    static const TickRate rate = measure_tick_rate();
    return rate;
  }

  std::optional<RunDirectory> directory_;
  Leftovers before_;
};

TEST_P(Conformance, DeliversEverySize) {
  for (const std::size_t scenario : scenarios()) {
    int runs = 0;
    for (const std::size_t size : sizes_for(scenario)) {
      if ((size > 1 && !is_sized(scenario)) || !why_not(scenario, size, {}).empty()) continue;
      // Twice in a row in one: the second run finds everything as the first one left it.
      const bool is_again = runs == 0 && !all_scenarios()[scenario].only_forks;
      if (expect_runs(scenario, size, {}, is_again ? 2 : 1).empty()) ++runs;
    }
    EXPECT_GT(runs, 0) << all_scenarios()[scenario].name;
  }
}

TEST_P(Conformance, Polls) {
  expect_runs_in({.waiting = Waiting::poll});
}

TEST_P(Conformance, Spins) {
  expect_runs_in({.waiting = Waiting::spin});
}

TEST_P(Conformance, StartsAsTwoPrograms) {
  expect_runs_in({.start = Start::exec});
}

TEST_P(Conformance, StartsAsTwoProgramsThatPoll) {
  expect_runs_in({.waiting = Waiting::poll, .start = Start::exec});
}

TEST_P(Conformance, IsStartedByItsLauncher) {
  expect_runs_in({.start = Start::launch});
}

TEST_P(Conformance, IsAMailboxWhereTheFactsSaySo) {
  const std::size_t flood = find_scenario("flood").value();
  if (row().cells[flood] == nullptr) GTEST_SKIP() << why_not(flood, 64, {});
  for (const Manner& manner :
       {Manner{.producers = 2, .consumers = 2}, Manner{.producers = 4, .consumers = 1},
        Manner{.producers = 1, .consumers = 3}}) {
    const Peers peers = row().facts.peers;
    const bool is_possible =
        peers == Peers::many_to_many || (peers == Peers::many_to_one && manner.consumers == 1);
    const std::size_t size = std::min<std::size_t>(64, row().message_max().value_or(64));
    const std::string why = why_not(flood, size, manner);
    EXPECT_EQ(why.empty(), is_possible) << fmt::format("{}: {}", manner.words().front(), why);
    if (why.empty()) {
      EXPECT_EQ(expect_runs(flood, size, manner), "");
    }
  }
}

TEST_P(Conformance, ARunThatIsGivenUpSaysWhereItWasAndLeavesNothing) {
  std::size_t scenario = scenarios().front();
  while (row().cells[scenario] == nullptr || all_scenarios()[scenario].only_forks) ++scenario;
  Params params;
  params.size = std::min<std::size_t>(64, row().message_max().value_or(64));
  const Outcome sound = run(scenario, params);
  ASSERT_NE(sound.status, Status::failed) << sound.reason;
  const std::string& role = sound.ends.front().role;
  fmt::format("{}:measuring", role).copy(params.stop_at, sizeof params.stop_at - 1);
  const std::string there = role + " measuring, at message ";
  // A busy machine may not get that far in the shortest time.
  Outcome outcome;
  for (const int patience_ms : {100, 1'000, 10'000}) {
    params.timeout_ns = patience_ms * std::int64_t{1'000'000};
    outcome = run(scenario, params);
    ASSERT_EQ(outcome.status, Status::failed);
    EXPECT_TRUE(
        outcome.reason.starts_with(fmt::format("not done after {:.3g} s (", patience_ms / 1e3)))
        << outcome.reason;
    if (outcome.reason.find(there) != std::string::npos) break;
  }
  EXPECT_NE(outcome.reason.find(there), std::string::npos) << outcome.reason;
}

INSTANTIATE_TEST_SUITE_P(All, Conformance, every_row(), row_name);

TEST(Table, EveryTransportHasItsOwnNameAndFitsSomething) {
  std::set<std::string_view> names;
  for (const Row& row : all_rows()) {
    EXPECT_TRUE(names.insert(row.facts.name).second) << row.facts.name;
    EXPECT_FALSE(row.facts.summary.empty()) << row.facts.name;
    int cells = 0;
    for (const auto cell : row.cells) cells += cell == nullptr ? 0 : 1;
    EXPECT_GT(cells, 0) << row.facts.name;
  }
}

/// Whether this build has been configured without the transport that the row is one of.
bool is_left_out(std::string_view row) {
  constexpr std::string_view left_out = "," IPCBENCH_LEFT_OUT ",";
  return left_out.find(fmt::format(",{},", row.substr(0, row.find('.')))) != left_out.npos;
}

TEST(Table, WhatALibraryIsCarriedByIsThere) {
  std::set<std::string_view> unseen;
  for (const Row& row : all_rows()) {
    const std::string_view carrier = row.facts.carrier;
    if (row.module != nullptr && row.facts.family != Family::file) {
      EXPECT_FALSE(carrier.empty()) << row.facts.name;
    }
    if (carrier.empty() || find_row(carrier) != nullptr) continue;
    EXPECT_TRUE(is_left_out(carrier)) << row.facts.name << ": " << carrier;
    unseen.insert(carrier);
  }
  if (!HasFailure() && !unseen.empty())
    GTEST_SKIP() << fmt::format("left out of this build: {}", fmt::join(unseen, ", "));
}

TEST(Table, WhatCarriesNoBytesIsNoChannel) {
  const std::size_t ping_pong = find_scenario("ping_pong").value();
  for (const Row& row : all_rows())
    EXPECT_EQ(row.cells[ping_pong] == nullptr, row.facts.boundary == Boundary::none)
        << row.facts.name;
}

}  // namespace
}  // namespace ipcbench
