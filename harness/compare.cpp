#include "harness/compare.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "harness/calibration.h"
#include "harness/stopping.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

constexpr std::size_t key_size_max = 1'000;
constexpr std::size_t reason_size_max = 4'000;
constexpr int runs_to_go_max = 10'000;  ///< more than anybody would make

[[noreturn]] void reject(const std::string& path, std::size_t run, std::string_view problem) {
  throw UsageError(fmt::format("{}: runs[{}].{}", printable(path), run, problem));
}

const Json* find(const Json& json, std::string_view key) {
  const auto found = json.find(key);
  return found == json.end() || found->is_null() ? nullptr : &*found;
}

std::string string_of(const Json& run, const char* key, std::size_t limit, const std::string& path,
                      std::size_t index) {
  const Json* value = find(run, key);
  if (value == nullptr || !value->is_string() ||
      value->get_ref<const std::string&>().size() > limit)
    reject(path, index, fmt::format("{}: expected a string of at most {} bytes", key, limit));
  return value->get<std::string>();
}

/// Older files have no keys: theirs is that of the cell with nothing unusual.
std::string key_of(const Json& run, const std::string& path, std::size_t index) {
  if (find(run, "key") != nullptr) return string_of(run, "key", key_size_max, path, index);
  const Json* size = find(run, "size");
  return fmt::format("{}/{}{}/place:{}", string_of(run, "scenario", key_size_max, path, index),
                     string_of(run, "transport", key_size_max, path, index),
                     size == nullptr ? "" : fmt::format("/size:{}", size->dump()),
                     string_of(run, "placement", key_size_max, path, index));
}

std::optional<double> number_of(const Json& run, const std::string& name, const std::string& path,
                                std::size_t index) {
  const Json* value = find(run, name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number() || value->get<double>() < 0)
    reject(path, index, fmt::format("{}: expected a number from 0 on, or null", printable(name)));
  return value->get<double>();
}

/// The 10 % quantile of the sub-batches, for one message, round trip or acquisition.
std::optional<double> quiet_time(const Json& run, const std::string& path, std::size_t index) {
  const Json* batches = find(run, "batch_ns");
  const auto operations = number_of(run, "batch_operations", path, index);
  if (batches == nullptr || !operations || *operations <= 0) return std::nullopt;
  if (!batches->is_array()) reject(path, index, "batch_ns: expected a list of numbers");
  std::vector<double> values;
  values.reserve(batches->size());
  for (const Json& batch : *batches) {
    if (!batch.is_number() || batch.get<double>() < 0)
      reject(path, index, "batch_ns: expected a list of numbers from 0 on");
    values.push_back(batch.get<double>());
  }
  const auto value = quantile(values, 0.10);
  return value ? std::optional(*value / *operations) : std::nullopt;
}

struct Value {
  std::string name;
  double value;
};

std::optional<Value> value_of(const Json& run, const std::string& scenario,
                              const std::string& metric, const std::string& path,
                              std::size_t index) {
  if (metric == time_metric || metric == "batch_q10_ns") {
    if (const auto value = quiet_time(run, path, index)) return Value{"batch_q10_ns", *value};
    if (metric != time_metric) return std::nullopt;
  }
  const std::string name = metric_name(metric == time_metric ? "" : metric, scenario);
  if (name.empty()) return std::nullopt;
  const auto value = number_of(run, name, path, index);
  return value ? std::optional(Value{name, *value}) : std::nullopt;
}

void add_run(Recording& side, const Json& run, std::size_t index, const CompareOptions& options) {
  const std::string& path = side.path;
  if (!run.is_object())
    throw UsageError(fmt::format("{}: runs[{}]: expected an object", path, index));
  const std::string key = key_of(run, path, index);
  const auto [entry, is_new] = side.cells.try_emplace(key);
  if (is_new) side.keys.push_back(key);
  CellSide& cell = entry->second;
  const std::string status = string_of(run, "status", 20, path, index);
  if (find(run, "reason") != nullptr && cell.reason.empty() && status != text(Status::suspect))
    cell.reason = string_of(run, "reason", reason_size_max, path, index);
  if (status == text(Status::failed)) {
    ++cell.failed;
    return;
  }
  if (status == text(Status::skipped)) {
    ++cell.skipped;
    return;
  }
  if (status != text(Status::ok) && status != text(Status::suspect))
    reject(path, index, "status: expected ok, skipped, failed or suspect");
  const double took_s = number_of(run, "took_ns", path, index).value_or(0) / 1e9;
  cell.run_s = (cell.run_s * cell.measured + took_s) / (cell.measured + 1);
  ++cell.measured;
  const int repeat = static_cast<int>(
      std::min(1e6, number_of(run, "repeat", path, index).value_or(cell.measured)));
  const std::string scenario = string_of(run, "scenario", key_size_max, path, index);
  for (const std::string& metric : options.metrics)
    if (const auto value = value_of(run, scenario, metric, path, index)) {
      CellSide::Metric& known = cell.metrics[metric];
      // A run without sub-batches among others that have some measures something else.
      if (known.name.empty()) known.name = value->name;
      if (known.name == value->name) known.values.emplace_back(repeat, value->value);
    }
}

/// P(U <= u) for Mann and Whitney's U of samples of these sizes, for each u: exact, by counting
/// (Mann and Whitney, Annals of Mathematical Statistics 18, 1947).
std::vector<double> mann_whitney_distribution(std::size_t n, std::size_t m) {
  const std::size_t top = n * m;
  std::vector<double> ways(top + 1, 0);
  ways[0] = 1;
  // The Gaussian binomial coefficient: the product of (1 - x^(m + i)) / (1 - x^i).
  for (std::size_t i = 1; i <= n; ++i) {
    for (std::size_t u = top; u + 1 > m + i; --u) ways[u] -= ways[u - (m + i)];
    for (std::size_t u = i; u <= top; ++u) ways[u] += ways[u - i];
  }
  std::partial_sum(ways.begin(), ways.end(), ways.begin());
  const double all = ways.back();
  for (double& way : ways) way /= all;
  return ways;
}

/// P(U <= u), from the exact distribution for small samples, else by its normal approximation.
class MannWhitney {
 public:
  MannWhitney(std::size_t n, std::size_t m) : n_(n), m_(m) {
    static thread_local std::map<std::pair<std::size_t, std::size_t>, std::vector<double>> known;
    if (n * m > 1'600) return;
    auto& entry = known[{n, m}];
    if (entry.empty()) entry = mann_whitney_distribution(n, m);
    exact_ = &entry;
  }
  double at_most(double u) const {
    if (u < 0) return 0;
    const auto top = static_cast<double>(n_ * m_);
    if (u >= top) return 1;
    if (exact_ != nullptr) return (*exact_)[static_cast<std::size_t>(u)];
    const double deviation = std::sqrt(top * static_cast<double>(n_ + m_ + 1) / 12);
    return std::erfc(-(u + 0.5 - top / 2) / deviation / std::sqrt(2.0)) / 2;
  }

 private:
  std::size_t n_;
  std::size_t m_;
  const std::vector<double>* exact_ = nullptr;
};

/// P(X >= x) for X ~ Binomial(n, 1/2).
double at_least(int n, int x) {
  double sum = 0;
  for (int i = x; i <= n; ++i)
    sum += std::exp(std::lgamma(n + 1) - std::lgamma(i + 1) - std::lgamma(n - i + 1) -
                    n * std::log(2.0));
  return std::min(1.0, sum);
}

bool higher_is_better(std::string_view name) {
  return name.ends_with("_per_s") || name == "fairness";
}

std::vector<double> values_of(const CellSide::Metric& metric) {
  std::vector<double> values;
  for (const auto& [repeat, value] : metric.values) values.push_back(value);
  return values;
}

std::vector<double> logs_of(const CellSide::Metric& metric) {
  std::vector<double> logs;
  for (const auto& [repeat, value] : metric.values)
    if (value > 0) logs.push_back(std::log(value));
  return logs;
}

std::vector<double> log_ratios_of(const CellSide::Metric& base, const CellSide::Metric& fresh) {
  std::map<int, double> first;
  for (const auto& [repeat, value] : base.values)
    if (value > 0) first[repeat] = std::log(value);
  std::vector<double> ratios;
  for (const auto& [repeat, value] : fresh.values)
    if (const auto other = first.find(repeat); other != first.end() && value > 0)
      ratios.push_back(std::log(value) - other->second);
  return ratios;
}

/// What decides on a change, as logarithms, upwards meaning worse.
struct Weighed {
  double low;
  double high;
  double middle;
  bool is_certain;  ///< after the correction over all cells
};

Weighed weigh(const Change& change, bool is_certain) {
  const double sign = change.is_better_when_higher ? -1 : 1;
  const double a = sign * std::log(change.ratio->low);
  const double b = sign * std::log(change.ratio->high);
  return {std::min(a, b), std::max(a, b), sign * std::log(change.ratio->median), is_certain};
}

/// How many repeats in all would bring an end of the interval away from the margin, if its width
/// goes with the root of their number.
void estimate_what_settles(Change& change, const Weighed& weighed, double margin, int repeats,
                           double run_s) {
  const double distance = std::abs(std::abs(weighed.middle) - margin);
  const double half =
      std::abs(weighed.middle) > margin
          ? (weighed.middle > 0 ? weighed.middle - weighed.low : weighed.high - weighed.middle)
          : std::max(weighed.high - weighed.middle, weighed.middle - weighed.low);
  const double wider = half / std::max(distance, 1e-9);
  const double wanted = std::ceil(repeats * std::max(1.0, wider * wider));
  // A quarter more at least: what is beyond the margin already lacks certainty, not width.
  const double more = std::max(std::ceil(repeats / 4.0), wanted - repeats);
  if (!(more <= runs_to_go_max)) return;
  change.runs_to_go = static_cast<int>(more);
  change.seconds_to_go = more * run_s;
}

/// Returns whether more runs may lead to another verdict.
bool decide(Change& change, const Weighed& weighed, const CompareOptions& options) {
  const double margin = std::log1p(options.margin);
  const double floor = std::log1p(change.floor);
  const bool is_beyond = weighed.low > margin || weighed.high < -margin;
  if (weighed.low >= -margin && weighed.high <= margin) {
    change.verdict = Judgement::same;
  } else if (is_beyond && !weighed.is_certain) {
    change.why = "beyond the margin, and not certain among so many cells";
  } else if (is_beyond && std::abs(weighed.middle) < floor) {
    change.why = fmt::format(
        "beyond the margin, and below the {:.1f} % that {}", 100 * change.floor,
        options.in_pairs ? "show on this machine" : "recordings made apart may differ by");
    return false;
  } else if (is_beyond) {
    change.verdict = weighed.low > margin ? Judgement::regressed : Judgement::improved;
  } else {
    change.why = std::abs(weighed.middle) > margin ? "the interval reaches into the margin"
                                                   : "the interval is wider than the margin";
  }
  return true;
}

/// Whether a cell can be compared at all; if not, why not.
std::optional<Uncompared> refuse(const std::string& key, const CellSide* base,
                                 const CellSide* fresh) {
  const auto told = [](const CellSide& side) {
    return fmt::format("{}{}{}", side.failed > 0 ? "failed" : "skipped",
                       side.reason.empty() ? "" : ": ", printable(side.reason, 300));
  };
  if (base == nullptr) return Uncompared{key, "only in NEW"};
  if (fresh == nullptr) return Uncompared{key, "only in BASE"};
  if (fresh->measured > 0 && base->measured > 0) return std::nullopt;
  if (base->measured > 0)
    return Uncompared{key, fmt::format("measured in BASE, {} in NEW", told(*fresh)),
                      fresh->failed > 0};
  if (fresh->measured > 0)
    return Uncompared{key, fmt::format("measured in NEW, {} in BASE", told(*base))};
  return Uncompared{key, fmt::format("{} in both", told(*fresh))};
}

const CellSide* cell_of(const Recording& side, const std::string& key) {
  const auto found = side.cells.find(key);
  return found == side.cells.end() ? nullptr : &found->second;
}

double floor_of(const Change& change, const CompareOptions& options,
                const std::optional<Json>& calibration) {
  const auto known =
      calibration ? smallest_change(*calibration, change.key, change.metric) : std::nullopt;
  return known ? *known : options.in_pairs ? 0 : options.apart_floor;
}

}  // namespace

std::string_view text(Judgement verdict) {
  switch (verdict) {
    case Judgement::regressed:
      return "regressed";
    case Judgement::improved:
      return "improved";
    case Judgement::same:
      return "same";
    case Judgement::inconclusive:
      return "inconclusive";
  }
  return "";
}

Recording recording_of(const Json& document, const std::string& path,
                       const CompareOptions& options) {
  Recording side{
      .path = path, .context = document.value("context", Json::object()), .keys = {}, .cells = {}};
  if (!side.context.is_object())
    throw UsageError(fmt::format("{}: context: expected an object", printable(path)));
  if (!document.contains("runs") || !document["runs"].is_array())
    throw UsageError(fmt::format("{}: runs: expected a list", printable(path)));
  const Json& runs = document["runs"];
  // What was measured again, afresh, is not judged by the runs that made it a suspect.
  std::set<std::string> screened;
  std::set<std::string> again;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].is_object()) continue;
    const Json* stage = find(runs[i], "stage");
    if (stage == nullptr) continue;
    (*stage == "fresh" ? again : screened).insert(key_of(runs[i], path, i));
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Json* stage = runs[i].is_object() ? find(runs[i], "stage") : nullptr;
    if (stage != nullptr && *stage != "fresh" && again.contains(key_of(runs[i], path, i))) continue;
    add_run(side, runs[i], i, options);
  }
  for (const std::string& key : screened)
    if (!again.contains(key)) side.cells[key].is_screened_only = true;
  return side;
}

bool has_pairs(const Json& document) {
  if (!document.is_object() || !document.contains("runs") || !document["runs"].is_array())
    return false;
  const Json& runs = document["runs"];
  return std::any_of(runs.begin(), runs.end(),
                     [](const Json& run) { return run.is_object() && run.contains("stage"); });
}

Shift shift_of_pairs(const std::vector<double>& log_ratios, double margin, double confidence) {
  const int n = static_cast<int>(log_ratios.size());
  if (n == 0) return {};
  const auto above = std::count_if(log_ratios.begin(), log_ratios.end(),
                                   [&](double ratio) { return ratio > margin; });
  const auto below = std::count_if(log_ratios.begin(), log_ratios.end(),
                                   [&](double ratio) { return ratio < -margin; });
  return {.log_ratio = estimate_quantile(log_ratios, 0.5, confidence),
          .p_up = at_least(n, static_cast<int>(above)),
          .p_down = at_least(n, static_cast<int>(below))};
}

Shift shift_of_samples(const std::vector<double>& base, const std::vector<double>& fresh,
                       double margin, double confidence) {
  if (base.empty() || fresh.empty()) return {};
  std::vector<double> differences;
  differences.reserve(base.size() * fresh.size());
  for (const double b : base)
    for (const double f : fresh) differences.push_back(f - b);
  std::sort(differences.begin(), differences.end());
  const auto count = static_cast<double>(differences.size());
  const MannWhitney u(base.size(), fresh.size());
  const auto above = static_cast<double>(
      differences.end() - std::upper_bound(differences.begin(), differences.end(), margin));
  const auto below = static_cast<double>(
      std::lower_bound(differences.begin(), differences.end(), -margin) - differences.begin());
  Shift shift{.log_ratio = std::nullopt,
              .p_up = 1 - u.at_most(above - 1),
              .p_down = 1 - u.at_most(below - 1)};
  // The interval is from the k-th smallest to the k-th largest difference, k as large as may be.
  const double beyond = (1 - confidence) / 2;
  std::size_t low = 0;
  std::size_t high = differences.size() / 2;
  while (low < high) {
    const std::size_t middle = (low + high + 1) / 2;
    if (u.at_most(static_cast<double>(middle) - 1) <= beyond)
      low = middle;
    else
      high = middle - 1;
  }
  if (low == 0) return shift;
  shift.log_ratio = Estimate{.median = quantile(differences, 0.5).value(),
                             .low = differences[low - 1],
                             .high = differences[differences.size() - low],
                             .confidence = 1 - 2 * u.at_most(static_cast<double>(low) - 1),
                             .count = static_cast<int>(std::min(count, 1e9))};
  return shift;
}

std::vector<bool> benjamini_hochberg(const std::vector<double>& p, double rate) {
  std::vector<double> ordered = p;
  std::sort(ordered.begin(), ordered.end());
  double threshold = -1;
  for (std::size_t i = 0; i < ordered.size(); ++i)
    if (ordered[i] <= rate * static_cast<double>(i + 1) / static_cast<double>(ordered.size()))
      threshold = ordered[i];
  std::vector<bool> rejected;
  for (const double value : p) rejected.push_back(value <= threshold);
  return rejected;
}

static Change measure(const std::string& key, const std::string& asked, const CellSide& base,
                      const CellSide& fresh, const CompareOptions& options) {
  const CellSide::Metric& before = base.metrics.at(asked);
  const CellSide::Metric& after = fresh.metrics.at(asked);
  Change change{.key = key,
                .metric = after.name,
                .base = estimate_median(values_of(before)).value_or(Estimate{}),
                .fresh = estimate_median(values_of(after)).value_or(Estimate{}),
                .ratio = std::nullopt,
                .is_better_when_higher = higher_is_better(after.name),
                .why = ""};
  const double margin = std::log1p(options.margin);
  Shift shift;
  int count = 0;
  if (options.in_pairs) {
    const std::vector<double> ratios = log_ratios_of(before, after);
    count = static_cast<int>(ratios.size());
    shift = shift_of_pairs(ratios, margin, options.confidence);
  } else {
    const std::vector<double> logs_before = logs_of(before);
    const std::vector<double> logs_after = logs_of(after);
    count = static_cast<int>(logs_before.size() + logs_after.size());
    shift = shift_of_samples(logs_before, logs_after, margin, options.confidence);
  }
  change.p = std::min(1.0, 2 * std::min(shift.p_up, shift.p_down));
  if (shift.log_ratio)
    change.ratio = Estimate{.median = std::exp(shift.log_ratio->median),
                            .low = std::exp(shift.log_ratio->low),
                            .high = std::exp(shift.log_ratio->high),
                            .confidence = shift.log_ratio->confidence,
                            .count = count};
  return change;
}

static void judge(Change& change, bool is_certain, const CellSide& base, const CellSide& fresh,
                  const CompareOptions& options) {
  const int least = options.in_pairs ? repeats_for_interval : 4;
  const double run_s = (options.in_pairs ? base.run_s : 0) + fresh.run_s;
  if (!change.ratio) {
    const int repeats = std::min(base.measured, fresh.measured);
    change.runs_to_go = std::max(1, least - repeats);
    change.seconds_to_go = change.runs_to_go * run_s;
    change.why = change.base.median == 0 || change.fresh.median == 0
                     ? "there are zeros, which have no ratio"
                     : fmt::format("{} and {} repeats; an interval takes {} of each", base.measured,
                                   fresh.measured, least);
    return;
  }
  const Weighed weighed = weigh(change, is_certain);
  const bool may_settle = decide(change, weighed, options);
  if (fresh.is_screened_only && change.verdict != Judgement::same) {
    change.verdict = Judgement::inconclusive;
    if (change.why.empty()) change.why = "seen in screening, and the budget left no fresh pairs";
  }
  if (change.verdict == Judgement::inconclusive && may_settle)
    estimate_what_settles(change, weighed, std::log1p(options.margin),
                          std::min(base.measured, fresh.measured), run_s);
}

Comparison compare(const Recording& base, const Recording& fresh, const CompareOptions& options,
                   const std::optional<Json>& calibration) {
  Comparison result;
  std::vector<std::string> keys = base.keys;
  for (const std::string& key : fresh.keys)
    if (!base.cells.contains(key)) keys.push_back(key);

  std::vector<double> p;  // of those on which an alarm may rest
  std::vector<std::size_t> tested;
  for (const std::string& key : keys) {
    const CellSide* before = cell_of(base, key);
    const CellSide* after = cell_of(fresh, key);
    if (auto refused = refuse(key, before, after)) {
      result.uncompared.push_back(std::move(*refused));
      continue;
    }
    if (after->failed > before->failed)
      result.uncompared.push_back(
          {key,
           fmt::format("{} of {} runs failed in NEW: {}", after->failed,
                       after->failed + after->measured, printable(after->reason, 300)),
           true});
    bool has_any = false;
    for (const std::string& metric : options.metrics) {
      const auto first = before->metrics.find(metric);
      const auto second = after->metrics.find(metric);
      if (first == before->metrics.end() || second == after->metrics.end()) continue;
      has_any = true;
      if (first->second.name != second->second.name) {
        result.uncompared.push_back(
            {key, fmt::format("BASE has {}, NEW has {}", printable(first->second.name),
                              printable(second->second.name))});
        continue;
      }
      result.changes.push_back(measure(key, metric, *before, *after, options));
      result.changes.back().floor = floor_of(result.changes.back(), options, calibration);
      if (after->is_screened_only) continue;
      tested.push_back(result.changes.size() - 1);
      p.push_back(result.changes.back().p);
    }
    if (!has_any) result.uncompared.push_back({key, "has none of the metrics that were asked for"});
  }

  const std::vector<bool> rejected = benjamini_hochberg(p, 1 - options.confidence);
  std::vector<bool> is_certain(result.changes.size(), false);
  for (std::size_t i = 0; i < tested.size(); ++i) is_certain[tested[i]] = rejected[i];
  for (std::size_t i = 0; i < result.changes.size(); ++i) {
    Change& change = result.changes[i];
    judge(change, is_certain[i], *cell_of(base, change.key), *cell_of(fresh, change.key), options);
  }
  result.warnings = machine_warnings(base.context, fresh.context);
  return result;
}

std::vector<std::string> machine_warnings(const Json& base_context, const Json& new_context) {
  const Json::json_pointer at("/machine/identity");
  if (!base_context.contains(at) || !new_context.contains(at) || !base_context.at(at).is_object() ||
      !new_context.at(at).is_object())
    return {"a file lacks the record of its machine: nobody knows whether they are comparable"};
  const Json& before = base_context.at(at);
  const Json& after = new_context.at(at);
  std::vector<std::string> warnings;
  std::vector<std::string> differing;
  // What a build is may differ: that is what is compared.
  for (const char* key :
       {"architecture", "cpu_model", "microcode", "topology", "ram_bytes", "virtualisation",
        "virtualised", "kernel_release", "kernel_version", "kernel_command_line", "mitigations"})
    if (before.value(key, Json()) != after.value(key, Json())) {
      const auto shown = [&](const Json& side) {
        return printable(dump(side.value(key, Json())), 80);
      };
      differing.push_back(fmt::format("{}: {} and {}", key, shown(before), shown(after)));
    }
  for (const std::string& line : differing)
    warnings.push_back(
        fmt::format("the machines differ, so that a change may be theirs: {}", line));
  for (const char* key : {"build_type", "compiler", "compiler_flags"})
    if (before.value(key, Json()) != after.value(key, Json()))
      warnings.push_back(fmt::format("the builds differ in more than their source: {}: {} and {}",
                                     key, printable(dump(before.value(key, Json())), 80),
                                     printable(dump(after.value(key, Json())), 80)));
  const Json set_before = base_context.value("environment", Json::object());
  const Json set_after = new_context.value("environment", Json::object());
  if (set_before != set_after)
    warnings.push_back(
        fmt::format("libraries were set up differently by the environment: {} and {}",
                    printable(dump(set_before), 120), printable(dump(set_after), 120)));
  return warnings;
}

int Comparison::count(Judgement verdict) const {
  return static_cast<int>(std::count_if(changes.begin(), changes.end(), [&](const Change& change) {
    return change.verdict == verdict;
  }));
}

int Comparison::broken() const {
  return static_cast<int>(std::count_if(uncompared.begin(), uncompared.end(),
                                        [](const Uncompared& cell) { return cell.is_broken; }));
}

}  // namespace ipcbench
