#include "harness/history.h"

#include <cmath>
#include <filesystem>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/program_under_test.h"
#include "harness/results_for_test.h"

namespace ipcbench {
namespace {

/// A normal deviate that every library makes alike (Box and Muller).
double normal(std::mt19937_64& random) {
  const auto uniform = [&] {
    return (static_cast<double>(random() >> 11) + 0.5) / 9007199254740992.0;
  };
  return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * 3.14159265358979 * uniform());
}

std::vector<double> series(const std::vector<std::pair<std::size_t, double>>& stretches,
                           double spread, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> values;
  for (const auto& [length, level] : stretches)
    for (std::size_t i = 0; i < length; ++i)
      values.push_back(level * (1 + spread * normal(random)));
  return values;
}

TEST(ChangePoints, AreFoundWhereTheyWereMade) {
  const auto values = series({{20, 100}, {15, 120}, {10, 95}}, 0.02, 1);
  const auto found = change_points(values);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].at, 20U);
  EXPECT_EQ(found[1].at, 35U);
  EXPECT_NEAR(found[0].before, 100, 2);
  EXPECT_NEAR(found[0].after, 120, 2.5);
  EXPECT_NEAR(found[1].after, 95, 2);
  EXPECT_LE(found[0].p, 0.01);
  const auto again = change_points(values);
  EXPECT_EQ(again.size(), 2U);
  EXPECT_EQ(again[1].p, found[1].p) << "the same seed, the same answer";
}

TEST(ChangePoints, TheNewestFewAreEnough) {
  const auto found = change_points(series({{20, 100}, {3, 130}}, 0.02, 2));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].at, 20U);
}

TEST(ChangePoints, NoiseHasNoneButByChance) {
  int alarms = 0;
  constexpr int trials = 300;
  for (int i = 0; i < trials; ++i)
    if (!change_points(series({{20, 100}}, 0.1, 100 + i)).empty()) ++alarms;
  // Of 300 at 1 %: 3 are expected; 11 and more have a chance below 0.1 ‰.
  EXPECT_LE(alarms, 10);
  EXPECT_TRUE(change_points(std::vector<double>{}).empty());
  EXPECT_TRUE(change_points(std::vector<double>{1, 2, 3}).empty());
  EXPECT_TRUE(change_points(std::vector<double>(30, 5.0)).empty()) << "all alike";
}

TEST(ChangePoints, TheStatisticIsThatOfThePaper) {
  // {0, 0} and {1, 1}: between 2 · 4 / 4 = 2, within 0; times 2 · 2 / 4 = 2. All 6 orders of four
  // values have a p of 1/3 for that, which is no change.
  EXPECT_TRUE(change_points(std::vector<double>{0, 0, 1, 1}).empty());
  const auto found = change_points(std::vector<double>{0, 0, 1, 1},
                                   {.level = 0.5, .permutations = 999, .seed = 1});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].at, 2U);
  EXPECT_NEAR(found[0].p, 1.0 / 3, 0.05);
}

Json context_of(int day, const std::string& cpu) {
  return {{"started", fmt::format("2026-11-{:02}T12:00:00Z", day)},
          {"machine",
           {{"identity", {{"cpu_model", cpu}, {"commit", fmt::format("c{}", day)}}},
            {"state_digest", "s"}}}};
}

/// A file of each day from 1 on; pipe's round trips take so many ns, tcp's floods so many a second.
std::vector<ResultsFile> files_of(const std::vector<double>& trips,
                                  const std::vector<double>& rates,
                                  std::size_t other_machine_from = 100) {
  std::vector<ResultsFile> files;
  for (std::size_t i = 0; i < trips.size(); ++i) {
    ResultsFile file{
        .path = fmt::format("{}.json", i),
        .context = context_of(static_cast<int>(i) + 1, i < other_machine_from ? "old" : "new"),
        .runs = {}};
    for (int repeat = 1; repeat <= 3; ++repeat) {
      file.runs.push_back(run_of("pipe", "ping_pong", repeat, {{"round_trip_p50_ns", trips[i]}}));
      file.runs.push_back(run_of("tcp", "flood", repeat, {{"messages_per_s", rates[i]}}));
    }
    files.push_back(std::move(file));
  }
  return files;
}

const HistorySeries& series_of(const History& history, const std::string& scenario) {
  for (const HistorySeries& one : history.series)
    if (one.scenario == scenario) return one;
  throw std::out_of_range(scenario);
}

TEST(History, KnowsWhichDirectionIsWorse) {
  const auto trips = series({{12, 4'000}, {6, 4'800}}, 0.002, 3);
  const auto rates = series({{12, 1e6}, {6, 1.2e6}}, 0.01, 4);
  auto files = files_of(trips, rates);
  std::reverse(files.begin(), files.end());  // their order is that of their times
  const History history = make_history(files, {});
  const HistorySeries& trip = series_of(history, "ping_pong");
  ASSERT_EQ(trip.changes.size(), 1U);
  EXPECT_EQ(trip.changes[0].file, 12U);
  EXPECT_NEAR(trip.changes[0].times_worse, 1.2, 0.02);
  EXPECT_TRUE(trip.has_regressed());
  const HistorySeries& flood = series_of(history, "flood");
  ASSERT_EQ(flood.changes.size(), 1U);
  EXPECT_NEAR(flood.changes[0].times_worse, 1 / 1.2, 0.02);
  EXPECT_FALSE(flood.has_regressed());
  const Json json = history_json(history);
  EXPECT_EQ(json["series"][0]["changes"][0]["verdict"], "regressed");
  EXPECT_EQ(json["files"][0]["started"], "2026-11-01T12:00:00Z");
  const Table table = history_table(history, false);
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[0].at(5), "regressed +20 %") << "what has regressed comes first";
}

TEST(History, SmallChangesAreBelowTheMargin) {
  const auto trips = series({{12, 4'000}, {8, 4'120}}, 0.001, 3);
  const std::vector<double> rates(20, 1e6);
  EXPECT_TRUE(series_of(make_history(files_of(trips, rates), {}), "ping_pong").changes.empty());
  EXPECT_TRUE(series_of(make_history(files_of(trips, rates), {.margin = 0.01}), "ping_pong")
                  .has_regressed());
}

TEST(History, AnotherMachineIsAnotherSeries) {
  const auto trips = series({{10, 4'000}, {10, 8'000}}, 0.01, 5);
  const std::vector<double> rates(20, 1e6);
  EXPECT_TRUE(series_of(make_history(files_of(trips, rates, 10), {}), "ping_pong").changes.empty());
  // A regression of the machine before is no news of this one.
  const auto earlier = series({{8, 4'000}, {6, 8'000}, {6, 3'000}}, 0.01, 5);
  const History history = make_history(files_of(earlier, rates, 14), {});
  const HistorySeries& trip = series_of(history, "ping_pong");
  EXPECT_EQ(trip.changes.size(), 1U);
  EXPECT_FALSE(trip.has_regressed());
}

TEST(History, ItsExitStatusIsForScripts) {
  const Sandbox sandbox;
  const std::string directory = sandbox.path("history");
  std::filesystem::create_directory(directory);
  const auto write = [&](int day, double p50_ns) {
    Json runs = Json::array();
    for (int repeat = 1; repeat <= 3; ++repeat)
      runs.push_back({{"transport", "pipe"},
                      {"scenario", "ping_pong"},
                      {"size", 64},
                      {"placement", "none"},
                      {"repeat", repeat},
                      {"status", "ok"},
                      {"reason", nullptr},
                      {"round_trip_p50_ns", p50_ns}});
    const Json document{{"schema", "ipcbench/1"},
                        {"context", context_of(day, "cpu")},
                        {"plan", Json::object()},
                        {"runs", runs}};
    sandbox.write(fmt::format("history/{}.json", day), document.dump());
  };
  const auto trips = series({{10, 4'000}, {5, 5'000}}, 0.002, 6);
  for (int day = 1; day <= 10; ++day) write(day, trips[static_cast<std::size_t>(day - 1)]);
  sandbox.write("history/other.json", "{}");
  const Finished before = run_program(sandbox, {"history", directory});
  EXPECT_EQ(before.status, 0) << before.out;
  EXPECT_NE(before.err.find("left out: "), std::string::npos) << before.err;
  for (int day = 11; day <= 15; ++day) write(day, trips[static_cast<std::size_t>(day - 1)]);
  const Finished after = run_program(sandbox, {"history", directory});
  EXPECT_EQ(after.status, 1) << after.out;
  EXPECT_NE(after.out.find("regressed +25 %"), std::string::npos) << after.out;
  EXPECT_NE(after.out.find("2026-11-11T12:00:00Z c11"), std::string::npos) << after.out;
  EXPECT_EQ(run_program(sandbox, {"history", directory}).out, after.out);
  EXPECT_EQ(
      Json::parse(run_program(sandbox, {"history", directory, "--format", "json"}).out)["schema"],
      "ipcbench-history/1");
  EXPECT_EQ(run_program(sandbox, {"history", directory, "--margin", "50%"}).status, 0);

  std::filesystem::create_directory(sandbox.path("plots"));
  sandbox.write("plots/report.html",
                "<!doctype html>\n<title><!-- ipcbench: title --></title>\n"
                "<!-- ipcbench: data -->\n");
  const Finished page =
      run_program(sandbox, Command{{"history", directory, "--page", sandbox.path("page.html")},
                                   {{"IPCBENCH_PLOTS", sandbox.path("plots")}},
                                   {},
                                   ""});
  EXPECT_EQ(page.status, 1) << page.err;
  EXPECT_NE(sandbox.read("page.html").find("E-divisive"), std::string::npos);
}

}  // namespace
}  // namespace ipcbench
