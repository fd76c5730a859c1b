#include "harness/pivot.h"

#include <gtest/gtest.h>

#include "harness/measure.h"
#include "harness/results_for_test.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

ResultsFile pivoted(const std::string& path = "a.json", double factor = 1) {
  ResultsFile file{.path = path, .context = Json::object(), .runs = {}};
  add_trips(file, "tcp", 9'000 * factor, 4'000);
  add_trips(file, "pipe", 4'000 * factor, 2'000);
  add_trips(file, "pipe", 8'000 * factor, 3'000, 4096);
  add_flood(file, "tcp", 1e6);
  add_flood(file, "pipe", 2e6);
  add_unmeasured(file, "tcp", "ping_pong", Status::skipped, "too large", 4096);
  return file;
}

TEST(Pivot, AnyAxisMayBeRowsOrColumns) {
  const auto tables = pivot_tables({pivoted()}, {.rows = {"transport"}, .columns = {"size"}});
  ASSERT_EQ(tables.size(), 2U) << "ping_pong and flood";
  EXPECT_EQ(tables[0].title, "ping_pong, cross-core: round trip p50");
  EXPECT_EQ(tables[0].columns, (std::vector<std::string>{"transport", "64 B", "4 KiB", "notes"}));
  ASSERT_EQ(tables[0].rows.size(), 2U);
  EXPECT_EQ(tables[0].rows[0][0], "pipe") << "the best first";
  EXPECT_TRUE(tables[0].rows[0][1].starts_with("4.0")) << tables[0].rows[0][1];
  EXPECT_EQ(tables[0].rows[1],
            (std::vector<std::string>{"tcp", tables[0].rows[1][1], "n/a", "skipped: too large"}));
  EXPECT_EQ(tables[1].rows[0][0], "pipe") << "of a rate the highest";

  const auto turned = pivot_tables({pivoted()}, {.rows = {"size"}, .columns = {"transport"}});
  EXPECT_EQ(turned[0].columns, (std::vector<std::string>{"size", "pipe", "tcp", "notes"}));
  EXPECT_EQ(turned[0].rows[1][0], "4 KiB") << "sizes stand in their order";
}

TEST(Pivot, SeveralFilesStandSideBySide) {
  const auto tables =
      pivot_tables({pivoted("a.json"), pivoted("b.json", 2)}, {.rows = {}, .columns = {}});
  EXPECT_EQ(tables[0].columns,
            (std::vector<std::string>{"transport", "a.json", "b.json", "notes"}));
  EXPECT_NEAR(tables[0].numbers[0][2] / tables[0].numbers[0][1], 2, 0.02);
}

TEST(Pivot, AReferenceMakesFactors) {
  const TableOptions best{.reference = "best"};
  const auto tables = pivot_tables({pivoted()}, {.rows = {"transport"}, .columns = {"size"}}, best);
  EXPECT_DOUBLE_EQ(tables[0].numbers[0][1], 1);
  EXPECT_NEAR(tables[0].numbers[1][1], 2.25, 0.02);
  EXPECT_NEAR(tables[1].numbers[1][1], 2, 1e-3) << "of a rate, how many times lower";
  EXPECT_EQ(tables[1].rows[1][1].substr(0, 6), "2.00×") << tables[1].rows[1][1];
  const TableOptions tcp{.reference = "tcp"};
  EXPECT_NEAR(pivot_tables({pivoted()}, {.rows = {}, .columns = {}}, tcp)[0].numbers[0][1], 0.444,
              0.01);
}

TEST(Pivot, ALibraryIsToldAboveItsCarrier) {
  ResultsFile file = pivoted();
  file.context["modules"]["tcp"] = {{"library", "x 1"}, {"settings", ""}, {"carrier", "pipe"}};
  const TableOptions carrier{.reference = "carrier"};
  const auto tables = pivot_tables({file}, {.rows = {"transport"}, .columns = {"size"}}, carrier);
  ASSERT_EQ(tables.size(), 2U) << "ping_pong and flood";
  EXPECT_EQ(tables[0].columns,
            (std::vector<std::string>{"transport", "carrier", "64 B", "4 KiB", "notes"}));
  ASSERT_EQ(tables[0].rows.size(), 1U) << "the pipe is carried by nothing";
  EXPECT_EQ(tables[0].rows[0][1], "pipe");
  EXPECT_NEAR(tables[0].numbers[0][2], 2.25, 0.02);
  EXPECT_NEAR(tables[1].numbers[0][2], 2, 1e-3) << "of a rate, how many times lower";

  file.context["modules"]["tcp"]["carrier"] = "fifo";
  const auto without = pivot_tables({file}, {.rows = {}, .columns = {}}, carrier);
  EXPECT_EQ(without[0].rows[0].back(), "fifo wasn't measured");
  EXPECT_THROW(pivot_tables({pivoted()}, {.rows = {}, .columns = {}}, carrier), UsageError);
  EXPECT_THROW(pivot_tables({file}, {.rows = {"size"}, .columns = {"transport"}}, carrier),
               UsageError);
}

TEST(Pivot, AMeasureOfItsOwn) {
  const auto tables =
      pivot_tables({pivoted()}, {.rows = {"transport"}, .columns = {"scenario"}, .value = "p99"});
  ASSERT_EQ(tables.size(), 2U) << "by size";
  EXPECT_EQ(tables[0].columns.at(1), "ping_pong");
  EXPECT_NEAR(tables[0].numbers[0][1], 8'000, 50);
  EXPECT_THROW(pivot_tables({pivoted()}, {.rows = {}, .columns = {}, .value = "speed"}),
               UsageError);
  EXPECT_THROW(pivot_tables({pivoted()}, {.rows = {"colour"}, .columns = {}}), UsageError);
}

TEST(Pivot, FiltersKeysOfRuns) {
  std::vector<ResultsFile> files{pivoted()};
  filter_runs(files, "flood/");
  EXPECT_EQ(files[0].runs.size(), 12U);
  EXPECT_THROW(filter_runs(files, "ping_pong/"), UsageError);
}

TEST(TableFormats, LatexIsEscaped) {
  const Table table{.title = "50 % of a_b & {c}",
                    .columns = {"transport", "±", "notes"},
                    .rows = {{"x_y", "4.31 µs ±2 %", "#1 \\ ~ ^ $ < > |"}}};
  const std::string latex = render(table, TableFormat::latex, false);
  EXPECT_NE(latex.find("\\caption{50 \\% of a\\_b \\& \\{c\\}}"), std::string::npos) << latex;
  EXPECT_NE(latex.find("x\\_y & 4.31 \\textmu{}s $\\pm$2 \\% & \\#1 \\textbackslash{} "
                       "\\textasciitilde{} \\textasciicircum{} \\$ \\textless{} \\textgreater{} "
                       "\\textbar{} \\\\\n"),
            std::string::npos)
      << latex;
  EXPECT_NE(latex.find("\\begin{tabular}{lrl}\n\\toprule\n"), std::string::npos) << latex;
  Table large = table;
  large.rows.assign(100, table.rows[0]);
  EXPECT_NE(render(large, TableFormat::latex, false).find("\\begin{longtable}"), std::string::npos);
}

TEST(TableFormats, RowsAreSortedByAnyColumn) {
  Table table{.title = "",
              .columns = {"name", "time", "rate", "notes"},
              .rows = {{"b", "2", "20", ""}, {"a", "–", "–", ""}, {"c", "1", "10", ""}},
              .numbers = {{NAN, 2, 20, NAN}, {NAN, NAN, NAN, NAN}, {NAN, 1, 10, NAN}},
              .rising = {2}};
  const auto order = [&](const TableOptions& options) {
    std::vector<Table> tables{table};
    sort_rows(tables, options);
    std::string names;
    for (const auto& row : tables[0].rows) names += row[0];
    return names;
  };
  EXPECT_EQ(order({}), "bac");
  EXPECT_EQ(order({.sort = "Time"}), "cba") << "what has no number comes last";
  EXPECT_EQ(order({.sort = "time", .is_reversed = true}), "bca") << "also then";
  EXPECT_EQ(order({.sort = "rate"}), "bca") << "more is better";
  EXPECT_EQ(order({.sort = "name"}), "abc");
  EXPECT_THROW(order({.sort = "tim"}), UsageError);
  EXPECT_EQ(render(table, TableFormat::csv, false),
            "name,time,rate,notes\nb,2,20,\na,,,\nc,1,10,\n");
}

TEST(Measure, UnitsFollowFromNames) {
  EXPECT_EQ(measure_text("round_trip_p50_ns", 4'310), "4.31 µs");
  EXPECT_EQ(measure_text("messages_per_s", 48.1e6), "48.1 M/s");
  EXPECT_EQ(measure_text("bytes_per_s", 3.08e9), "3.08 GB/s");
  EXPECT_EQ(measure_text("resident_bytes", 3500), "3.42 KiB");
  EXPECT_EQ(measure_text("fairness", 0.987), "0.987");
  EXPECT_TRUE(more_is_better("bytes_per_s"));
  EXPECT_TRUE(more_is_better("fairness"));
  EXPECT_FALSE(more_is_better("cpu_ns_per_message"));
}

}  // namespace
}  // namespace ipcbench
