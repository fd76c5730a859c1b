// Every transport passes these, in every scenario that fits it: nothing is listed here by name.
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "harness/driver.h"
#include "harness/plan.h"
#include "transports/leftovers_test.h"

namespace ipcbench {
namespace {

struct Cell {
  std::size_t row;
  std::size_t scenario;
};

std::vector<Cell> all_cells() {
  std::vector<Cell> cells;
  for (std::size_t row = 0; row < all_rows().size(); ++row)
    for (std::size_t scenario = 0; scenario < all_scenarios().size(); ++scenario)
      if (all_rows()[row].cells[scenario] != nullptr) cells.push_back({row, scenario});
  return cells;
}

std::string name_of(const Cell& cell) {
  std::string name(all_rows()[cell.row].facts.name);
  name += "_";
  name += all_scenarios()[cell.scenario].name;
  for (char& c : name)
    if (c == '.') c = '_';
  return name;
}

class Conformance : public testing::TestWithParam<Cell> {
 protected:
  const Row& row() const { return all_rows()[GetParam().row]; }

  Outcome run(std::size_t size) {
    Params params;
    params.size = size;
    params.count = std::clamp<std::size_t>((64 << 20) / size, 50, 500);  // a pty takes 10 ms a MiB
    params.warmup_ns = 100'000;
    params.tick_rate = rate_;
    Interrupts interrupts;
    return execute(row(), GetParam().scenario, params, directory_, interrupts);
  }

  RunDirectory directory_;
  TickRate rate_ = measure_tick_rate();
};

TEST_P(Conformance, DeliversEverySizeAndLeavesNothing) {
  const ScenarioFacts& scenario = all_scenarios()[GetParam().scenario];
  if (const std::string why = row().unavailable(); !why.empty()) GTEST_SKIP() << why;
  const Leftovers before = Leftovers::now();
  int runs = 0;
  for (const std::size_t size : {1, 2, 7, 64, 4095, 4097, 65536, 1 << 20}) {
    const std::string why_not =
        misfit(row(), GetParam().scenario, {.size = size, .shares_core = false});
    if (!why_not.empty()) continue;
    if (size > 1 && (!scenario.sized || row().facts.boundary == Boundary::none)) break;
    const Outcome outcome = run(size);
    EXPECT_TRUE(outcome.status == Status::ok || outcome.status == Status::suspect)
        << size << " bytes: " << outcome.reason;
    EXPECT_GT(outcome.count, 0u);
    if (scenario.name != "contend") {  // where one side may get all
      for (const EndOutcome& end : outcome.ends) EXPECT_GT(end.count, 0u) << end.role;
    }
    ++runs;
  }
  EXPECT_GT(runs, 0);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // no child is left
  EXPECT_EQ(errno, ECHILD);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
  EXPECT_EQ(Leftovers::now().text(), before.text());
}

TEST_P(Conformance, RunsTwiceInARow) {
  if (const std::string why = row().unavailable(); !why.empty()) GTEST_SKIP() << why;
  const std::size_t size = std::min<std::size_t>(64, row().message_max().value_or(64));
  for (int repeat = 0; repeat < 2; ++repeat) EXPECT_NE(run(size).status, Status::failed);
}

INSTANTIATE_TEST_SUITE_P(All, Conformance, testing::ValuesIn(all_cells()),
                         [](const auto& cell) { return name_of(cell.param); });

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

TEST(Table, WhatCarriesNoBytesIsNoChannel) {
  const std::size_t ping_pong = find_scenario("ping_pong").value();
  for (const Row& row : all_rows())
    EXPECT_EQ(row.cells[ping_pong] == nullptr, row.facts.boundary == Boundary::none)
        << row.facts.name;
}

}  // namespace
}  // namespace ipcbench
