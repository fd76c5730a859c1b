// The rule of compare: on numbers with known answers, on simulated noise, and as a user sees it.
#include "harness/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include <fmt/format.h>

#include "harness/compare_output.h"
#include "harness/explain.h"
#include "harness/program_under_test.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

/// A run whose sub-batches all took the same time.
Json run_of(const std::string& transport, int repeat, double ns) {
  return {{"key", fmt::format("ping_pong/{}/size:64/place:same-core", transport)},
          {"transport", transport},
          {"scenario", "ping_pong"},
          {"size", 64},
          {"placement", "same-core"},
          {"repeat", repeat},
          {"status", "ok"},
          {"reason", nullptr},
          {"took_ns", 50'000'000},
          {"batch_operations", 100},
          {"batch_ns", {100 * ns, 100 * ns}}};
}

Json file_of(const std::vector<Json>& runs) {
  const Json identity{{"cpu_model", "A"}, {"kernel_release", "6.1"}};
  return {{"schema", "ipcbench/1"},
          {"context", {{"machine", {{"identity", identity}}}}},
          {"plan", Json::object()},
          {"runs", runs}};
}

/// So many repeats of a cell, each by the function.
std::vector<Json> repeats(const std::string& transport, int count,
                          const std::function<double(int)>& ns) {
  std::vector<Json> runs;
  for (int i = 1; i <= count; ++i) runs.push_back(run_of(transport, i, ns(i)));
  return runs;
}

Comparison compared(const Json& base, const Json& fresh, const CompareOptions& options = {},
                    const std::optional<Json>& calibration = std::nullopt) {
  return compare(recording_of(base, "base", options), recording_of(fresh, "new", options), options,
                 calibration);
}

/// Ten values around 1000, in no order.
double around(int i) {
  return 1000 + (i * 7) % 10;
}

TEST(Compare, SaysWhatRegressedImprovedOrIsTheSame) {
  const Json base = file_of(repeats("pipe", 10, around));
  const auto scaled = [&](double factor) {
    return file_of(repeats("pipe", 10, [=](int i) { return factor * around(i); }));
  };
  EXPECT_EQ(compared(base, scaled(1.10)).changes.at(0).verdict, Judgement::regressed);
  EXPECT_EQ(compared(base, scaled(0.90)).changes.at(0).verdict, Judgement::improved);
  EXPECT_EQ(compared(base, scaled(1.00)).changes.at(0).verdict, Judgement::same);
  EXPECT_EQ(compared(base, scaled(1.02)).changes.at(0).verdict, Judgement::inconclusive);
  const Change change = compared(base, scaled(1.10)).changes.at(0);
  EXPECT_NEAR(change.ratio->median, 1.10, 0.001);
  EXPECT_LT(change.ratio->low, 1.10);
  EXPECT_GT(change.ratio->high, 1.10);
  EXPECT_EQ(change.metric, "batch_q10_ns");
}

TEST(Compare, AMoreThatIsBetterIsNoRegression) {
  CompareOptions options;
  options.metrics = {"messages_per_s"};
  const auto with_rate = [](double rate) {
    std::vector<Json> runs = repeats("pipe", 10, around);
    for (Json& run : runs) run["messages_per_s"] = rate + run["repeat"].get<int>();
    return file_of(runs);
  };
  EXPECT_EQ(compared(with_rate(1e6), with_rate(1.2e6), options).changes.at(0).verdict,
            Judgement::improved);
  EXPECT_EQ(compared(with_rate(1e6), with_rate(0.8e6), options).changes.at(0).verdict,
            Judgement::regressed);
}

TEST(Compare, SaysHowManyRunsWouldSettleIt) {
  const auto noisy = [](double factor) {
    return file_of(repeats("pipe", 8, [=](int i) { return factor * (1000 + 20 * (i * 5 % 8)); }));
  };
  const Change change = compared(noisy(1), noisy(1.06)).changes.at(0);
  EXPECT_EQ(change.verdict, Judgement::inconclusive);
  EXPECT_GT(change.runs_to_go, 0);
  EXPECT_NEAR(change.seconds_to_go, change.runs_to_go * 0.05, 1e-9);
  const Change few =
      compared(file_of(repeats("pipe", 2, around)), file_of(repeats("pipe", 2, around)))
          .changes.at(0);
  EXPECT_EQ(few.verdict, Judgement::inconclusive);
  EXPECT_EQ(few.runs_to_go, 2);
}

TEST(Compare, AlarmsNothingBelowTheFloor) {
  const Json base = file_of(repeats("pipe", 10, around));
  const Json fresh = file_of(repeats("pipe", 10, [](int i) { return 1.10 * around(i); }));
  const Json calibration{{"cells",
                          {{"ping_pong/pipe/size:64/place:same-core",
                            {{"metrics", {{"batch_q10_ns", {{"smallest_change", 0.2}}}}}}}}}};
  const Change change = compared(base, fresh, {}, calibration).changes.at(0);
  EXPECT_EQ(change.verdict, Judgement::inconclusive);
  EXPECT_NE(change.why.find("20.0 %"), std::string::npos) << change.why;
  EXPECT_EQ(change.runs_to_go, 0) << "more runs don't mend that";
  // Recordings made apart differ by some per cent whatever is compared.
  const Json little = file_of(repeats("pipe", 10, [](int i) { return 1.04 * around(i); }));
  EXPECT_EQ(compared(base, little).changes.at(0).verdict, Judgement::inconclusive);
  CompareOptions paired;
  paired.in_pairs = true;
  EXPECT_EQ(compared(base, little, paired).changes.at(0).verdict, Judgement::regressed);
}

TEST(Compare, ListsWhatItDoesNotCompare) {
  std::vector<Json> before = repeats("pipe", 6, around);
  std::vector<Json> after = repeats("pipe", 6, around);
  before.push_back(run_of("gone", 1, 1000));
  after.push_back(run_of("come", 1, 1000));
  before.push_back(run_of("broken", 1, 1000));
  Json failed = run_of("broken", 1, 1000);
  failed["status"] = "failed";
  failed["reason"] = "consumer killed by SIGSEGV";
  after.push_back(failed);
  const Comparison comparison = compared(file_of(before), file_of(after));
  ASSERT_EQ(comparison.uncompared.size(), 3u);
  EXPECT_EQ(comparison.changes.size(), 1u);
  EXPECT_EQ(comparison.uncompared[0].reason, "only in BASE");
  EXPECT_TRUE(comparison.uncompared[1].is_broken);
  EXPECT_NE(comparison.uncompared[1].reason.find("SIGSEGV"), std::string::npos);
  EXPECT_EQ(comparison.uncompared[2].reason, "only in NEW");
  EXPECT_EQ(exit_status(comparison, false), 3);
}

TEST(Compare, AScreenedSuspectIsJudgedByItsFreshPairsAlone) {
  CompareOptions options;
  options.in_pairs = true;
  std::vector<Json> before;
  std::vector<Json> after;
  for (int i = 1; i <= 40; ++i) {
    const bool is_fresh = i > 10;
    before.push_back(run_of("pipe", i, 1000 + i % 3));
    after.push_back(run_of("pipe", i, is_fresh ? 1000 + (i + 1) % 3 : 2000));
    for (Json* run : {&before.back(), &after.back()})
      (*run)["stage"] = is_fresh ? "fresh" : "screening";
  }
  EXPECT_EQ(compared(file_of(before), file_of(after), options).changes.at(0).verdict,
            Judgement::same);
  before.resize(10);
  after.resize(10);
  const Change change = compared(file_of(before), file_of(after), options).changes.at(0);
  EXPECT_EQ(change.verdict, Judgement::inconclusive) << "nothing rests on screening alone";
}

TEST(Compare, WarnsOfAnotherMachine) {
  const Json base = file_of(repeats("pipe", 6, around));
  Json fresh = base;
  EXPECT_TRUE(compared(base, fresh).warnings.empty());
  fresh["context"]["machine"]["identity"]["cpu_model"] = "B";
  ASSERT_EQ(compared(base, fresh).warnings.size(), 1u);
  EXPECT_NE(compared(base, fresh).warnings[0].find("cpu_model"), std::string::npos);
  fresh["context"] = Json::object();
  EXPECT_EQ(compared(base, fresh).warnings.size(), 1u);
}

TEST(Compare, RefusesWhatIsMalformed) {
  const std::vector<std::function<void(Json&)>> spoilers{
      [](Json& file) { file["runs"] = 5; },
      [](Json& file) { file["runs"][0] = 5; },
      [](Json& file) { file["runs"][0]["key"] = 5; },
      [](Json& file) { file["runs"][0]["key"] = std::string(10'000'000, 'k'); },
      [](Json& file) { file["runs"][0]["status"] = "perhaps"; },
      [](Json& file) { file["runs"][0]["batch_ns"] = "all"; },
      [](Json& file) {
        file["runs"][0]["batch_ns"] = Json::array({1, "two"});
      },
      [](Json& file) { file["runs"][0]["batch_operations"] = -1; },
      [](Json& file) { file["context"] = 5; }};
  for (const auto& spoil : spoilers) {
    Json file = file_of(repeats("pipe", 2, around));
    spoil(file);
    EXPECT_THROW(recording_of(file, "spoiled", {}), UsageError);
  }
}

// The tables of Mann and Whitney, and the example of Benjamini and Hochberg (1995), section 3.2.

TEST(CompareRule, HasTheKnownDistributionsAndThresholds) {
  // All of four values above all of four others: 1 of 70 orders.
  const std::vector<double> low{0.1, 0.2, 0.3, 0.4};
  const std::vector<double> high{1.1, 1.2, 1.3, 1.4};
  const Shift shift = shift_of_samples(low, high, 0, 0.95);
  EXPECT_NEAR(shift.p_up, 1.0 / 70, 1e-9);
  EXPECT_NEAR(shift.p_down, 1, 1e-9);
  ASSERT_TRUE(shift.log_ratio);
  EXPECT_NEAR(shift.log_ratio->median, 1.0, 1e-9);
  EXPECT_NEAR(shift.log_ratio->low, 0.7, 1e-9);
  EXPECT_NEAR(shift.log_ratio->confidence, 1 - 2.0 / 70, 1e-9);
  EXPECT_FALSE(shift_of_samples({0.1, 0.2}, {0.3, 0.4}, 0, 0.95).log_ratio);
  // Ten of ten: 1 of 1024.
  EXPECT_NEAR(shift_of_pairs(std::vector<double>(10, 0.1), 0.05, 0.95).p_up, 1.0 / 1024, 1e-12);

  const std::vector<double> p{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                              0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0};
  const std::vector<bool> rejected = benjamini_hochberg(p, 0.05);
  EXPECT_EQ(std::count(rejected.begin(), rejected.end(), true), 4);
  EXPECT_TRUE(benjamini_hochberg({}, 0.05).empty());
}

/// Noise as on a busy machine: heavy tails, a drift that all cells share, and repeats that resemble
/// their neighbours.
class NoisyMachine {
 public:
  explicit NoisyMachine(std::uint64_t seed) : random_(seed) {}
  /// The factor of one run. Pairs are made one right after the other.
  double next() {
    mood_ = 0.8 * mood_ + 0.02 * normal();
    const bool is_disturbed = random_() % 10 == 0;
    return std::exp(mood_ + 0.02 * normal() + (is_disturbed ? 0.3 * uniform() : 0));
  }
  void drift(double log_factor) { mood_ += log_factor; }

 private:
  double uniform() { return static_cast<double>(random_() >> 11) / 9007199254740992.0; }
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum;
  }
  std::mt19937_64 random_;
  double mood_ = 0;
};

/// The share of calls over 12 cells with any cell of that verdict, in pairs.
double share_of_calls(Judgement verdict, double factor, int pairs) {
  constexpr int calls = 200;
  CompareOptions options;
  options.in_pairs = true;
  int hits = 0;
  for (int call = 0; call < calls; ++call) {
    NoisyMachine machine(static_cast<std::uint64_t>(call + 1));
    Recording base{.path = "base", .context = {}, .keys = {}, .cells = {}};
    Recording fresh = base;
    for (int pair = 1; pair <= pairs; ++pair)
      for (int cell = 0; cell < 12; ++cell) {
        const std::string key = fmt::format("cell {}", cell);
        for (const bool is_new : {call % 2 == 0, call % 2 != 0}) {
          Recording& side = is_new ? fresh : base;
          CellSide& repeats = side.cells[key];
          if (repeats.measured++ == 0) side.keys.push_back(key);
          CellSide::Metric& metric = repeats.metrics["time"];
          metric.name = "batch_q10_ns";
          metric.values.emplace_back(pair, 1000 * machine.next() * (is_new ? factor : 1));
        }
      }
    hits += compare(base, fresh, options, std::nullopt).count(verdict) > 0 ? 1 : 0;
  }
  std::printf("  %d pairs, ratio %.2f: %d of %d calls with a cell that %s\n", pairs, factor, hits,
              calls, std::string(text(verdict)).c_str());
  return static_cast<double>(hits) / calls;
}

TEST(CompareRule, RaisesFewFalseAlarmsAndFindsWhatIsThere) {
  EXPECT_LE(share_of_calls(Judgement::regressed, 1.00, 10), 0.05);
  EXPECT_LE(share_of_calls(Judgement::regressed, 1.00, 25), 0.05);
  EXPECT_LE(share_of_calls(Judgement::improved, 1.00, 25), 0.05);
  EXPECT_GE(share_of_calls(Judgement::regressed, 1.10, 25), 0.90);
  EXPECT_GE(share_of_calls(Judgement::regressed, 1.05, 25), 0.60);
}

TEST(CompareRule, ADriftBetweenTwoFilesIsNoAlarmBelowTheFloor) {
  int alarms = 0;
  constexpr int calls = 200;
  for (int call = 0; call < calls; ++call) {
    NoisyMachine machine(static_cast<std::uint64_t>(call + 1));
    const Json base = file_of(repeats("pipe", 10, [&](int) { return 1000 * machine.next(); }));
    machine.drift(call % 2 == 0 ? 0.03 : -0.03);
    const Json fresh = file_of(repeats("pipe", 10, [&](int) { return 1000 * machine.next(); }));
    alarms += compared(base, fresh).count(Judgement::regressed);
  }
  std::printf("  recorded apart, with a drift: %d alarms in %d\n", alarms, calls);
  EXPECT_LE(alarms, calls / 20);
}

TEST(Explain, OrdersWhatMovedAndSaysWhatCannotBeKnown) {
  Json before{{"count", 10}, {"cpu_ns_per_message", 100}, {"system_calls_per_message", 2}};
  Json after{{"count", 10}, {"cpu_ns_per_message", 110}, {"system_calls_per_message", 4}};
  after["missing"]["instructions_per_message"] = "no counters here";
  before["instructions_per_message"] = 500;
  const Explanation explanation = explain("k", {before}, {after});
  EXPECT_EQ(explanation.movements.at(0).name, "system calls");
  EXPECT_EQ(explanation.movements.at(1).name, "CPU time");
  const std::string shown = render(explanation, 0.02);
  EXPECT_NE(shown.find("+100.0 %"), std::string::npos) << shown;
  EXPECT_NE(shown.find("instructions (NEW: no counters here)"), std::string::npos) << shown;
}

// As a user sees it.

std::string write_json(const Sandbox& sandbox, const std::string& name, const Json& document) {
  return sandbox.write(name, dump(document));
}

TEST(CompareCommand, ExitsAsItFound) {
  const Sandbox sandbox;
  const auto scaled = [&](const std::string& name, double factor) {
    return write_json(sandbox, name,
                      file_of(repeats("pipe", 10, [=](int i) { return factor * around(i); })));
  };
  const std::string base = scaled("base.json", 1);
  const auto status = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"compare", base});
    return run_program(sandbox, arguments).status;
  };
  EXPECT_EQ(status({scaled("same.json", 1)}), 0);
  EXPECT_EQ(status({scaled("slower.json", 1.3)}), 1);
  EXPECT_EQ(status({scaled("faster.json", 0.7)}), 0);
  const std::string open = scaled("open.json", 1.02);
  EXPECT_EQ(status({open}), 0);
  EXPECT_EQ(status({open, "--strict"}), 4);
  EXPECT_EQ(status({open, "--margin", "10%"}), 0);
  EXPECT_EQ(status({open, "--margin", "much"}), 2);
  EXPECT_EQ(status({open, "--format", "html"}), 2);
  EXPECT_EQ(status({sandbox.path("none.json")}), 2);
  EXPECT_EQ(status({sandbox.write("cut.json", "{\"schema\": \"ipcb")}), 2);
  EXPECT_EQ(status({sandbox.write("new.json", R"({"schema": "ipcbench/9"})")}), 2);
  EXPECT_EQ(status({}), 2) << "one file has one side";
  const std::string other = write_json(sandbox, "other.json", file_of(repeats("fifo", 10, around)));
  EXPECT_EQ(status({other}), 77);
}

TEST(CompareCommand, SaysTheSameEveryTimeInEveryFormat) {
  const Sandbox sandbox;
  const std::string base = write_json(sandbox, "base.json", file_of(repeats("pipe", 10, around)));
  const std::string fresh = write_json(
      sandbox, "new.json", file_of(repeats("pipe", 10, [](int i) { return 1.3 * around(i); })));
  for (const std::string format : {"text", "md", "json", "csv"}) {
    const Finished first = run_program(sandbox, {"compare", base, fresh, "--format", format});
    const Finished second = run_program(sandbox, {"compare", base, fresh, "--format", format});
    EXPECT_EQ(first.status, 1) << first.err;
    EXPECT_EQ(first.out, second.out);
    EXPECT_NE(first.out.find("regressed"), std::string::npos) << first.out;
    EXPECT_NE(first.out.find("ping_pong/pipe/size:64/place:same-core"), std::string::npos);
  }
  const Json document =
      Json::parse(run_program(sandbox, {"compare", base, fresh, "--format", "json"}).out);
  EXPECT_EQ(document["schema"], "ipcbench-comparison/1");
  EXPECT_EQ(document["counts"]["regressed"], 1);
}

TEST(CompareCommand, AppendsToTheStepSummary) {
  const Sandbox sandbox;
  const std::string base = write_json(sandbox, "base.json", file_of(repeats("pipe", 6, around)));
  const std::string summary = sandbox.write("summary.md", "before\n");
  const Finished done = run_program(
      sandbox, Command{{"compare", base, base}, {{"GITHUB_STEP_SUMMARY", summary}}, {}, ""});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_TRUE(sandbox.read("summary.md").starts_with("before\n"));
  EXPECT_NE(sandbox.read("summary.md").find("| same |"), std::string::npos)
      << sandbox.read("summary.md");
}

TEST(CompareCommand, KnowsBaselines) {
  const Sandbox sandbox;
  const std::vector<std::string> measure{
      "run", "-q", "-t",          "pipe", "-S", "ping_pong", "-s",         "64",
      "-r",  "4",  "--placement", "none", "-w", "1ms",       "--min-time", "1ms"};
  const auto with = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = measure;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(sandbox, arguments);
  };
  EXPECT_EQ(with({"--baseline", "main"}).status, 2) << "there is none yet";
  EXPECT_EQ(with({"--save-baseline", "../main"}).status, 2);
  const Finished saved = with({"--save-baseline", "main", "-o", sandbox.path("out.json")});
  EXPECT_EQ(saved.status, 0) << saved.err;
  const Finished listed = run_program(sandbox, {"baseline", "list"});
  EXPECT_TRUE(listed.out.starts_with("main ")) << listed.out;
  const Finished compared = run_program(sandbox, {"compare", "main", sandbox.path("out.json")});
  EXPECT_EQ(compared.status, 0) << compared.out << compared.err;
  const int status = with({"--baseline", "main"}).status;
  EXPECT_TRUE(status == 0 || status == 1) << status;
  EXPECT_EQ(run_program(sandbox, {"compare", "mian", "main"}).status, 2);
  EXPECT_EQ(run_program(sandbox, {"baseline", "remove", "main"}).status, 0);
  EXPECT_EQ(run_program(sandbox, {"baseline", "remove", "main"}).status, 2);
}

TEST(CompareCommand, SettlesWithTheRunsThatAreMissing) {
  const Sandbox sandbox;
  const std::string file = sandbox.path("two.json");
  run_program(sandbox, {"run", "-q",  "-t",         "pipe",      "-S", "ping_pong",   "-s",
                        "64",  "-r",  "2",          "--retries", "0",  "--placement", "none",
                        "-w",  "1ms", "--min-time", "1ms",       "-o", file});
  const std::string settled = sandbox.path("settled.json");
  const Finished done =
      run_program(sandbox, {"compare", file, file, "--settle", "-o", settled, "--explain"});
  EXPECT_NE(done.err.find("runs of NEW by this program"), std::string::npos) << done.err;
  EXPECT_EQ(Json::parse(sandbox.read("settled.json"))["runs"].size(), 4u) << done.err;
  EXPECT_TRUE(sandbox.leftovers().empty());
}

TEST(CompareCommand, TakesTenThousandCellsInASecond) {
  const Sandbox sandbox;
  std::vector<Json> runs;
  for (int cell = 0; cell < 10'000; ++cell)
    for (int repeat = 1; repeat <= 4; ++repeat)
      runs.push_back(run_of(fmt::format("row_{}", cell), repeat, around(cell + repeat)));
  const std::string file = sandbox.write("large.json", results_text(file_of(runs)));
  const std::int64_t start_ns = monotonic_ns();
  const Finished done = run_program(sandbox, {"compare", file, file, "--format", "csv"});
  const double seconds = static_cast<double>(monotonic_ns() - start_ns) / 1e9;
  std::printf("  10,000 cells: %.2f s\n", seconds);
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(std::count(done.out.begin(), done.out.end(), '\n'), 10'001);
  EXPECT_LT(seconds, 10) << "a busy machine takes longer than a second";
}

}  // namespace
}  // namespace ipcbench
