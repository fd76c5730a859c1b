#include "harness/export.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "harness/program_under_test.h"
#include "harness/results_for_test.h"

namespace ipcbench {
namespace {

ResultsFile exported() {
  ResultsFile file{.path = "a.json", .context = Json::object(), .runs = {}};
  add_trips(file, "pipe", 4'000, 2'000);
  add_flood(file, "pipe", 2e6);
  add_unmeasured(file, "pipe", "ping_pong", Status::failed, "broke");
  add_unmeasured(file, "tcp", "ping_pong", Status::skipped, "not here");
  add_unmeasured(file, "fifo", "flood", Status::failed, "broke");
  return file;
}

const char* const trip = "ping_pong/pipe/size:64/place:cross-core";
const char* const flood = "flood/pipe/size:64/place:cross-core";

TEST(Export, GoogleBenchmarkHasAnEntryForEachRun) {
  const Json json = to_gbench(exported());
  std::vector<Json> trips;
  for (const Json& entry : json["benchmarks"]) {
    EXPECT_GT(entry["real_time"].get<double>(), 0) << entry;
    if (entry["name"] == trip) trips.push_back(entry);
  }
  ASSERT_EQ(trips.size(), 6U) << "the failed one would be 0 ns";
  EXPECT_EQ(json["benchmarks"].size(), 2 * (6 + 4U)) << "with four aggregates each";
  EXPECT_EQ(trips[0]["run_type"], "iteration");
  EXPECT_EQ(trips[5]["repetition_index"], 5);
  EXPECT_EQ(trips[0]["repetitions"], 6);
  EXPECT_NEAR(trips[0]["real_time"].get<double>(), 4'000, 1);
  EXPECT_NEAR(trips[0]["cpu_time"].get<double>(), 4'000, 1) << "of two messages";
  for (const Json& entry : json["benchmarks"]) {
    if (entry["name"] == flood) {
      EXPECT_NEAR(entry["real_time"].get<double>(), 500, 1);
      EXPECT_NEAR(entry["items_per_second"].get<double>(), 2e6, 100);
    }
  }
}

TEST(Export, BencherHasValuesWithTheirIntervals) {
  const ResultsFile file = only_measured(exported());
  const Json json = to_bmf(summarise(file), file);
  ASSERT_EQ(json.size(), 2U) << json;
  EXPECT_NEAR(json[trip]["latency"]["value"].get<double>(), 4'000, 40);
  EXPECT_LE(json[trip]["latency"]["lower_value"], json[trip]["latency"]["value"]);
  EXPECT_NEAR(json[trip]["latency-p99"]["value"].get<double>(), 8'000, 80);
  EXPECT_NEAR(json[flood]["throughput"]["value"].get<double>(), 2e6, 100);
  EXPECT_FALSE(json[flood].contains("latency"));
  // https://bencher.dev/bmf.json: objects of objects of numbers, `value` among them.
  for (const auto& [name, metrics] : json.items())
    for (const auto& [slug, metric] : metrics.items()) {
      EXPECT_LE(slug.size(), 64U);
      EXPECT_TRUE(metric.contains("value"));
      for (const auto& [what, value] : metric.items()) EXPECT_TRUE(value.is_number()) << what;
    }
}

TEST(Export, GithubActionHasOneNumberForEachTime) {
  const ResultsFile file = only_measured(exported());
  const Json json = to_gha(summarise(file), file);
  std::vector<std::string> names;
  for (const Json& entry : json) {
    // The fields that customSmallerIsBetter takes, and no other.
    for (const auto& [key, value] : entry.items()) {
      if (key == "value")
        EXPECT_TRUE(value.is_number());
      else
        EXPECT_TRUE(value.is_string()) << key;
    }
    names.push_back(entry["name"]);
    EXPECT_EQ(entry["unit"], "ns");
  }
  const auto value = [&](const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    return found == names.end() ? -1 : json[found - names.begin()]["value"].get<double>();
  };
  EXPECT_NEAR(value(std::string(trip) + ": round trip p50"), 4'000, 40);
  EXPECT_NEAR(value(std::string(trip) + ": p99"), 8'000, 80);
  EXPECT_NEAR(value(std::string(flood) + ": time of one"), 500, 1) << "smaller is better";
  EXPECT_EQ(json.size(), 4U) << json;
}

/// What hdr-histogram-js 3.0.1 prints for 100 times 10, 50 times 20 and once 200, with five ticks.
constexpr const char* known_distribution =
    R"(       Value     Percentile TotalCount 1/(1-Percentile)

      10.000 0.000000000000        100           1.00
      10.000 0.100000000000        100           1.11
      10.000 0.200000000000        100           1.25
      10.000 0.300000000000        100           1.43
      10.000 0.400000000000        100           1.67
      10.000 0.500000000000        100           2.00
      10.000 0.550000000000        100           2.22
      10.000 0.600000000000        100           2.50
      10.000 0.650000000000        100           2.86
      20.000 0.700000000000        150           3.33
)";

TEST(Export, PercentileDistributionsAreThoseOfHdrHistogram) {
  Histogram histogram;
  for (int i = 0; i < 100; ++i) histogram.record(10);
  for (int i = 0; i < 50; ++i) histogram.record(20);
  histogram.record(200);
  const std::string text = to_hgrm(histogram);
  EXPECT_TRUE(text.starts_with(known_distribution)) << text;
  EXPECT_NE(text.find("      20.000 0.992968750000        150         142.22\n"
                      "     200.000 0.993750000000        151         160.00\n"
                      "     200.000 1.000000000000        151\n"
                      "#[Mean    =       14.570, StdDeviation   =       15.853]\n"
                      "#[Max     =      200.000, Total count    =          151]\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 44) << text;
}

TEST(Export, RunsAsCsv) {
  const std::string csv = to_run_csv({exported()});
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 13) << csv;
  EXPECT_TRUE(
      csv.starts_with("file,key,transport,scenario,size_bytes,placement,repeat,status,reason,"
                      "cpu_ns_per_message,messages_per_s,round_trip_mean_ns,"
                      "round_trip_p50_ns\n"))
      << csv;
  EXPECT_EQ(csv.find("failed"), std::string::npos);
}

TEST(Export, WritesFilesThatTheirReadersWant) {
  const Sandbox sandbox;
  const Json document = Json::parse(R"({"schema": "ipcbench/1", "context": {}, "plan": {}, "runs": [
    {"transport": "pipe", "scenario": "ping_pong", "size": 64, "placement": "none", "repeat": 1,
     "status": "ok", "reason": null, "round_trip_p50_ns": 700,
     "histogram": {"sub_bucket_bits": 7, "bins": [[600, 90], [702, 10]]}},
    {"transport": "tcp", "scenario": "ping_pong", "size": 64, "placement": "none", "repeat": 1,
     "status": "failed", "reason": "broke"}]})");
  const std::string file = sandbox.write("in.json", document.dump());
  for (const char* format : {"gbench", "bmf", "gha", "csv", "md", "hgrm"}) {
    const Finished finished = run_program(sandbox, {"export", file, "--format", format});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(finished.err, "left out: 1 failed runs, 0 cells that were skipped\n");
    EXPECT_NE(finished.out, "");
    EXPECT_EQ(finished.out.find("tcp"), std::string::npos) << finished.out;
  }
  const Finished directory =
      run_program(sandbox, {"export", file, "--format", "hgrm", "-o", sandbox.temporary()});
  EXPECT_EQ(directory.out, sandbox.temporary() + "/ping_pong_pipe_size_64_place_none.hgrm\n");
  const Finished nothing = run_program(sandbox, {"export", file, "--format", "bmf", "-f", "tcp"});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_NE(nothing.err.find("nothing was measured"), std::string::npos) << nothing.err;
}

}  // namespace
}  // namespace ipcbench
