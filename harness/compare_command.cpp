#include "harness/compare_command.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <map>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "harness/ab.h"
#include "harness/baseline.h"
#include "harness/build.h"
#include "harness/calibration.h"
#include "harness/clock.h"
#include "harness/commands.h"
#include "harness/compare.h"
#include "harness/compare_output.h"
#include "harness/explain.h"
#include "harness/options.h"
#include "harness/replan.h"
#include "harness/report_page.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

constexpr int explaining_runs = 5;

/// What is compared, as it was read, and grows by --settle.
struct Input {
  std::string base_path;
  std::string new_path;
  Json base;
  Json fresh;
  bool in_pairs = false;
  Json ab;  ///< the whole document where it is of `ab`, else null
};

void check_is_results(const Json& document, const std::string& path) {
  const Json schema = document.is_object() ? document.value("schema", Json()) : Json();
  if (schema == results_schema) return;
  throw UsageError(fmt::format("{}: has schema {}; expected \"{}\"", printable(path),
                               printable(dump(schema), 60), results_schema));
}

/// The document of `ab` itself, which read_documents takes apart.
Json whole_ab(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  Json document = Json::parse(text, nullptr, false);
  return document.is_object() && document.value("schema", Json()) == ab_schema ? document : Json();
}

Input read_one(const std::string& name) {
  const std::string path = file_or_baseline(name);
  std::vector<Json> documents = read_documents(path);
  if (documents.size() != 2)
    throw UsageError(
        fmt::format("{}: has {} results files in it; expected BASE and NEW, or one "
                    "file of 'ipcbench ab'",
                    printable(path), documents.size()));
  const bool in_pairs = has_pairs(documents[0]) && has_pairs(documents[1]);
  return {.base_path = path + " (old)",
          .new_path = path + " (new)",
          .base = std::move(documents[0]),
          .fresh = std::move(documents[1]),
          .in_pairs = in_pairs,
          .ab = in_pairs ? whole_ab(path) : Json()};
}

Json read_side(const std::string& path) {
  std::vector<Json> documents = read_documents(path);
  if (documents.size() != 1)
    throw UsageError(fmt::format("{}: has {} results files in it; expected one for each side",
                                 printable(path), documents.size()));
  return std::move(documents.front());
}

Input read_input(const std::vector<std::string>& names) {
  Input input;
  if (names.size() == 1) {
    input = read_one(names[0]);
  } else {
    input.base_path = file_or_baseline(names[0]);
    input.new_path = file_or_baseline(names[1]);
    // Both at a time: reading is most of the work.
    auto base = std::async(std::launch::async, read_side, input.base_path);
    input.fresh = read_side(input.new_path);
    input.base = base.get();
  }
  check_is_results(input.base, input.base_path);
  check_is_results(input.fresh, input.new_path);
  return input;
}

Comparison compare_input(const Input& input, const CompareOptions& options) {
  const Recording base = recording_of(input.base, input.base_path, options);
  const Recording fresh = recording_of(input.fresh, input.new_path, options);
  const std::optional<Json> calibration = calibration_of(fresh.context);
  Comparison comparison = compare(base, fresh, options, calibration);
  if (!options.in_pairs && !calibration)
    comparison.warnings.push_back(fmt::format(
        "recorded apart: what the machine did meanwhile looks like a change; below {:.0f} % "
        "nothing "
        "is alarmed ('ipcbench calibrate' learns what shows here, 'ipcbench ab' measures in pairs)",
        100 * options.apart_floor));
  else if (!options.in_pairs)
    comparison.warnings.push_back(
        "recorded apart: what the machine did meanwhile looks like a change; 'ipcbench ab' "
        "measures "
        "in pairs");
  return comparison;
}

/// NEW's plan, on this machine.
Plan plan_here(const Input& input) {
  return replan(plan_of(input.fresh, input.new_path), Topology(), "");
}

std::map<std::string, std::size_t> cells_by_key(const Plan& plan) {
  std::map<std::string, std::size_t> cells;
  for (std::size_t cell = 0; cell < plan.cells.size(); ++cell) cells[plan.cells[cell].key()] = cell;
  return cells;
}

/// Cells that more runs would settle, the cheapest first, as far as the budget goes: {key, runs}.
std::vector<std::pair<std::string, int>> to_settle(const Comparison& comparison, double budget_s) {
  std::vector<const Change*> open;
  for (const Change& change : comparison.changes)
    if (change.verdict == Judgement::inconclusive && change.runs_to_go > 0) open.push_back(&change);
  std::sort(open.begin(), open.end(),
            [](const Change* a, const Change* b) { return a->seconds_to_go < b->seconds_to_go; });
  std::vector<std::pair<std::string, int>> chosen;
  for (const Change* change : open) {
    budget_s -= change->seconds_to_go;
    if (budget_s < 0) break;
    const auto same = [&](const auto& other) { return other.first == change->key; };
    if (std::none_of(chosen.begin(), chosen.end(), same))
      chosen.emplace_back(change->key, change->runs_to_go);
  }
  return chosen;
}

/// Runs NEW's cells so many times more, by this program, in turn.
void settle_apart(Input& input, const std::vector<std::pair<std::string, int>>& open,
                  const Build& build) {
  const Plan plan = plan_here(input);
  const auto cells = cells_by_key(plan);
  std::map<std::string, int> last;
  for (const Json& run : input.fresh["runs"])
    if (run.is_object() && run.contains("key") && run["key"].is_string())
      last[run["key"].get<std::string>()] =
          std::max(last[run["key"].get<std::string>()], run.value("repeat", 0));
  int most = 0;
  for (const auto& [key, runs] : open) most = std::max(most, runs);
  for (int round = 0; round < most; ++round)
    for (const auto& [key, runs] : open) {
      const auto cell = cells.find(key);
      if (round >= runs || cell == cells.end()) continue;
      Json run = build.run(plan, plan.cells[cell->second])["runs"][0];
      run["repeat"] = ++last[key];
      run["order"] = input.fresh["runs"].size();
      run["why"] = "settle";
      input.fresh["runs"].push_back(std::move(run));
    }
}

/// As many fresh pairs as are missing, by the builds that the file names.
void settle_pairs(Input& input, const std::vector<std::pair<std::string, int>>& open,
                  const Build& old_build, const Build& new_build, const AbOptions& options) {
  const Plan plan = plan_here(input);
  const Json mixed = input.ab["context"].value("mixed", Json());
  const auto [old_run, new_run] =
      sides(old_build, new_build, mixed.is_string() ? mixed.get<std::string>() : "");
  Ab ab(old_run, new_run, {.plan = plan, .others = {}}, options);
  ab.load(input.ab, input.new_path);
  const auto cells = cells_by_key(plan);
  for (const auto& [key, pairs] : open)
    if (const auto cell = cells.find(key); cell != cells.end())
      ab.repeat({cell->second}, pairs, [](const Ab::Progress&) {});
  const Json others = input.ab.value("not_compared", Json::array());
  input.ab = ab.document(input.ab["context"], true);
  input.ab["not_compared"] = others;
  input.base = input.ab["old"];
  input.fresh = input.ab["new"];
}

std::string path_in(const Json& ab, const char* side) {
  const Json path = ab.at("context").value(side, Json());
  if (!path.is_string()) throw UsageError("the file doesn't say which programs it compares");
  return path.get<std::string>();
}

/// Whether a program is the one that a file was recorded with.
void warn_of_another_build(const Json& recorded, const Json& now, const std::string& name) {
  const Json::json_pointer digest("/context/machine/identity/binary_digest");
  if (recorded.contains(digest) && now.contains(digest) && recorded.at(digest) != now.at(digest))
    fmt::print(stderr, "warning: {} was recorded with another program than the one that runs now\n",
               name);
}

std::vector<Json> runs_of(const Json& document, const std::string& key) {
  std::vector<Json> runs;
  for (const Json& run : document["runs"])
    if (run.is_object() && run.value("key", Json()) == key &&
        (run.value("status", Json()) == text(Status::ok) ||
         run.value("status", Json()) == text(Status::suspect)))
      runs.push_back(run);
  return runs;
}

/// Runs the regressed cells with counters: both builds of an `ab` in turn, else this program, whose
/// runs are held against what BASE's file knows.
std::vector<Explanation> explain_regressed(const Input& input, const Comparison& comparison,
                                           const Build* old_build, const Build& new_build) {
  const Plan plan = plan_here(input);
  const auto cells = cells_by_key(plan);
  const std::map<std::string, std::string> environment{{"IPCBENCH_COUNTERS", "1"}};
  std::vector<Explanation> explanations;
  for (const Change& change : comparison.changes) {
    const auto cell = cells.find(change.key);
    if (change.verdict != Judgement::regressed || cell == cells.end()) continue;
    if (!explanations.empty() && explanations.back().key == change.key) continue;
    std::vector<Json> base;
    std::vector<Json> fresh;
    for (int i = 0; i < explaining_runs; ++i) {
      const PlannedCell& one = plan.cells[cell->second];
      if (old_build != nullptr) base.push_back(old_build->run(plan, one, environment)["runs"][0]);
      const Json document = new_build.run(plan, one, environment);
      if (explanations.empty() && i == 0) warn_of_another_build(input.fresh, document, "NEW");
      fresh.push_back(document["runs"][0]);
    }
    explanations.push_back(
        explain(change.key, old_build == nullptr ? runs_of(input.base, change.key) : base, fresh));
  }
  return explanations;
}

std::string settled_path(const CompareFlags& flags) {
  if (!flags.output.empty()) return flags.output;
  return fmt::format("{}/{:%Y-%m-%dT%H-%M-%SZ}-{}-settled.json", state_directory(),
                     fmt::gmtime(std::time(nullptr)), ::getpid());
}

/// What needs programs to be run. Returns the signal that ended it, or 0.
int measure_more(Input& input, Comparison& comparison, std::vector<Explanation>& explanations,
                 const CompareFlags& flags, const CompareOptions& options) {
  sweep();
  const double budget_s =
      static_cast<double>(parse_duration(flags.budget, "--budget", 0.1, 7 * 86'400)) / 1e9;
  const RunDirectory directory;
  Interrupts interrupts;
  const bool is_ab = !input.ab.is_null();
  const Build new_build("NEW", is_ab ? path_in(input.ab, "new") : own_path(), directory,
                        interrupts);
  std::optional<Build> old_build;
  if (is_ab) old_build.emplace("OLD", path_in(input.ab, "old"), directory, interrupts);
  try {
    const auto open =
        flags.settle ? to_settle(comparison, budget_s) : std::vector<std::pair<std::string, int>>{};
    if (flags.settle && open.empty())
      fmt::print(stderr, "--settle: nothing that more runs would settle within {}\n", flags.budget);
    if (!open.empty()) {
      int runs = 0;
      for (const auto& [key, count] : open) runs += count;
      fmt::print(
          stderr, "--settle: {} {} of {} cells\n", runs,
          is_ab ? "fresh pairs" : "runs of NEW by this program, recorded apart from the others",
          open.size());
      if (is_ab) {
        AbOptions ab_options;
        ab_options.budget_s = budget_s;
        ab_options.compare = options;
        settle_pairs(input, open, *old_build, new_build, ab_options);
      } else {
        settle_apart(input, open, new_build);
      }
      const std::string path = settled_path(flags);
      write_results(is_ab ? input.ab : input.fresh, path);
      fmt::print(stderr, "results: {}\n", path);
      comparison = compare_input(input, options);
    }
    if (flags.explain)
      explanations =
          explain_regressed(input, comparison, old_build ? &*old_build : nullptr, new_build);
  } catch (const Interrupted&) {
    return interrupts.arrived();
  }
  return 0;
}

}  // namespace

void add_compare_options(CLI::App& command, CompareFlags& flags) {
  command
      .add_option("file", flags.files,
                  "BASE and NEW: results files, pages or names of baselines; or one file of ab")
      ->required()
      ->expected(1, 2);
  command.add_option("--margin", flags.margin, "The smallest change that counts (2%)")
      ->type_name("N%");
  command
      .add_option("--metric", flags.metrics,
                  "Measures, such as p50,p99,cpu_ns_per_message (time: in quiet moments)")
      ->type_name("LIST");
  command.add_option("--format", flags.format, "text, md, json or csv")->type_name("FORMAT");
  command.add_flag("--settle", flags.settle, "Make the runs that are missing for a verdict");
  command.add_option("--budget", flags.budget, "Time for --settle (10min)")->type_name("TIME");
  command.add_option("-o,--output", flags.output, "Results file for what --settle measures")
      ->type_name("FILE");
  command.add_option("--page", flags.page, "Also as a page for a browser, with both files in it")
      ->type_name("FILE");
  command.add_flag("--explain", flags.explain, "Run what regressed again, and say what moved");
  command.add_flag("--strict", flags.strict,
                   "Exit with 4 where something is inconclusive or missing in NEW");
  command.add_option("--color", flags.color, "auto, always or never")
      ->type_name("WHEN")
      ->envname("IPCBENCH_COLOR");
}

int compare_command(const CompareFlags& flags) {
  const CompareFormat format = parse_compare_format(flags.format);
  const bool color = wants_color(flags.color, STDOUT_FILENO);
  if (flags.explain && format == CompareFormat::csv)
    throw UsageError("--explain: has no place in --format csv; expected text, md or json");
  CompareOptions options;
  options.margin = parse_percent(flags.margin, "--margin", 0, 100);
  options.metrics = split_list(flags.metrics, "--metric");
  Input input = read_input(flags.files);
  options.in_pairs = input.in_pairs;
  Comparison comparison = compare_input(input, options);

  std::vector<Explanation> explanations;
  if (flags.settle || flags.explain) {
    try {
      if (const int signal = measure_more(input, comparison, explanations, flags, options))
        return 128 + signal;
    } catch (const BuildError& error) {
      fmt::print(stderr, "ipcbench: {}\n", error.what());
      return exit_failed;
    }
  }
  if (format == CompareFormat::json) {
    Json document = to_json(comparison, options, input.base_path, input.new_path);
    if (flags.explain) document["explanations"] = Json::array();
    for (const Explanation& one : explanations) document["explanations"].push_back(to_json(one));
    fmt::print("{}\n", dump(document, 2));
  } else {
    fmt::print("{}", render(comparison, options, input.base_path, input.new_path, format, color));
    const std::string fence = format == CompareFormat::markdown ? "```\n" : "";
    for (const Explanation& one : explanations)
      fmt::print("\n{}{}{}", fence, render(one, options.margin), fence);
  }
  append_step_summary(comparison, options, input.base_path, input.new_path);
  if (!flags.page.empty()) {
    const std::vector<ResultsFile> files{records_of(input.base, input.base_path),
                                         records_of(input.fresh, input.new_path)};
    write_file(flags.page,
               report_page(files, {input.base, input.fresh}, changes_json(comparison, options)));
  }
  return exit_status(comparison, flags.strict);
}

int compare_with_baseline(const std::string& baseline, const Json& document,
                          const std::string& path, bool is_quiet, bool color) {
  const std::string base_path = baseline_path(baseline);
  const Input input{.base_path = base_path,
                    .new_path = path,
                    .base = read_side(base_path),
                    .fresh = document,
                    .in_pairs = false,
                    .ab = Json()};
  check_is_results(input.base, base_path);
  const CompareOptions options;
  const Comparison comparison = compare_input(input, options);
  if (!is_quiet)
    fmt::print("\n{}", render(comparison, options, base_path, path, CompareFormat::text, color));
  append_step_summary(comparison, options, base_path, path);
  return exit_status(comparison, false);
}

}  // namespace ipcbench
