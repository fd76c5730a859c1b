#include "harness/table.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace ipcbench {
namespace {

CellSummary cell_of(const char* transport, const char* scenario, int repeats = 6) {
  CellSummary cell;
  cell.transport = transport;
  cell.scenario = scenario;
  cell.size = 64;
  cell.placement = "none";
  cell.ok = repeats;
  return cell;
}

Estimate exactly(double value) {
  return {
      .median = value, .low = value * 0.98, .high = value * 1.02, .confidence = 0.97, .count = 6};
}

CellSummary round_trip(const char* transport, double p50_ns) {
  CellSummary cell = cell_of(transport, "ping_pong");
  cell.p50_ns = exactly(p50_ns);
  cell.p99_ns = exactly(2 * p50_ns);
  cell.round_trips = 100'000;
  return cell;
}

CellSummary skipped(const char* transport, const char* reason) {
  CellSummary cell = cell_of(transport, "ping_pong", 0);
  cell.skipped = 1;
  cell.reason = reason;
  return cell;
}

/// The column of a table's only row.
std::string at(const Table& table, std::size_t row, const std::string& column) {
  const auto found = std::find(table.columns.begin(), table.columns.end(), column);
  return table.rows.at(row).at(static_cast<std::size_t>(found - table.columns.begin()));
}

std::string notes_of(const CellSummary& cell) {
  return at(make_tables({cell}).at(0), 0, "notes");
}

TEST(Table, TheFastestComesFirstAndTheOthersAreComparedWithIt) {
  CellSummary roofline = round_trip("memcpy", 100);
  const Table table = make_tables({round_trip("tcp", 9'000), skipped("posix_mq", "too large"),
                                   round_trip("pipe", 4'310), roofline})
                          .at(0);
  ASSERT_EQ(table.rows.size(), 4U);
  EXPECT_EQ(at(table, 0, "transport"), "memcpy");
  EXPECT_EQ(at(table, 0, "× best"), "roofline") << "what no transport can beat is no reference";
  EXPECT_EQ(at(table, 1, "transport"), "pipe");
  EXPECT_EQ(at(table, 1, "round trip p50"), "4.31 µs");
  EXPECT_EQ(at(table, 1, "±"), "±2 %");
  EXPECT_EQ(at(table, 1, "p99"), "8.62 µs");
  EXPECT_EQ(at(table, 1, "× best"), "1.0");
  EXPECT_EQ(at(table, 2, "transport"), "tcp");
  EXPECT_EQ(at(table, 2, "× best"), "2.1");
  EXPECT_EQ(at(table, 3, "transport"), "posix_mq") << "what wasn't measured comes last";
  EXPECT_EQ(at(table, 3, "round trip p50"), "–");
  EXPECT_EQ(at(table, 3, "notes"), "skipped: too large");
}

TEST(Table, WhatAChannelLostIsMarked) {
  CellSummary flood = cell_of("udp", "flood");
  EXPECT_EQ(notes_of(flood), "");
  flood.mishaps = 3;
  EXPECT_EQ(notes_of(flood), "l");
  ASSERT_EQ(legend({flood}).size(), 1U);
  EXPECT_TRUE(legend({flood}).front().starts_with("l  messages were lost"));
}

TEST(Table, EachPlacementAndSizeHasATable) {
  std::vector<CellSummary> cells(3, round_trip("pipe", 1'000));
  cells[1].size = 4096;
  cells[2].placement = "same-core";
  cells.push_back(cell_of("eventfd", "handoff"));
  cells.push_back(cell_of("futex", "contend"));
  cells.push_back(cell_of("pipe", "verify"));
  for (std::size_t i = 3; i < 5; ++i) cells[i].size.reset();
  const std::vector<Table> tables = make_tables(cells);
  EXPECT_EQ(tables.size(), 6U);
  for (const Table& table : tables) {
    EXPECT_FALSE(table.title.empty());
    for (const auto& row : table.rows) EXPECT_EQ(row.size(), table.columns.size());
  }
}

TEST(Table, MarksSayWhatWasSeen) {
  const CellSummary good = round_trip("pipe", 1'000);
  EXPECT_EQ(notes_of(good), "");
  EXPECT_TRUE(legend({good}).empty());
  CellSummary few = good;
  few.ok = 5;
  EXPECT_EQ(notes_of(few), "r");
  CellSummary noisy = good;
  noisy.suspect = 1;
  EXPECT_EQ(notes_of(noisy), "s");
  CellSummary broken = good;
  broken.failed = 1;
  EXPECT_EQ(notes_of(broken), "f");
  CellSummary withheld = good;
  withheld.p99_ns.reset();
  EXPECT_EQ(notes_of(withheld), "w");
  CellSummary batches = good;
  batches.timed_by_batches = true;
  EXPECT_EQ(notes_of(batches), "b");
  CellSummary emulated = good;
  emulated.is_emulated = true;
  EXPECT_EQ(notes_of(emulated), "e");
  CellSummary counted = good;
  counted.is_counted = true;
  EXPECT_EQ(notes_of(counted), "i");
  CellSummary failed = cell_of("pipe", "ping_pong", 0);
  failed.failed = 2;
  failed.reason = "it\nbroke";
  EXPECT_EQ(notes_of(failed), "f  failed: it?broke");
  const std::vector<std::string> lines = legend({few, noisy, broken, withheld, batches});
  ASSERT_EQ(lines.size(), 5U) << "a line for each mark that occurs, once";
  for (const std::string& line : lines) EXPECT_EQ(line.substr(1, 2), "  ") << line;
}

ResultsFile file_of(const std::string& transport, const std::string& reason) {
  RunRecord run;
  run.transport = transport;
  run.scenario = "ping_pong";
  run.size = 64;
  run.placement = "none";
  run.status = Status::failed;
  run.reason = reason;
  return {.path = "x.json", .context = Json::object(), .runs = {run}};
}

std::size_t count(const std::string& text, char letter) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), letter));
}

TEST(Table, MarkdownCellsKeepTheirPlace) {
  const std::string plain = render(file_of("pipe", "broke"), TableFormat::markdown);
  EXPECT_NE(plain.find("\n| pipe | – |"), std::string::npos) << plain;
  const std::string hostile =
      render(file_of("a|b<script>\\|c\nd", "e|f\n|g"), TableFormat::markdown);
  EXPECT_NE(hostile.find("| a\\|b\\<script>\\\\\\|c?d |"), std::string::npos) << hostile;
  EXPECT_NE(hostile.find("e\\|f?\\|g |"), std::string::npos) << hostile;
  EXPECT_EQ(count(hostile, '\n'), count(plain, '\n'));
}

TEST(Table, CsvFieldsAreQuotedWhereTheyMustBe) {
  const std::string text = render(file_of("a,b", "said \"no\"\nand left"), TableFormat::csv);
  const std::string header = text.substr(0, text.find('\n'));
  EXPECT_EQ(text.substr(header.size() + 1),
            "x.json,\"a,b\",ping_pong,64,none,block,fork,1,1,0,0,1,0,\"said \"\"no\"\"\nand left\","
            ",,,,,,0,,,,,,,,,,f\n");
  EXPECT_EQ(count(header, ','), 30U);
  EXPECT_EQ(render(std::vector<ResultsFile>{}, TableFormat::csv), header + "\n");
}

TEST(Table, WhatAllRowsSaySaysItOnce) {
  const char* const why = "needs two cores";
  const auto shown = [](const std::vector<CellSummary>& cells, TableFormat format) {
    return render(make_tables(cells).at(0), format, false);
  };
  const std::vector<CellSummary> alike{skipped("fifo", why), skipped("pipe", why),
                                       skipped("tcp", why)};
  EXPECT_NE(shown(alike, TableFormat::text).find("fifo and 2 more  skipped: needs two cores\n"),
            std::string::npos)
      << shown(alike, TableFormat::text);
  EXPECT_NE(shown(alike, TableFormat::json).find("\"tcp\""), std::string::npos);
  for (const CellSummary& other : {skipped("udp", "too large"), round_trip("udp", 9'000)}) {
    std::vector<CellSummary> cells = alike;
    cells.push_back(other);
    EXPECT_NE(shown(cells, TableFormat::text).find("tcp"), std::string::npos) << "is of its own";
  }
}

TEST(Table, OnlyTextTitlesAreBold) {
  const ResultsFile file = file_of("pipe", "broke");
  EXPECT_EQ(count(render(file, TableFormat::text, true), '\033'), 2U);
  EXPECT_EQ(count(render(file, TableFormat::text, false), '\033'), 0U);
  EXPECT_EQ(count(render(file, TableFormat::markdown, true), '\033'), 0U);
}

TEST(Table, CountedInstructionsAreNoTimes) {
  ResultsFile file = file_of("pipe", "");
  file.runs[0].status = Status::ok;
  file.runs[0].measures["round_trip_mean_ns"] = 8'000;
  file.context["machine"]["identity"] = {{"virtualised", "icount"},
                                         {"kernel_command_line", "quiet ipcbench.icount_shift=2"}};
  const std::string text = render(file, TableFormat::text, false);
  EXPECT_NE(text.find("Instructions"), std::string::npos);
  EXPECT_NE(text.find("  2000  "), std::string::npos) << text;
  EXPECT_EQ(text.find("µs"), std::string::npos) << text;
  EXPECT_NE(text.find("\ni  "), std::string::npos) << text;
  file.runs[0].measures["quiet_ns_per_operation"] = 6'000;  // without the kernel's ticks
  const std::string quiet = render(file, TableFormat::text, false);
  EXPECT_NE(quiet.find("  1500  "), std::string::npos) << quiet;
}

TEST(Table, ProvenanceIsThatOfTheContextWhateverItHolds) {
  const Json context{
      {"started", "2026-11-20T12:00:00Z"},
      {"version", "0.1.0"},
      {"machine",
       {{"identity", {{"cpu_model", "A CPU"}, {"kernel_release", "6.1"}, {"commit", "abc"}}}}}};
  EXPECT_EQ(provenance(context), "A CPU, Linux 6.1, 2026-11-20T12:00:00Z; ipcbench 0.1.0 (abc)");
  EXPECT_EQ(provenance(Json::object()), "?, Linux ?, ?; ipcbench ? (?)");
  EXPECT_EQ(provenance({{"machine", Json::array({1})}, {"version", 5}}),
            "?, Linux ?, ?; ipcbench 5 (?)");
}

}  // namespace
}  // namespace ipcbench
