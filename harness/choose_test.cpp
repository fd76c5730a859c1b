#include "harness/choose.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "harness/program_under_test.h"
#include "harness/results_for_test.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

/// pipe blocks, shm_posix.spin burns two processors, unix_seqpacket keeps boundaries.
ResultsFile candidates() {
  ResultsFile file{.path = "a.json", .context = Json::object(), .runs = {}};
  add_trips(file, "pipe", 40'000, 10'000);
  add_trips(file, "unix_seqpacket", 60'000, 12'000);
  add_trips(file, "shm_posix.spin", 300, 300);
  add_trips(file, "tcp", 70'000, 9'000, 4096);
  add_flood(file, "pipe", 3e6);
  add_flood(file, "unix_seqpacket", 1e6);
  add_flood(file, "shm_posix.spin", 5e7);
  add_flood(file, "tcp", 5e5, 4096);
  add_unmeasured(file, "fifo", "ping_pong", Status::failed, "it broke");
  add_trips(file, "memcpy", 20, 10);
  return file;
}

std::vector<std::string> ranked(const Choice& choice) {
  std::vector<std::string> labels;
  for (const Candidate& one : choice.ranked) labels.push_back(one.label);
  return labels;
}

std::string why(const Choice& choice, const std::string& label) {
  for (const RuledOut& one : choice.ruled_out)
    if (one.label == label) return one.reason;
  return "";
}

Choice choose_of(const ResultsFile& file, const Wanted& wanted) {
  static std::vector<CellSummary> cells;  // outlives the choice
  cells = summarise(file);
  return choose(cells, wanted);
}

using Labels = std::vector<std::string>;

TEST(Choose, RanksWhatQualifiesAndMarksTheFront) {
  const Choice choice = choose_of(candidates(), {});
  EXPECT_EQ(ranked(choice), (Labels{"shm_posix.spin", "pipe", "unix_seqpacket", "tcp"}));
  EXPECT_EQ(choice.by, "p99");
  EXPECT_TRUE(choice.ranked[0].is_on_front);
  EXPECT_FALSE(choice.ranked[1].is_on_front) << "spin is faster, and takes less for each message";
  EXPECT_TRUE(why(choice, "memcpy").starts_with("a roofline"));
  EXPECT_EQ(why(choice, "fifo"), "ping_pong at 64 B failed: it broke");
  EXPECT_EQ(why(choice, "eventfd"), "carries no bytes");
  EXPECT_EQ(choice.ranked.size() + choice.ruled_out.size(), all_rows().size())
      << "each one is told about, once";
}

TEST(Choose, ALargerSizeStandsForASmallerOne) {
  const Choice choice = choose_of(candidates(), {});
  EXPECT_EQ(choice.ranked.back().measured_size, 4096U);
  EXPECT_EQ(choice.ranked.back().remarks, Labels{"measured at 4 KiB"});
  Wanted large;
  large.size = 4096;
  const Choice larger = choose_of(candidates(), large);
  EXPECT_EQ(ranked(larger), Labels{"tcp"});
  EXPECT_EQ(why(larger, "pipe"), "ping_pong wasn't measured at 4 KiB or more; the largest is 64 B");
}

TEST(Choose, NeedsAreJudgedByFacts) {
  Wanted wanted;
  wanted.needs = {&find_need("boundary")};
  const Choice choice = choose_of(candidates(), wanted);
  EXPECT_EQ(why(choice, "pipe"), "doesn't keep the boundaries of messages");
  EXPECT_NE(ranked(choice).size(), 0U);
  for (const Candidate& one : choice.ranked) {
    const Row* row = find_row(one.label);
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(row->facts.boundary, Boundary::message);
  }
  wanted.needs = {&find_need("survives-crash")};
  for (const Candidate& one : choose_of(candidates(), wanted).ranked)
    EXPECT_NE(find_row(one.label)->facts.persistence, Persistence::process);
  EXPECT_THROW(find_need("boundry"), UsageError);
  for (const Need& need : all_needs())
    EXPECT_TRUE(std::any_of(all_rows().begin(), all_rows().end(),
                            [&](const Row& row) { return need.holds(row.facts); }) &&
                std::any_of(all_rows().begin(), all_rows().end(),
                            [&](const Row& row) { return !need.holds(row.facts); }))
        << need.name << " tells nothing apart";
}

TEST(Choose, NothingIsSaidOfAModuleThatIsntThere) {
  Row missing = *find_row("pipe");  // which is inherited
  missing.facts.standard = "";
  missing.unavailable = [] { return "not built"; };
  Wanted wanted;
  wanted.needs = {&find_need("unrelated")};
  EXPECT_EQ(why_not_by_facts(missing, wanted), "not on this machine: not built");
}

TEST(Choose, LimitsAreJudgedByNumbers) {
  Wanted wanted;
  wanted.p99_ns = 100'000;
  Choice choice = choose_of(candidates(), wanted);
  EXPECT_EQ(ranked(choice), (Labels{"shm_posix.spin", "pipe"}));
  EXPECT_NE(why(choice, "unix_seqpacket").find("round trip p99 is 120 µs, over 100 µs"),
            std::string::npos)
      << why(choice, "unix_seqpacket");
  EXPECT_NE(why(choice, "tcp").find("at 4 KiB"), std::string::npos) << why(choice, "tcp");

  wanted = {};
  wanted.rate_per_s = 2e6;
  choice = choose_of(candidates(), wanted);
  EXPECT_EQ(ranked(choice), (Labels{"shm_posix.spin", "pipe"}));
  EXPECT_EQ(why(choice, "unix_seqpacket"), "takes 1.00 M/s messages, of 2.00 M/s that are wanted");

  wanted = {};
  wanted.is_cpu_low = true;
  choice = choose_of(candidates(), wanted);
  EXPECT_EQ(ranked(choice), (Labels{"pipe", "unix_seqpacket", "tcp"}));
  EXPECT_EQ(why(choice, "shm_posix.spin"), "its ends keep 2.0 processors busy while they wait");
  EXPECT_TRUE(choice.ranked[2].is_on_front) << "tcp is the slowest, and takes the least CPU time";

  wanted = {};
  wanted.cpu_ns = 10'500;
  EXPECT_EQ(ranked(choose_of(candidates(), wanted)), (Labels{"shm_posix.spin", "pipe", "tcp"}));
}

TEST(Choose, AnOfferedRateCountsWhereItWasMeasured) {
  ResultsFile file = candidates();
  for (int repeat = 1; repeat <= 6; ++repeat) {
    RunRecord run = run_of("pipe", "paced", repeat,
                           {{"offered_per_s", 1e6}, {"messages_per_s", 6e5}, {"one", 1}});
    run.load.rate_per_s = 1'000'000;
    run.histogram.emplace();
    for (int i = 0; i < 2000; ++i) run.histogram->record(500'000);
    file.runs.push_back(run);
  }
  Wanted wanted;
  wanted.rate_per_s = 1e6;
  const Choice choice = choose_of(file, wanted);
  EXPECT_TRUE(why(choice, "pipe").starts_with("doesn't keep up with 1.00 M/s"))
      << why(choice, "pipe");
  wanted.rate_per_s = 2e6;
  EXPECT_EQ(why(choose_of(file, wanted), "pipe"), "") << "of another rate it says nothing";
}

TEST(Choose, PlacementsAreRankedApart) {
  ResultsFile file = candidates();
  add_trips(file, "pipe", 2'000, 1'000, 64, "same-core");
  add_flood(file, "pipe", 3e6, 64, "same-core");
  const Choice both = choose_of(file, {});
  EXPECT_EQ(both.ranked.back().placement, "same-core");
  EXPECT_TRUE(both.ranked.back().is_on_front);
  Wanted wanted;
  wanted.placements = {"same-core"};
  EXPECT_EQ(ranked(choose_of(file, wanted)), Labels{"pipe"});
}

TEST(Choose, TimesThatAreNoneAreNotRanked) {
  std::vector<CellSummary> cells = summarise(candidates());
  for (CellSummary& cell : cells)
    if (cell.transport == "pipe") cell.is_emulated = true;
  const Choice choice = choose(cells, {});
  EXPECT_EQ(why(choice, "pipe"), "emulated: its times are those of no machine");
  for (CellSummary& cell : cells) cell.is_emulated = true;
  EXPECT_EQ(ranked(choose(cells, {})).size(), 4U) << "among themselves they are";
  for (CellSummary& cell : cells) cell.is_counted = true;
  EXPECT_TRUE(choose(cells, {}).ranked.empty());
  for (CellSummary& cell : cells) {
    cell.is_counted = false;
    cell.manner.peer = Peer::kernel;
  }
  EXPECT_TRUE(choose(cells, {}).ranked.empty());
}

TEST(Choose, MeasuresOnceWhatNobodyHasMeasured) {
  const Sandbox sandbox;
  const std::vector<std::string> few{"choose", "--need", "boundary,pollable,zero-copy",
                                     "--placement", "none"};
  const Finished first = run_program(sandbox, few);
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_NE(first.err.find("measuring"), std::string::npos) << first.err;
  EXPECT_NE(first.out.find("none: unix_fd, round trip p"), std::string::npos) << first.out;
  EXPECT_NE(first.out.find("pipe                "), std::string::npos) << first.out;
  const Finished second = run_program(sandbox, few);
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_EQ(second.err, "") << "what is kept is enough";
  EXPECT_EQ(second.out, first.out);

  std::vector<std::string> impossible = few;
  impossible.insert(impossible.end(), {"--p50", "1ns", "--format", "json"});
  const Finished none = run_program(sandbox, impossible);
  EXPECT_EQ(none.status, 77) << none.err;
  const Json json = Json::parse(none.out);
  EXPECT_TRUE(json["ranked"].empty());
  EXPECT_EQ(json["ruled_out"].size(), all_rows().size());
}

}  // namespace
}  // namespace ipcbench
