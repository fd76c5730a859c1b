#include "harness/choose.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/measure.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

using Cells = std::vector<const CellSummary*>;

/// What one transport in one manner did at one placement.
struct Record {
  std::string transport;
  Manner manner;
  std::map<std::string, Cells> cells{};  ///< by scenario
};
using Records = std::map<std::pair<std::string, std::string>, Record>;  // label, placement

std::string label_of(const CellSummary& cell) {
  std::string label = printable(cell.transport, 60);
  for (const std::string& word : cell.manner.words()) label += fmt::format(" {}", word);
  return label;
}

/// Cells that say how plain messages go: not those of mixed sizes, or of bytes that nobody touches.
bool is_plain(const CellSummary& cell) {
  return std::none_of(cell.words.begin(), cell.words.end(), [](const std::string& word) {
    return word.starts_with("sizes:") || word.starts_with("touch:");
  });
}

Records records_of(const std::vector<CellSummary>& cells) {
  Records records;
  for (const CellSummary& cell : cells) {
    if (!is_plain(cell)) continue;
    Record& record = records[{label_of(cell), cell.placement}];
    record.transport = cell.transport;
    record.manner = cell.manner;
    record.cells[cell.scenario].push_back(&cell);
  }
  return records;
}

/// Of these cells the one of the size, or of the next larger one.
const CellSummary* nearest(const Cells& cells, std::uint64_t size, bool is_measured) {
  const CellSummary* best = nullptr;
  for (const CellSummary* cell : cells)
    if (cell->size && *cell->size >= size && (cell->measured() > 0) == is_measured &&
        (best == nullptr || *cell->size < *best->size))
      best = cell;
  return best;
}

std::string why_unmeasured(const Cells& cells, const std::string& scenario, std::uint64_t size) {
  if (const CellSummary* cell = nearest(cells, size, false))
    return fmt::format("{} at {} {}: {}", scenario, size_text(*cell->size),
                       cell->failed > 0 ? "failed" : "was skipped", printable(cell->reason));
  std::uint64_t largest = 0;
  for (const CellSummary* cell : cells) largest = std::max(largest, cell->size.value_or(0));
  if (largest == 0) return fmt::format("{} wasn't measured", scenario);
  return fmt::format("{} wasn't measured at {} or more; the largest is {}", scenario,
                     size_text(size), size_text(largest));
}

std::optional<double> median_of(const CellSummary& cell, const char* measure) {
  const auto found = cell.estimates.find(measure);
  return found == cell.estimates.end() ? std::nullopt : std::optional(found->second.median);
}

/// The messages a second of a cell of paced.
double offered(const CellSummary& cell) {
  return median_of(cell, "offered_per_s").value_or(0);
}

/// How many processors both ends kept busy between them while one of them waited; of the cell that
/// shows it best. On one core they never exceed one, so that these say nothing, unless of long
/// gaps.
struct Busy {
  bool is_known = false;
  double processors = 0;
};
Busy busy_of(const Records& records, const std::string& label) {
  Busy busy;
  const auto see = [&](double processors) {
    busy.is_known = true;
    busy.processors = std::max(busy.processors, processors);
  };
  for (const auto& [key, record] : records) {
    if (key.first != label) continue;
    for (const auto& [scenario, cells] : record.cells)
      for (const CellSummary* cell : cells) {
        const auto mean_ns = median_of(*cell, "round_trip_mean_ns");
        if (!cell->cpu_ns_per_message || !mean_ns || scenario != "ping_pong") continue;
        if (cell->placement != "same-core") see(2 * cell->cpu_ns_per_message->median / *mean_ns);
      }
  }
  return busy;
}

/// A blocking pair takes turns, a spinning one uses two processors all the time.
constexpr double busy_max = 1.25;

/// Judges one record; its reasons come in the order in which a person would ask.
class Judge {
 public:
  Judge(const Records& records, const Wanted& wanted, bool has_real_times)
      : records_(records), wanted_(wanted), has_real_times_(has_real_times) {}

  /// Why not, or "" where the candidate is filled in.
  std::string judge(const std::string& label, const Record& record, Candidate& candidate) const {
    if (record.manner.peer != Peer::process) return "its other end is the kernel, not a process";
    const CellSummary* trip = measured(record, "ping_pong");
    if (trip == nullptr)
      return why_unmeasured(cells(record, "ping_pong"), "ping_pong", wanted_.size);
    if (trip->is_counted) return "its instructions were counted, not its time (icount)";
    if (trip->is_emulated && has_real_times_) return "emulated: its times are those of no machine";
    if (!trip->p50_ns) return "its round trips have no median";
    candidate.measured_size = *trip->size;
    candidate.p50_ns = trip->p50_ns;
    candidate.p99_ns = trip->p99_ns;
    candidate.cpu_ns = trip->cpu_ns_per_message;
    candidate.cells.push_back(trip);
    if (*trip->size != wanted_.size)
      candidate.remarks.push_back(fmt::format("measured at {}", size_text(*trip->size)));
    for (const auto& reason :
         {why_not_by_rate(record, candidate), why_not_by_latency(candidate),
          why_not_under_load(record, candidate), why_not_by_cpu(label, candidate)})
      if (!reason.empty()) return reason;
    return "";
  }

 private:
  const Cells& cells(const Record& record, const char* scenario) const {
    static const Cells none;
    const auto found = record.cells.find(scenario);
    return found == record.cells.end() ? none : found->second;
  }
  const CellSummary* measured(const Record& record, const char* scenario) const {
    return nearest(cells(record, scenario), wanted_.size, true);
  }

  std::string why_not_by_rate(const Record& record, Candidate& candidate) const {
    const CellSummary* flood = measured(record, "flood");
    if (flood != nullptr) {
      candidate.messages_per_s = flood->messages_per_s;
      candidate.cells.push_back(flood);
    }
    if (wanted_.rate_per_s <= 0) return "";
    if (!candidate.messages_per_s)
      return fmt::format("its rate isn't known: {}",
                         why_unmeasured(cells(record, "flood"), "flood", wanted_.size));
    const Estimate& rate = *candidate.messages_per_s;
    if (rate.median < wanted_.rate_per_s)
      return fmt::format("takes {} messages{}, of {} that are wanted{}", rate_text(rate.median),
                         at_size(*flood), rate_text(wanted_.rate_per_s),
                         rate.high >= wanted_.rate_per_s ? " (its interval reaches that)" : "");
    if (rate.low < wanted_.rate_per_s)
      candidate.remarks.emplace_back("? the wanted rate lies in its interval");
    return "";
  }

  std::string why_not_by_latency(Candidate& candidate) const {
    const CellSummary& trip = *candidate.cells.front();
    const std::string size = at_size(trip);
    const auto check = [&](const char* name, const std::optional<Estimate>& time, double limit) {
      if (limit <= 0) return std::string();
      if (!time)
        return fmt::format("its {} isn't known: {} more round trips would tell", name,
                           std::max<std::uint64_t>(1, trip.p99_missing));
      if (time->median > limit)
        return fmt::format("round trip {} is {}{}, over {}{}", name, duration_text(time->median),
                           size, duration_text(limit),
                           time->low <= limit ? " (its interval reaches below)" : "");
      if (time->high > limit)
        candidate.remarks.push_back(fmt::format("? the limit of {} lies in its interval", name));
      return std::string();
    };
    const std::string reason = check("p50", candidate.p50_ns, wanted_.p50_ns);
    return reason.empty() ? check("p99", candidate.p99_ns, wanted_.p99_ns) : reason;
  }

  /// At an offered rate, where that was measured: of the cells at the rate or just above, the
  /// worst.
  std::string why_not_under_load(const Record& record, Candidate& candidate) const {
    if (wanted_.rate_per_s <= 0) return "";
    double rate = std::numeric_limits<double>::infinity();
    for (const CellSummary* cell : cells(record, "paced"))
      if (is_heavy_enough(*cell)) rate = std::min(rate, offered(*cell));
    const CellSummary* worst = nullptr;
    for (const CellSummary* cell : cells(record, "paced"))
      if (is_heavy_enough(*cell) && offered(*cell) <= rate * 1.01 && cell->p99_ns &&
          (worst == nullptr || cell->p99_ns->median > worst->p99_ns->median))
        worst = cell;
    if (worst == nullptr) return "";
    candidate.cells.push_back(worst);
    const double achieved = worst->messages_per_s ? worst->messages_per_s->median : 0;
    if (achieved < 0.95 * offered(*worst))
      return fmt::format("doesn't keep up with {}: {} came through (paced)",
                         rate_text(offered(*worst)), rate_text(achieved));
    const std::string seen = fmt::format("p99 {} one way at {} (paced)",
                                         duration_text(worst->p99_ns->median), rate_text(rate));
    if (wanted_.p99_ns > 0 && worst->p99_ns->median > wanted_.p99_ns)
      return fmt::format("{}, over {}", seen, duration_text(wanted_.p99_ns));
    candidate.remarks.push_back(seen);
    return "";
  }

  std::string why_not_by_cpu(const std::string& label, Candidate& candidate) const {
    if (wanted_.cpu_ns > 0) {
      if (!candidate.cpu_ns) return "its CPU time isn't known";
      if (candidate.cpu_ns->median > wanted_.cpu_ns)
        return fmt::format("takes {} of CPU time per message, over {}",
                           duration_text(candidate.cpu_ns->median), duration_text(wanted_.cpu_ns));
    }
    if (!wanted_.is_cpu_low) return "";
    const Busy busy = busy_of(records_, label);
    if (busy.processors > busy_max)
      return fmt::format("its ends keep {:.1f} processors busy while they wait", busy.processors);
    if (!busy.is_known)
      candidate.remarks.emplace_back("? whether it spins doesn't show on one core");
    return "";
  }

  bool is_heavy_enough(const CellSummary& cell) const {
    return cell.measured() > 0 && cell.size && *cell.size >= wanted_.size &&
           offered(cell) >= 0.99 * wanted_.rate_per_s;
  }
  std::string at_size(const CellSummary& cell) const {
    return *cell.size == wanted_.size ? "" : fmt::format(" at {}", size_text(*cell.size));
  }

  const Records& records_;
  const Wanted& wanted_;
  bool has_real_times_;
};

double latency_of(const Candidate& candidate, const std::string& by) {
  const auto& estimate = by == "p99" ? candidate.p99_ns : candidate.p50_ns;
  return estimate ? estimate->median : std::numeric_limits<double>::infinity();
}
double cpu_of(const Candidate& candidate) {
  return candidate.cpu_ns ? candidate.cpu_ns->median : std::numeric_limits<double>::infinity();
}

void mark_front(std::vector<Candidate>& candidates, const std::string& by) {
  for (Candidate& one : candidates)
    one.is_on_front =
        std::none_of(candidates.begin(), candidates.end(), [&](const Candidate& other) {
          const double faster = latency_of(other, by) - latency_of(one, by);
          const double cheaper = cpu_of(other) - cpu_of(one);
          return other.placement == one.placement && faster <= 0 && cheaper <= 0 &&
                 (faster < 0 || cheaper < 0);
        });
}

/// What is said of each placement alike is said once.
std::vector<RuledOut> merged(const std::vector<RuledOut>& all,
                             const std::map<std::string, std::size_t>& placements_of) {
  std::map<std::pair<std::string, std::string>, std::size_t> times;
  for (const RuledOut& one : all) ++times[{one.label, one.reason}];
  std::vector<RuledOut> result;
  std::set<std::pair<std::string, std::string>> said;
  for (RuledOut one : all) {
    const auto placements = placements_of.find(one.label);
    if (placements != placements_of.end() && times[{one.label, one.reason}] == placements->second) {
      if (!said.insert({one.label, one.reason}).second) continue;
      one.placement = "";
    }
    result.push_back(std::move(one));
  }
  return result;
}

bool is_wanted(const std::string& placement, const Wanted& wanted) {
  return wanted.placements.empty() || std::find(wanted.placements.begin(), wanted.placements.end(),
                                                placement) != wanted.placements.end();
}

}  // namespace

const std::vector<Need>& all_needs() {
  static const std::vector<Need> needs{
      {"boundary", "keeps the boundaries of messages",
       [](const Facts& facts) { return facts.boundary == Boundary::message; },
       "doesn't keep the boundaries of messages"},
      {"stream", "carries a stream of bytes",
       [](const Facts& facts) { return facts.boundary == Boundary::stream; },
       "carries messages, not a stream of bytes"},
      {"unrelated", "unrelated processes can find it",
       [](const Facts& facts) { return facts.naming != Naming::inherited; },
       "is inherited: unrelated processes can't find it"},
      {"reliable", "no message is lost or overwritten",
       [](const Facts& facts) { return facts.delivery == Delivery::reliable; },
       "may lose messages"},
      {"many-producers", "several may send to one object",
       [](const Facts& facts) { return facts.peers != Peers::one_to_one; }, "serves one producer"},
      {"many-consumers", "several may receive from one object",
       [](const Facts& facts) { return facts.peers == Peers::many_to_many; },
       "serves one consumer"},
      {"survives-crash", "what was sent outlives both processes",
       [](const Facts& facts) { return facts.persistence != Persistence::process; },
       "what was sent is gone with its processes"},
      {"survives-reboot", "what was sent outlives the kernel",
       [](const Facts& facts) { return facts.persistence == Persistence::filesystem; },
       "what was sent is gone with the kernel"},
      {"pollable", "epoll can wait for it", [](const Facts& facts) { return facts.pollable; },
       "epoll can't wait for it"},
      {"zero-copy", "the payload isn't copied",
       [](const Facts& facts) { return facts.copies == 0; }, "copies the payload"},
      {"posix", "POSIX has it",
       [](const Facts& facts) { return facts.standard.find("POSIX") != std::string_view::npos; },
       "isn't of POSIX"},
  };
  return needs;
}

const Need& find_need(const std::string& name) {
  std::vector<std::string> names;
  for (const Need& need : all_needs()) {
    if (need.name == name) return need;
    names.emplace_back(need.name);
  }
  throw UsageError(fmt::format("--need '{}': nobody's fact{}; expected some of {}", printable(name),
                               suggestion(name, names), fmt::join(names, ", ")));
}

std::string Wanted::text() const {
  std::vector<std::string> parts{size_text(size)};
  if (rate_per_s > 0) parts.push_back(rate_text(rate_per_s));
  if (p50_ns > 0) parts.push_back(fmt::format("p50 up to {}", duration_text(p50_ns)));
  if (p99_ns > 0) parts.push_back(fmt::format("p99 up to {}", duration_text(p99_ns)));
  if (cpu_ns > 0) parts.push_back(fmt::format("CPU up to {} a message", duration_text(cpu_ns)));
  if (is_cpu_low) parts.emplace_back("no spinning");
  for (const Need* need : needs) parts.emplace_back(need->name);
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string why_not_by_facts(const Row& row, const Wanted& wanted) {
  if (row.facts.standard.empty())  // a module that isn't there: its facts are with it
    return fmt::format("not on this machine: {}", row.unavailable());
  if (row.facts.family == Family::roofline) return "a roofline: nothing goes to another process";
  if (row.facts.boundary == Boundary::none) return "carries no bytes";
  if (row.kernel_served) return "its other end is the kernel, not a process";
  for (const Need* need : wanted.needs)
    if (!need->holds(row.facts)) return std::string(need->otherwise);
  if (std::string reason = row.unavailable(); !reason.empty())
    return fmt::format("not on this machine: {}", reason);
  if (const auto most = row.message_max(); most && *most < wanted.size)
    return fmt::format("takes messages of up to {}", size_text(*most));
  return "";
}

Choice choose(const std::vector<CellSummary>& cells, const Wanted& wanted) {
  const Records records = records_of(cells);
  const bool has_real_times = std::any_of(cells.begin(), cells.end(), [](const CellSummary& cell) {
    return cell.measured() > 0 && !cell.is_emulated && !cell.is_counted;
  });
  const Judge judge(records, wanted, has_real_times);
  Choice choice;
  std::vector<RuledOut> ruled_out;
  std::map<std::string, std::size_t> placements_of;
  std::set<std::string> judged;
  for (const auto& [key, record] : records) {
    const auto& [label, placement] = key;
    const Row* row = find_row(record.transport);
    judged.insert(record.transport);
    if (!is_wanted(placement, wanted)) continue;
    ++placements_of[label];
    std::string reason = row != nullptr          ? why_not_by_facts(*row, wanted)
                         : !wanted.needs.empty() ? "this ipcbench doesn't know its facts"
                                                 : "";
    Candidate candidate{.label = label, .placement = placement};
    if (reason.empty()) reason = judge.judge(label, record, candidate);
    if (reason.empty())
      choice.ranked.push_back(std::move(candidate));
    else
      ruled_out.push_back({label, placement, reason});
  }
  for (const Row& row : all_rows()) {
    if (judged.contains(std::string(row.facts.name))) continue;
    const std::string reason = why_not_by_facts(row, wanted);
    ruled_out.push_back(
        {std::string(row.facts.name), "", reason.empty() ? "wasn't measured" : reason});
  }
  choice.ruled_out = merged(ruled_out, placements_of);
  const bool all_have_p99 =
      std::all_of(choice.ranked.begin(), choice.ranked.end(),
                  [](const Candidate& one) { return one.p99_ns.has_value(); });
  choice.by = all_have_p99 ? "p99" : "p50";
  std::stable_sort(choice.ranked.begin(), choice.ranked.end(),
                   [&](const Candidate& a, const Candidate& b) {
                     if (a.placement != b.placement) return a.placement < b.placement;
                     return latency_of(a, choice.by) < latency_of(b, choice.by);
                   });
  mark_front(choice.ranked, choice.by);
  return choice;
}

namespace {

std::string half_width(const std::optional<Estimate>& estimate) {
  return estimate && estimate->count > 1 ? half_width_text(estimate->half_width()) : "–";
}

std::vector<std::string> row_of(const Candidate& one) {
  const auto show = [](const std::optional<Estimate>& estimate, auto text) {
    return estimate ? text(estimate->median) : std::string("–");
  };
  std::vector<std::string> notes;
  if (std::string marks = notes_of(one.cells); !marks.empty()) notes.push_back(std::move(marks));
  notes.insert(notes.end(), one.remarks.begin(), one.remarks.end());
  return {one.label,
          show(one.p50_ns, duration_text),
          half_width(one.p50_ns),
          show(one.p99_ns, duration_text),
          half_width(one.p99_ns),
          show(one.cpu_ns, duration_text),
          show(one.messages_per_s, rate_text),
          half_width(one.messages_per_s),
          one.is_on_front ? "*" : "",
          fmt::format("{}", fmt::join(notes, "; "))};
}

}  // namespace

std::vector<Table> choice_tables(const Choice& choice, const Wanted& wanted) {
  std::vector<Table> tables;
  for (const Candidate& one : choice.ranked) {
    if (tables.empty() || !tables.back().title.ends_with(" " + one.placement))
      tables.push_back({.title = fmt::format("{}; ranked by round trip {}, {}", wanted.text(),
                                             choice.by, one.placement),
                        .columns = {"transport", "round trip p50", "±", "p99", "±", "CPU/message",
                                    "messages", "±", "front", "notes"},
                        .rows = {}});
    tables.back().rows.push_back(row_of(one));
  }
  Table out{.title = "Ruled out", .columns = {"transport", "why"}, .rows = {}};
  for (const RuledOut& one : choice.ruled_out)
    out.rows.push_back(
        {one.placement.empty() ? one.label : fmt::format("{} ({})", one.label, one.placement),
         one.reason});
  if (!out.rows.empty()) tables.push_back(std::move(out));
  return tables;
}

Json choice_json(const Choice& choice, const Wanted& wanted) {
  const auto estimate = [](const std::optional<Estimate>& value) {
    if (!value) return Json(nullptr);
    return Json{{"median", value->median}, {"low", value->low}, {"high", value->high}};
  };
  const auto limit = [](double value) { return value > 0 ? Json(value) : Json(nullptr); };
  Json needs = Json::array();
  for (const Need* need : wanted.needs) needs.push_back(need->name);
  Json json{{"schema", "ipcbench-choice/1"},
            {"asked",
             {{"size", wanted.size},
              {"rate_per_s", limit(wanted.rate_per_s)},
              {"p50_ns", limit(wanted.p50_ns)},
              {"p99_ns", limit(wanted.p99_ns)},
              {"cpu_ns_per_message", limit(wanted.cpu_ns)},
              {"no_spinning", wanted.is_cpu_low},
              {"needs", std::move(needs)}}},
            {"ranked_by", fmt::format("round_trip_{}_ns", choice.by)},
            {"ranked", Json::array()},
            {"ruled_out", Json::array()}};
  for (const Candidate& one : choice.ranked)
    json["ranked"].push_back({{"transport", one.label},
                              {"placement", one.placement},
                              {"measured_size", one.measured_size},
                              {"round_trip_p50_ns", estimate(one.p50_ns)},
                              {"round_trip_p99_ns", estimate(one.p99_ns)},
                              {"cpu_ns_per_message", estimate(one.cpu_ns)},
                              {"messages_per_s", estimate(one.messages_per_s)},
                              {"pareto_front", one.is_on_front},
                              {"notes", notes_of(one.cells)},
                              {"remarks", one.remarks}});
  for (const RuledOut& one : choice.ruled_out)
    json["ruled_out"].push_back(
        {{"transport", one.label},
         {"placement", one.placement.empty() ? Json(nullptr) : Json(one.placement)},
         {"reason", one.reason}});
  return json;
}

}  // namespace ipcbench
