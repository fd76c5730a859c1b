// Report and plot: what they make of results files, and what they answer where they can't.
#include <gtest/gtest.h>

#include "harness/chart_data.h"
#include "harness/page.h"
#include "harness/program_under_test.h"
#include "harness/report_page.h"
#include "harness/tool.h"

namespace ipcbench {
namespace {

using Words = std::vector<std::string>;

Json run_of(const std::string& transport, const std::string& scenario, const std::string& measure,
            double value, int repeat) {
  return {{"transport", transport}, {"scenario", scenario}, {"size", 64},
          {"placement", "none"},    {"repeat", repeat},     {"order", repeat},
          {"status", "ok"},         {"reason", nullptr},    {measure, value}};
}

Json document_of(const Json& runs) {
  const Json context{{"command", {"ipcbench", "run", "-t", "it's"}},
                     {"started", "2026-11-21T12:00:00Z"}};
  return {
      {"schema", results_schema}, {"context", context}, {"plan", {{"seed", 7}}}, {"runs", runs}};
}

Json chart_data_of(const Json& document) {
  return chart_data({records_of(document, "test.json")}, {document});
}

/// A page's template, so that these tests need no Node.js.
class Report : public testing::Test {
 protected:
  Report() {
    std::filesystem::create_directory(sandbox_.path("plots"));
    sandbox_.write("plots/report.html",
                   "<!doctype html>\n<title><!-- ipcbench: title --></title>\n"
                   "<!-- ipcbench: data -->\n<p>end</p>\n");
  }
  Finished run(Words arguments, std::map<std::string, std::string> environment = {}) const {
    environment.try_emplace("IPCBENCH_PLOTS", sandbox_.path("plots"));
    return run_program(sandbox_, Command{std::move(arguments), environment, {}, ""});
  }
  std::string results(const Json& runs = Json::array({run_of("pipe", "flood", "messages_per_s", 1e6,
                                                             1)})) const {
    return sandbox_.write("in.json", results_text(document_of(runs)));
  }
  Sandbox sandbox_;
};

TEST_F(Report, IsReadLikeTheResultsFileThatItHolds) {
  const std::string file = results();
  const Finished report = run({"report", file, "-o", sandbox_.path("out.html")});
  ASSERT_EQ(report.status, 0) << report.err;
  EXPECT_EQ(report.out, sandbox_.path("out.html") + "\n");
  const Finished direct = run({"table", file});
  const Finished through_page = run({"table", sandbox_.path("out.html")});
  EXPECT_EQ(direct.status, 0) << direct.err;
  EXPECT_EQ(through_page.out, direct.out) << through_page.err;
  // Also of a page made of a page, and of two files in one.
  EXPECT_EQ(
      run({"report", sandbox_.path("out.html"), file, "-o", sandbox_.path("two.html")}).status, 0);
  EXPECT_TRUE(contains(run({"table", sandbox_.path("two.html")}).out, "two.html#2"));
}

TEST_F(Report, TextOfAResultsFileStaysText) {
  const std::string evil = "</script><script>alert(1)</script><!-- ipcbench: data -->";
  Json runs = Json::array({run_of(evil, "flood", "messages_per_s", 1e6, 1)});
  const std::string file = results(runs);
  ASSERT_EQ(run({"report", file, "-o", sandbox_.path("out.html")}).status, 0);
  const std::string page = sandbox_.read("out.html");
  EXPECT_FALSE(contains(page, "<script>alert"));
  EXPECT_TRUE(contains(page, "\\u003cscript>alert"));
  const ResultsFile read = read_results(sandbox_.path("out.html"));
  EXPECT_EQ(read.runs.at(0).transport, evil);
}

TEST_F(Report, RejectsWhatIsNoResultsFile) {
  const std::string page = sandbox_.path("page.html");
  ASSERT_EQ(run({"report", results(), "-o", page}).status, 0);
  const std::string whole = sandbox_.read("page.html");
  const std::string deep(100'000, '[');
  Json future = document_of(Json::array());
  future["schema"] = "ipcbench/99";
  const std::pair<std::string, std::string> cases[] = {
      {"", "is empty"},
      {"hello", "no whole JSON document"},
      {whole.substr(0, whole.size() - 300), "without results"},
      {"<!doctype html><p>hello</p>", "without results"},
      {json_block(results_class, "{\"schema\""), "no whole JSON document"},
      {"<!DOCTYPE html>" + json_block(results_class, "{\"schema\""), "no whole JSON document"},
      {deep, "nested"},
      {"<!doctype html>" + json_block(results_class, deep), "nested"},
      {results_text(future), "ipcbench/99"},
      {results_text(document_of(Json::array())), "nothing was measured"},
      {results_text(document_of(
           Json::array({run_of(std::string(10'000'000, 'x'), "flood", "messages_per_s", 1, 1)}))),
       "at most 200 bytes"},
      {results_text(document_of(Json::array({run_of("pipe", "flood", "messages_per_s", -1, 1)}))),
       "from 0 on"},
  };
  for (const auto& [text, words] : cases) {
    SCOPED_TRACE(text.substr(0, 80));
    const std::string file = sandbox_.write("wrong", text);
    for (const Words& command : {Words{"report", file, "-o", sandbox_.path("wrong.html")},
                                 Words{"plot", file, "-o", sandbox_.path("wrong")}}) {
      const Finished finished = run(command);
      EXPECT_EQ(finished.status, 2) << finished.err;
      EXPECT_TRUE(contains(finished.err, words)) << finished.err;
      EXPECT_LT(finished.err.size(), 600U);
    }
  }
  EXPECT_FALSE(std::filesystem::exists(sandbox_.path("wrong.html")));
}

TEST_F(Report, LongTextsAreCutAndDoNoHarm) {
  Json document = document_of(Json::array({run_of("pipe", "flood", "messages_per_s", 1e6, 1)}));
  document["context"]["machine"]["identity"]["cpu_model"] = std::string(10'000'000, '<');
  const std::string file = sandbox_.write("long.json", results_text(document));
  ASSERT_EQ(run({"report", file, "-o", sandbox_.path("long.html")}).status, 0);
  EXPECT_LT(dump(chart_data_of(document)).size(), 10'000U);
}

TEST_F(Report, SaysWhatIsMissing) {
  const std::string file = results();
  const std::map<std::string, std::string> no_plots{{"IPCBENCH_PLOTS", "/nonexistent"}};
  for (const char* command : {"report", "plot"}) {
    const Finished finished = run({command, file, "-o", sandbox_.path("none")}, no_plots);
    EXPECT_EQ(finished.status, 3);
    EXPECT_TRUE(contains(finished.err, "scripts/setup --plots")) << finished.err;
  }
  sandbox_.write("plots/render.mjs", "");
  const Finished no_node = run({"plot", file}, {{"PATH", "/nonexistent"}});
  EXPECT_EQ(no_node.status, 3);
  EXPECT_TRUE(contains(no_node.err, "node: not found")) << no_node.err;
  const Finished format = run({"plot", file, "--format", "gif"});
  EXPECT_EQ(format.status, 2);
  EXPECT_TRUE(contains(format.err, "svg, png or pdf")) << format.err;
  const Finished nowhere = run({"report", file, "-o", sandbox_.path("no/such/page.html")});
  EXPECT_EQ(nowhere.status, 3);
  EXPECT_TRUE(contains(nowhere.err, "No such file")) << nowhere.err;
}

TEST_F(Report, HoldsWhatAComparisonOrAHistoryHasFound) {
  ::setenv("IPCBENCH_PLOTS", sandbox_.path("plots").c_str(), 1);
  const Json document =
      document_of(Json::array({run_of("pipe", "flood", "messages_per_s", 1e6, 1)}));
  const ResultsFile file = records_of(document, "a.json");
  const Json cell{{"key", "flood/pipe/size:64/place:none"},
                  {"measure", "crumbs_per_s"},
                  {"verdict", "</script>"}};
  const std::string page =
      report_page({file, file}, {document, document}, {{"margin", 0.03}, {"cells", {cell}}});
  const std::string history = history_page({{"files", Json::array()}, {"series", {cell}}});
  ::unsetenv("IPCBENCH_PLOTS");
  EXPECT_EQ(results_blocks(page).size(), 2U);
  EXPECT_EQ(results_blocks(history).size(), 0U);
  for (const std::string& text : {page, history}) {
    EXPECT_TRUE(
        contains(text, R"("crumbs_per_s":{"label":"crumbs","unit":"/s","better":"higher"})"));
    EXPECT_TRUE(contains(text, R"("verdict":"\u003c/script>")"));
  }
}

TEST(Page, ItsBlocksComeBackAsTheyWere) {
  const std::string json = R"({"a":"</script><!--<script>","b":"\"<"})";
  const std::string page = "<!doctype html>" + json_block(results_class, json) +
                           json_block("other", "{}") + json_block(results_class, "[1]") +
                           json_block(results_class, "[2]").substr(0, 60);
  const auto blocks = results_blocks(page);
  ASSERT_EQ(blocks.size(), 2U) << "the last one is cut short";
  EXPECT_EQ(Json::parse(blocks[0]), Json::parse(json));
  EXPECT_EQ(Json::parse(blocks[1]), Json::parse("[1]"));
  EXPECT_TRUE(is_page(" \n<!DOCTYPE HTML>"));
  EXPECT_FALSE(is_page("{\"schema\": \"<!doctype html>\"}"));
  EXPECT_FALSE(is_page(""));
  EXPECT_EQ(escape_html("<a href='x'>&\"</a>"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;");
}

TEST(ChartData, KnowsNoMeasureByName) {
  Json runs = Json::array();
  for (int repeat = 1; repeat <= 7; ++repeat) {
    runs.push_back(run_of("pipe", "new_thing", "thinking_p50_ns", 100.0 * repeat, repeat));
    runs.push_back(run_of("carrier_pigeon", "new_rate", "crumbs_per_s", 2.0, repeat));
  }
  const Json data = chart_data_of(document_of(runs));
  EXPECT_EQ(data["scenarios"]["new_thing"]["main"], "thinking_p50_ns");
  EXPECT_EQ(data["scenarios"]["new_rate"]["main"], "crumbs_per_s");
  EXPECT_EQ(data["measures"]["thinking_p50_ns"]["label"], "thinking p50");
  EXPECT_EQ(data["measures"]["thinking_p50_ns"]["unit"], "ns");
  EXPECT_EQ(data["measures"]["crumbs_per_s"]["better"], "higher");
  const Json& thinking = data["cells"][0]["measures"]["thinking_p50_ns"];
  EXPECT_EQ(thinking[0], 400);
  EXPECT_GT(thinking[1], 100);
  EXPECT_LT(thinking[2], 700);
  EXPECT_EQ(thinking[3], 7);
  EXPECT_EQ(data["cells"][0]["family"], "pipe");
  EXPECT_EQ(data["cells"][1]["family"], "other");
  EXPECT_EQ(data["runs"].size(), 14U);
  EXPECT_EQ(data["files"][0]["command"], "ipcbench run -t 'it'\\''s' --seed 7");
}

TEST(ChartData, PercentilesAreThoseOfAllRepeatsTogether) {
  Json runs = Json::array();
  Histogram all;
  for (int repeat = 1; repeat <= 4; ++repeat) {
    Histogram own;
    for (std::uint64_t i = 0; i < 500; ++i) own.record(1'000 * repeat + i);
    all.merge(own);
    Json bins = Json::array();
    for (const auto& [index, count] : own.sparse()) bins.push_back({index, count});
    Json run =
        run_of("pipe", "ping_pong", "round_trip_p50_ns", *own.supported_quantile(0.5), repeat);
    run["histogram"] = {{"unit", "ns"}, {"sub_bucket_bits", 7}, {"value_bits", 36}, {"bins", bins}};
    runs.push_back(run);
  }
  const Json cell = chart_data_of(document_of(runs))["cells"][0];
  EXPECT_NEAR(cell["measures"]["round_trip_p99_ns"][0], *all.supported_quantile(0.99), 5)
      << "no repeat alone has ten samples beyond it";
  const Json& points = cell["percentiles"]["round_trip"];
  for (const Json& point : points) {
    const auto value = all.supported_quantile(1 - 1 / point[0].get<double>());
    ASSERT_TRUE(value) << point;
    EXPECT_NEAR(point[1].get<double>(), *value, *value / 1000) << point;
  }
  EXPECT_EQ(points.back()[0], 200) << "ten of 2,000 lie beyond 99.5 %";
  EXPECT_EQ(points[0].size(), 4U) << "with the interval of the repeats' own";
  EXPECT_EQ(points.back().size(), 2U) << "which they can't give here";
}

TEST(Tool, IsAFilter) {
  const ToolResult sorted = run_tool({"sort"}, "b\na\n");
  EXPECT_EQ(sorted.status, 0);
  EXPECT_EQ(sorted.out, "a\nb\n");
  EXPECT_EQ(run_tool({"sh", "-c", "echo wrong >&2; exit 5"}, "").status, 5);
  EXPECT_EQ(run_tool({"sh", "-c", "echo wrong >&2; exit 5"}, "").err, "wrong\n");
  EXPECT_EQ(run_tool({"sh", "-c", "kill -9 $$"}, "").status, 137);
  EXPECT_EQ(run_tool({"no-such-program-anywhere"}, "").status, 127);
  EXPECT_EQ(run_tool({"cat"}, std::string(3'000'000, 'x')).out.size(), 3'000'000U);
}

}  // namespace
}  // namespace ipcbench
