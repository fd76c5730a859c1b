#include "harness/plan.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "harness/text.h"

namespace ipcbench {
namespace {

const Place unpinned{.name = "none", .cpus = {-1, -1}, .impossible = ""};

Selection small() {
  Selection selection;
  selection.transports = {"pipe", "tcp"};
  selection.scenarios = {"ping_pong", "flood"};
  selection.sizes = {64, 4096};
  selection.places = {unpinned};
  selection.repeats = 5;
  selection.seed = 42;
  return selection;
}

std::vector<std::pair<std::size_t, int>> order_of(const Plan& plan) {
  std::vector<std::pair<std::size_t, int>> order;
  for (const PlannedRun& run : plan.order) order.emplace_back(run.cell, run.repeat);
  return order;
}

std::vector<std::string> keys_of(const Plan& plan) {
  std::vector<std::string> keys;
  for (const PlannedCell& cell : plan.cells) keys.push_back(cell.key());
  return keys;
}

TEST(Plan, IsTheProductOfWhatIsAskedFor) {
  EXPECT_EQ(keys_of(make_plan(small())),
            std::vector<std::string>(
                {"ping_pong/pipe/size:64/place:none", "ping_pong/pipe/size:4096/place:none",
                 "flood/pipe/size:64/place:none", "flood/pipe/size:4096/place:none",
                 "ping_pong/tcp/size:64/place:none", "ping_pong/tcp/size:4096/place:none",
                 "flood/tcp/size:64/place:none", "flood/tcp/size:4096/place:none"}));
}

TEST(Plan, ASeedAlwaysGivesTheSameOrder) {
  EXPECT_EQ(order_of(make_plan(small())), order_of(make_plan(small())));
  Selection other = small();
  other.seed = 43;
  EXPECT_NE(order_of(make_plan(small())), order_of(make_plan(other)));
  // A recorded order must be the same with every standard library and for ever.
  Selection known = small();
  known.repeats = 2;
  EXPECT_EQ(order_of(make_plan(known)), (std::vector<std::pair<std::size_t, int>>{{7, 1},
                                                                                  {0, 1},
                                                                                  {5, 1},
                                                                                  {1, 1},
                                                                                  {2, 1},
                                                                                  {4, 1},
                                                                                  {3, 1},
                                                                                  {6, 1},
                                                                                  {4, 2},
                                                                                  {1, 2},
                                                                                  {3, 2},
                                                                                  {5, 2},
                                                                                  {6, 2},
                                                                                  {0, 2},
                                                                                  {2, 2},
                                                                                  {7, 2}}));
}

TEST(Plan, EveryRoundRunsEveryCellOnce) {
  const Plan plan = make_plan(small());
  ASSERT_EQ(plan.order.size(), 5 * plan.cells.size());
  std::set<std::vector<std::size_t>> rounds;
  for (std::size_t round = 0; round < 5; ++round) {
    std::vector<std::size_t> cells;
    for (std::size_t i = 0; i < plan.cells.size(); ++i) {
      const PlannedRun& run = plan.order[round * plan.cells.size() + i];
      EXPECT_EQ(run.repeat, static_cast<int>(round) + 1);
      cells.push_back(run.cell);
    }
    rounds.insert(cells);
    std::sort(cells.begin(), cells.end());
    for (std::size_t i = 0; i < cells.size(); ++i) EXPECT_EQ(cells[i], i);
  }
  EXPECT_EQ(rounds.size(), 5U) << "each round is shuffled anew";
}

TEST(Plan, KeysHoldWhatWasMeasuredAndNoCounts) {
  PlannedCell cell{.transport = "pipe",
                   .scenario = "ping_pong",
                   .size = 64,
                   .mix = {},
                   .place = {.name = "cross-core", .cpus = {2, 3}, .impossible = ""},
                   .manner = {},
                   .load = {},
                   .skipped = ""};
  EXPECT_EQ(cell.key(), "ping_pong/pipe/size:64/place:cross-core");
  cell.size.reset();
  EXPECT_EQ(cell.key(), "ping_pong/pipe/place:cross-core");
  cell.manner = {.waiting = Waiting::poll, .start = Start::exec, .producers = 4, .consumers = 2};
  EXPECT_EQ(cell.key(), "ping_pong/pipe/place:cross-core/wait:poll/start:exec/peers:4x2");
  cell.manner = {.peer = Peer::kernel};
  EXPECT_EQ(cell.key(), "ping_pong/pipe/place:cross-core/peer:kernel");
  cell.manner = {};
  Selection selection = small();
  const std::vector<std::string> keys = keys_of(make_plan(selection));
  selection.repeats = 7;
  selection.seed = 9;
  selection.min_time_ns = 1;
  EXPECT_EQ(keys_of(make_plan(selection)), keys);
}

TEST(Plan, WhatCannotRunIsSkippedWithItsReason) {
  Selection selection = small();
  selection.transports = {"posix_mq", "pipe"};
  selection.scenarios = {"flood"};
  selection.sizes = {64, 16 << 20};
  selection.places = {unpinned, {.name = "far", .cpus = {-1, -1}, .impossible = "needs two suns"}};
  const Plan plan = make_plan(selection);
  std::set<std::size_t> due;
  for (const PlannedRun& run : plan.order) due.insert(run.cell);
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const PlannedCell& cell = plan.cells[i];
    EXPECT_EQ(due.contains(i), cell.skipped.empty()) << cell.key();
    const std::string expected = cell.place.name == "far" ? "needs two suns"
                                 : cell.transport == "posix_mq" && cell.size != 64U
                                     ? "16777216 bytes; it takes "
                                     : "";
    EXPECT_EQ(cell.skipped.substr(0, expected.size()), expected) << cell.key();
    EXPECT_EQ(cell.skipped.empty(), expected.empty()) << cell.skipped;
  }
}

TEST(Plan, TheKernelIsAPeerWhereATransportHasIt) {
  Selection selection = small();
  selection.transports = {"pipe", "kmod_chardev", "kmod_ioctl.call"};
  selection.scenarios = {"ping_pong"};
  selection.sizes = {64};
  selection.other_ends = {Peer::process, Peer::kernel};
  const Plan plan = make_plan(selection);
  EXPECT_EQ(keys_of(plan),
            std::vector<std::string>({"ping_pong/pipe/size:64/place:none",
                                      "ping_pong/pipe/size:64/place:none/peer:kernel",
                                      "ping_pong/kmod_chardev/size:64/place:none",
                                      "ping_pong/kmod_chardev/size:64/place:none/peer:kernel",
                                      "ping_pong/kmod_ioctl.call/size:64/place:none/peer:kernel"}))
      << "who can only be answered by the kernel is, whatever is asked for";
  EXPECT_EQ(plan.cells[1].skipped, "the kernel is none of its ends");
  EXPECT_EQ(plan.cells[0].skipped, "");
  selection.other_ends = {Peer::source};
  EXPECT_EQ(make_plan(selection).cells.at(0).skipped, "the kernel is none of its ends");
}

TEST(Plan, WhatTheTypesRuleOutIsNoCell) {
  Selection selection = small();
  selection.scenarios = {"contend"};
  EXPECT_TRUE(make_plan(selection).cells.empty());
  EXPECT_EQ(misfit(*find_row("pipe"), find_scenario("ping_pong").value(), {}, Start::launch),
            "--start launch: its library has no launcher");
  EXPECT_EQ(misfit(*find_row("pipe"), find_scenario("contend").value(), {}),
            "contend needs a lock");
  for (const char* channel : {"pipe", "udp", "shm_posix.spin", "posix_mq"})
    EXPECT_NE(find_row(channel)->cells[find_scenario("flood").value()], nullptr) << channel;
}

TEST(Plan, AFilterChoosesByKey) {
  Selection selection = small();
  selection.filter = "flood/.*size:64/";
  EXPECT_EQ(
      keys_of(make_plan(selection)),
      std::vector<std::string>({"flood/pipe/size:64/place:none", "flood/tcp/size:64/place:none"}));
  selection.filter = "(((.*)*)*)*x";  // would take for ever where it is tried out
  EXPECT_TRUE(make_plan(selection).cells.empty());
  for (const std::string& filter : {std::string("(["), std::string("a{99999}"),
                                    std::string(10'000, '(') + std::string(10'000, ')')}) {
    selection.filter = filter;
    EXPECT_THROW(make_plan(selection), UsageError) << filter.substr(0, 40);
  }
}

TEST(Plan, NamesAndGlobsAndStemsTakeRows) {
  EXPECT_EQ(match_rows("pipe").size(), 1U) << "though it has variants";
  EXPECT_GT(match_rows("pipe*").size(), 1U);
  EXPECT_EQ(match_rows("*").size(), all_rows().size());
  EXPECT_EQ(match_rows("shm_posix.*").size(), match_rows("shm_posix").size());
  EXPECT_GT(match_rows("shm_posix").size(), 1U);
  EXPECT_EQ(match_scenarios("*").size(), all_scenarios().size());
  EXPECT_THROW(match_rows("pipes"), UsageError);
  EXPECT_THROW(match_scenarios(""), UsageError);
}

TEST(Plan, SurvivesAResultsFile) {
  Selection selection = small();
  selection.transports = {"posix_mq", "pipe", "eventfd"};
  selection.scenarios = {"*"};
  selection.sizes = {64, 16 << 20};
  selection.places = {{.name = "pin:0,1", .cpus = {0, 1}, .impossible = ""}};
  selection.seed = UINT64_MAX;
  selection.count = 1'000'000'000'000;
  const Plan plan = make_plan(selection);
  const nlohmann::ordered_json json = to_json(plan);
  const Plan again = plan_from_json(nlohmann::ordered_json::parse(json.dump()));
  EXPECT_EQ(to_json(again), json);
  EXPECT_EQ(order_of(again), order_of(plan));
  EXPECT_EQ(keys_of(again), keys_of(plan));
  EXPECT_EQ(again.seed, UINT64_MAX);
  EXPECT_EQ(again.cells[0].place.cpus, plan.cells[0].place.cpus);
}

}  // namespace
}  // namespace ipcbench
