#include "harness/reproduce.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include <fmt/format.h>

#include "harness/measure.h"
#include "harness/stopping.h"
#include "harness/summary.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

constexpr int resamples = 1000;
constexpr int resamples_of_rankings = 300;
constexpr std::uint64_t seed = 1;

/// A cell's repeats on one machine.
struct Side {
  std::vector<double> values;
  std::string why_not;  ///< of a cell without values
};

struct Cell {
  std::string transport;  ///< with its manner: what a ranking ranks
  std::string where;      ///< the rest of the key
  std::string measure;
  Side there;
  Side here;
  bool is_roofline = false;
};
using Cells = std::map<std::string, Cell>;

/// The key without the transport: what its rivals have in common.
std::string where_of(const std::string& key) {
  const std::size_t first = key.find('/');
  const std::size_t second = key.find('/', first + 1);
  return second == std::string::npos ? key.substr(0, first)
                                     : key.substr(0, first) + key.substr(second);
}

void add(Cells& cells, const ResultsFile& file, Side Cell::*side) {
  for (const RunRecord& run : file.runs) {
    const std::string measure = metric_name("", run.scenario);
    if (measure.empty()) continue;
    const std::string key = key_of(run);
    Cell& cell = cells[key];
    cell.transport = run.transport;
    cell.where = where_of(key);
    cell.measure = measure;
    const Row* row = find_row(run.transport);
    cell.is_roofline = row != nullptr && row->facts.family == Family::roofline;
    const auto value = run.measures.find(measure);
    const bool is_measured = run.status == Status::ok || run.status == Status::suspect;
    if (is_measured && value != run.measures.end() && value->second > 0)
      (cell.*side).values.push_back(value->second);
    else if ((cell.*side).why_not.empty())
      (cell.*side).why_not = fmt::format("{}: {}", text(run.status), printable(run.reason));
  }
}

double median(const std::vector<double>& values) {
  return quantile(values, 0.5).value_or(0);
}

std::vector<double> resample(const std::vector<double>& values, std::mt19937_64& random) {
  std::vector<double> drawn;
  for (std::size_t i = 0; i < values.size(); ++i) drawn.push_back(values[random() % values.size()]);
  return drawn;
}

Interval middle_95(std::vector<double> values) {
  return {.low = quantile(values, 0.025).value_or(0), .high = quantile(values, 0.975).value_or(0)};
}

Ratio ratio_of(const std::string& key, const Cell& cell) {
  Ratio ratio{.key = key, .measure = cell.measure};
  ratio.there = estimate_median(cell.there.values);
  ratio.here = estimate_median(cell.here.values);
  const auto why = [](const Side& side) {
    return side.why_not.empty() ? std::string("not in the file") : side.why_not;
  };
  if (!ratio.there) ratio.note = fmt::format("there {}", why(cell.there));
  if (!ratio.here)
    ratio.note += fmt::format("{}here {}", ratio.note.empty() ? "" : "; ", why(cell.here));
  if (!ratio.note.empty()) return ratio;
  ratio.ratio = ratio.here->median / ratio.there->median;
  std::mt19937_64 random(seed);
  std::vector<double> ratios;
  for (int i = 0; i < resamples; ++i)
    ratios.push_back(median(resample(cell.here.values, random)) /
                     median(resample(cell.there.values, random)));
  const Interval interval = middle_95(std::move(ratios));
  ratio.low = interval.low;
  ratio.high = interval.high;
  return ratio;
}

/// Which of two is better, if their intervals are apart: -1 the first, 1 the second, 0 neither.
int decide(const std::vector<double>& a, const std::vector<double>& b, bool rises) {
  const Estimate first = estimate_median(a).value();
  const Estimate second = estimate_median(b).value();
  if (first.high < second.low) return rises ? 1 : -1;
  if (second.high < first.low) return rises ? -1 : 1;
  return 0;
}

std::string by_how_much(const std::vector<double>& better, const std::vector<double>& worse) {
  const double ratio = median(better) / median(worse);
  return fmt::format("{:.0f} %", 100 * (std::max(ratio, 1 / ratio) - 1));
}

void count_pair(Ranking& ranking, const Cell& a, const Cell& b) {
  const bool rises = more_is_better(a.measure);
  const int there = decide(a.there.values, b.there.values, rises);
  const int here = decide(a.here.values, b.here.values, rises);
  if (there == 0) return;
  ++ranking.decided_there;
  if (here == there) ++ranking.same;
  if (here != -there) return;
  ++ranking.reversed;
  const Cell& winner = there < 0 ? a : b;
  const Cell& loser = there < 0 ? b : a;
  ranking.reversals.push_back(fmt::format(
      "{}: {} beats {} there, by {}; here {} is better, by {}", ranking.where,
      printable(winner.transport, 60), printable(loser.transport, 60),
      by_how_much(winner.there.values, loser.there.values), printable(loser.transport, 60),
      by_how_much(loser.here.values, winner.here.values)));
}

Ranking ranking_of(const std::string& where, const std::vector<const Cell*>& cells) {
  Ranking ranking{.where = where, .transports = cells.size()};
  const auto orders = [&](auto value_of) {
    std::vector<double> there;
    std::vector<double> here;
    for (const Cell* cell : cells) {
      there.push_back(value_of(cell->there.values));
      here.push_back(value_of(cell->here.values));
    }
    return kendall_tau(there, here);
  };
  ranking.tau = orders(median);
  std::mt19937_64 random(seed);
  std::vector<double> taus;
  for (int i = 0; i < resamples_of_rankings; ++i)
    taus.push_back(orders(
        [&](const std::vector<double>& values) { return median(resample(values, random)); }));
  const Interval interval = middle_95(std::move(taus));
  ranking.low = interval.low;
  ranking.high = interval.high;
  for (std::size_t i = 0; i < cells.size(); ++i)
    for (std::size_t j = i + 1; j < cells.size(); ++j) count_pair(ranking, *cells[i], *cells[j]);
  return ranking;
}

}  // namespace

double kendall_tau(const std::vector<double>& a, const std::vector<double>& b) {
  double score = 0;
  double untied_a = 0;
  double untied_b = 0;
  const auto sign = [](double value) { return value > 0 ? 1.0 : value < 0 ? -1.0 : 0.0; };
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = i + 1; j < a.size(); ++j) {
      const double in_a = sign(a[i] - a[j]);
      const double in_b = sign(b[i] - b[j]);
      score += in_a * in_b;
      untied_a += in_a * in_a;
      untied_b += in_b * in_b;
    }
  return untied_a == 0 || untied_b == 0 ? 0 : score / std::sqrt(untied_a * untied_b);
}

const char* Ranking::verdict() const {
  return reversed > 0 ? "does not hold" : same > 0 ? "holds" : "undecided";
}

int Reproduction::same() const {
  int all = 0;
  for (const Ranking& ranking : rankings) all += ranking.same;
  return all;
}

int Reproduction::reversed() const {
  int all = 0;
  for (const Ranking& ranking : rankings) all += ranking.reversed;
  return all;
}

Reproduction reproduce(const ResultsFile& there, const ResultsFile& here) {
  Cells cells;
  add(cells, there, &Cell::there);
  add(cells, here, &Cell::here);
  Reproduction reproduction;
  std::map<std::string, std::vector<const Cell*>> rivals;
  for (const auto& [key, cell] : cells) {
    reproduction.ratios.push_back(ratio_of(key, cell));
    if (reproduction.ratios.back().note.empty() && !cell.is_roofline)
      rivals[cell.where].push_back(&cell);
  }
  for (const auto& [where, group] : rivals)
    if (group.size() > 1) reproduction.rankings.push_back(ranking_of(where, group));
  return reproduction;
}

std::vector<Table> reproduction_tables(const Reproduction& reproduction) {
  Table cells{.title = "Cell by cell",
              .columns = {"cell", "there", "±", "here", "±", "here ÷ there", "95 %", "notes"},
              .rows = {}};
  const std::string nothing = "–";
  for (const Ratio& one : reproduction.ratios) {
    const auto value = [&](const std::optional<Estimate>& estimate) {
      return estimate ? measure_text(one.measure, estimate->median) : nothing;
    };
    const auto width = [&](const std::optional<Estimate>& estimate) {
      return estimate && estimate->count > 1 ? half_width_text(estimate->half_width()) : nothing;
    };
    cells.rows.push_back(
        {printable(one.key, 200), value(one.there), width(one.there), value(one.here),
         width(one.here), one.note.empty() ? fmt::format("{:.2f}", one.ratio) : nothing,
         one.note.empty() ? fmt::format("{:.2f}–{:.2f}", one.low, one.high) : nothing, one.note});
  }
  Table rankings{.title = "Does the order of the transports hold?",
                 .columns = {"ranking", "transports", "Kendall's tau", "95 %",
                             "pairs decided there", "same here", "reversed here", ""},
                 .rows = {}};
  for (const Ranking& one : reproduction.rankings)
    rankings.rows.push_back(
        {printable(one.where, 200), std::to_string(one.transports), fmt::format("{:.2f}", one.tau),
         fmt::format("{:.2f}–{:.2f}", one.low, one.high), std::to_string(one.decided_there),
         std::to_string(one.same), std::to_string(one.reversed), one.verdict()});
  return {cells, rankings};
}

Json reproduction_json(const Reproduction& reproduction) {
  const auto estimate = [](const std::optional<Estimate>& value) {
    if (!value) return Json(nullptr);
    return Json{{"median", value->median}, {"low", value->low}, {"high", value->high}};
  };
  Json json{{"schema", "ipcbench-reproduction/1"},
            {"holds", reproduction.holds()},
            {"cells", Json::array()},
            {"rankings", Json::array()}};
  for (const Ratio& one : reproduction.ratios) {
    const bool has_ratio = one.note.empty();
    json["cells"].push_back({{"key", printable(one.key, 600)},
                             {"measure", one.measure},
                             {"there", estimate(one.there)},
                             {"here", estimate(one.here)},
                             {"ratio", has_ratio ? Json(one.ratio) : Json(nullptr)},
                             {"low", has_ratio ? Json(one.low) : Json(nullptr)},
                             {"high", has_ratio ? Json(one.high) : Json(nullptr)},
                             {"note", has_ratio ? Json(nullptr) : Json(one.note)}});
  }
  for (const Ranking& one : reproduction.rankings)
    json["rankings"].push_back({{"where", printable(one.where, 600)},
                                {"transports", one.transports},
                                {"tau", one.tau},
                                {"low", one.low},
                                {"high", one.high},
                                {"decided_there", one.decided_there},
                                {"same", one.same},
                                {"reversed", one.reversed},
                                {"verdict", one.verdict()},
                                {"reversals", one.reversals}});
  return json;
}

}  // namespace ipcbench
