#include "harness/ab.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "harness/calibration.h"
#include "harness/clock.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

constexpr double start_s = 0.06;  ///< what a program takes beside its run
constexpr int failures_max = 2;   ///< of a cell, after which it is left alone
/// Of the two-sided sign test on the screening pairs: 7 of 10 on one side are enough.
constexpr double suspicion = 0.4;
constexpr double screening_share = 0.6;  ///< of the budget, at most

const char* const screening = "screening";
const char* const fresh_pairs = "fresh";

Json side_json(const Json& context, const Plan& plan, const std::vector<PlannedRun>& order,
               const std::vector<Json>& runs, bool complete) {
  Plan executed = plan;
  executed.order = order;
  return results_json(context, executed, runs, complete);
}

}  // namespace

CommonPlan common_plan(const Plan& old_plan, const Plan& new_plan) {
  CommonPlan common{.plan = new_plan, .others = {}};
  common.plan.cells.clear();
  common.plan.order.clear();
  std::map<std::string, const PlannedCell*> known;
  for (const PlannedCell& cell : old_plan.cells) known[cell.key()] = &cell;
  for (const PlannedCell& cell : new_plan.cells) {
    const std::string key = cell.key();
    const auto found = known.find(key);
    if (found == known.end()) {
      common.others.push_back({key, "only in NEW"});
      continue;
    }
    const PlannedCell& before = *found->second;
    known.erase(found);
    if (cell.skipped.empty() && before.skipped.empty())
      common.plan.cells.push_back(cell);
    else if (before.skipped.empty())
      common.others.push_back({key, "skipped in NEW: " + printable(cell.skipped, 300)});
    else
      common.others.push_back({key, "skipped in OLD: " + printable(before.skipped, 300)});
  }
  for (const PlannedCell& cell : old_plan.cells)
    if (known.contains(cell.key())) common.others.push_back({cell.key(), "only in BASE"});
  return common;
}

Ab::Ab(Run old_run, Run new_run, CommonPlan common, const AbOptions& options)
    : runs_{std::move(old_run), std::move(new_run)},
      common_(std::move(common)),
      options_(options),
      random_(options.seed),
      start_ns_(monotonic_ns()),
      cells_(common_.plan.cells.size()) {}

double Ab::spent_s() const {
  return static_cast<double>(monotonic_ns() - start_ns_) / 1e9;
}

double Ab::pair_s(std::size_t cell) const {
  const CellState& state = cells_[cell];
  if (state.spent_s > 0) return state.spent_s / state.measured;
  Plan one = common_.plan;
  one.order = {{cell, 1}};
  return 2 * (one.estimate_s() + start_s);
}

double Ab::estimate_s() const {
  double seconds = 0;
  for (std::size_t cell = 0; cell < cells_.size(); ++cell)
    seconds += pair_s(cell) * options_.screening_pairs;
  return seconds;
}

void Ab::execute_pair(std::size_t cell, const std::string& stage) {
  CellState& state = cells_[cell];
  const std::int64_t start_ns = monotonic_ns();
  const int repeat = ++state.pairs;
  const bool new_first = random_() % 2 == 1;
  bool has_failed = false;
  for (const bool is_new : {new_first, !new_first}) {
    Record& record = records_[is_new ? 1 : 0];
    Json document = runs_[is_new ? 1 : 0](common_.plan, common_.plan.cells[cell]);
    if (record.context.is_null()) record.context = document["context"];
    Json& run = document["runs"][0];
    run["repeat"] = repeat;
    run["order"] = run_count_++;
    run["stage"] = stage;
    has_failed |= run.value("status", "") == text(Status::failed);
    record.order.push_back({cell, repeat});
    record.runs.push_back(std::move(run));
  }
  state.failures += has_failed ? 1 : 0;
  ++state.measured;
  state.spent_s += static_cast<double>(monotonic_ns() - start_ns) / 1e9;
}

void Ab::execute_stage(const std::string& stage, const std::vector<std::size_t>& cells, int pairs,
                       const std::function<void(const Progress&)>& report) {
  Progress progress{.stage = stage == screening ? "screening" : "fresh pairs",
                    .total = cells.size() * static_cast<std::size_t>(pairs)};
  std::vector<std::size_t> round = cells;
  for (int pair = 0; pair < pairs; ++pair) {
    shuffle(round, random_);
    for (std::size_t i = 0; i < round.size(); ++i) {
      const std::size_t cell = round[i];
      if (cells_[cell].failures < failures_max) execute_pair(cell, stage);
      ++progress.done;
      progress.cell = &common_.plan.cells[cell];
      progress.remaining_s = 0;
      for (std::size_t j = 0; j < round.size(); ++j)
        progress.remaining_s += pair_s(round[j]) * (pairs - pair - (j <= i ? 1 : 0));
      report(progress);
    }
    // A machine that is slower than was thought: what was screened so far has to do.
    if (stage == screening && pair + 1 >= screening_pairs_min &&
        spent_s() > screening_share * options_.budget_s)
      return;
    if (spent_s() > options_.budget_s) return;
  }
}

/// Those whose median is beyond half the margin, with most pairs on its side: the largest change
/// first.
std::vector<std::size_t> Ab::suspects() const {
  CompareOptions against_nothing = options_.compare;
  against_nothing.margin = 0;
  std::map<std::string, double> sizes;
  for (const Change& change : judged(against_nothing).changes) {
    if (!change.ratio) continue;
    const double size = std::abs(std::log(change.ratio->median));
    if (size > std::log1p(options_.compare.margin) / 2 && change.p <= suspicion)
      sizes[change.key] = std::max(sizes[change.key], size);
  }
  if (options_.settles)
    for (const Change& change : judged(options_.compare).changes)
      if (change.verdict != Judgement::same) sizes.try_emplace(change.key, 0);
  std::vector<std::pair<double, std::size_t>> found;
  for (std::size_t cell = 0; cell < cells_.size(); ++cell)
    if (const auto size = sizes.find(common_.plan.cells[cell].key());
        size != sizes.end() && cells_[cell].failures < failures_max)
      found.emplace_back(-size->second, cell);
  std::sort(found.begin(), found.end());
  std::vector<std::size_t> suspects;
  for (const auto& [size, cell] : found) suspects.push_back(cell);
  return suspects;
}

void Ab::execute(const std::function<void(const Progress&)>& report) {
  std::vector<std::size_t> all(cells_.size());
  for (std::size_t cell = 0; cell < all.size(); ++cell) all[cell] = cell;
  const double round_s = estimate_s() / options_.screening_pairs;
  const double limit_s = screening_share * options_.budget_s;
  const int fitting = static_cast<int>(std::min(1e6, limit_s / round_s));
  if (fitting < std::min(options_.screening_pairs, screening_pairs_min))
    throw UsageError(fmt::format(
        "{} cells in {} pairs each take about {}, and as much again for those that stand out; "
        "expected that to fit into --budget {}: choose fewer cells, or give more time",
        all.size(), screening_pairs_min, time_text(round_s * screening_pairs_min),
        time_text(options_.budget_s)));
  execute_stage(screening, all, std::min(options_.screening_pairs, fitting), report);

  std::vector<std::size_t> chosen = suspects();
  const auto cost_s = [&] {
    double sum = 0;
    for (const std::size_t cell : chosen) sum += pair_s(cell);
    return sum;
  };
  const double left_s = options_.budget_s - spent_s();
  const int least = std::min(options_.fresh_pairs, fresh_pairs_min);
  while (!chosen.empty() && cost_s() * least > left_s) chosen.pop_back();
  if (chosen.empty()) return;
  const int pairs = static_cast<int>(std::min<double>(options_.fresh_pairs, left_s / cost_s()));
  repeat(chosen, pairs, report);
}

void Ab::repeat(const std::vector<std::size_t>& cells, int pairs,
                const std::function<void(const Progress&)>& report) {
  execute_stage(fresh_pairs, cells, pairs, report);
}

Comparison Ab::comparison() const {
  Comparison comparison = judged(options_.compare);
  comparison.uncompared.insert(comparison.uncompared.end(), common_.others.begin(),
                               common_.others.end());
  return comparison;
}

Comparison Ab::judged(const CompareOptions& options) const {
  const auto side = [](const Record& record) -> Json {
    return {{"context", record.context.is_null() ? Json::object() : record.context},
            {"runs", record.runs}};
  };
  const Json fresh = side(records_[1]);
  return compare(recording_of(side(records_[0]), "OLD", options),
                 recording_of(fresh, "NEW", options), options, calibration_of(fresh["context"]));
}

Json Ab::document(const Json& context, bool complete) const {
  Json document{{"schema", ab_schema}, {"context", context}};
  document["context"]["complete"] = complete;
  document["context"]["seed"] = options_.seed;
  document["context"]["margin"] = options_.compare.margin;
  Json others = Json::array();
  for (const Uncompared& cell : common_.others)
    others.push_back({{"key", cell.key}, {"reason", cell.reason}});
  document["not_compared"] = std::move(others);
  for (int i = 0; i < 2; ++i)
    document[i == 0 ? "old" : "new"] =
        side_json(records_[i].context.is_null() ? Json::object() : records_[i].context,
                  common_.plan, records_[i].order, records_[i].runs, complete);
  return document;
}

void Ab::load(const Json& document, const std::string& path) {
  std::map<std::string, std::size_t> known;
  for (std::size_t cell = 0; cell < cells_.size(); ++cell)
    known[common_.plan.cells[cell].key()] = cell;
  for (int i = 0; i < 2; ++i) {
    const Json& side = document.at(i == 0 ? "old" : "new");
    records_[i].context = side.value("context", Json::object());
    for (const Json& run : side.value("runs", Json::array())) {
      const auto cell = run.is_object() && run.contains("key") && run["key"].is_string()
                            ? known.find(run["key"].get<std::string>())
                            : known.end();
      if (cell == known.end() || !run.contains("repeat") || !run["repeat"].is_number_integer())
        throw UsageError(
            fmt::format("{}: has runs that these builds can't repeat here", printable(path)));
      const int repeat = run["repeat"].get<int>();
      cells_[cell->second].pairs = std::max(cells_[cell->second].pairs, repeat);
      records_[i].order.push_back({cell->second, repeat});
      records_[i].runs.push_back(run);
      ++run_count_;
    }
  }
}

std::pair<Ab::Run, Ab::Run> sides(const Build& old_build, const Build& new_build,
                                  const std::string& mixed) {
  if (mixed.empty())
    return {[&](const Plan& plan, const PlannedCell& cell) { return old_build.run(plan, cell); },
            [&](const Plan& plan, const PlannedCell& cell) { return new_build.run(plan, cell); }};
  const Build& producer = mixed == "producer" ? new_build : old_build;
  const Build& consumer = mixed == "producer" ? old_build : new_build;
  return {[&](const Plan& plan, const PlannedCell& cell) {
            return old_build.run_with(old_build, plan, cell);
          },
          [&](const Plan& plan, const PlannedCell& cell) {
            return producer.run_with(consumer, plan, cell);
          }};
}

}  // namespace ipcbench
