#include "harness/table.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/measure.h"
#include "harness/plan.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

const std::string nothing = "–";

struct Mark {
  std::string_view letter;
  std::string_view meaning;
  bool (*applies)(const CellSummary&);
};

bool has_percentiles(const CellSummary& cell) {
  return cell.round_trips > 0;
}

/// Warnings are a closed set: what was seen, why it matters, what helps.
constexpr Mark marks[] = {
    {"s",
     "some repeats were suspect (noise during the run) and are counted in, beside those made for "
     "them",
     [](const CellSummary& cell) { return cell.suspect > 0; }},
    {"m", "the repeats fall into two groups: the median may be of either; look at the runs",
     [](const CellSummary& cell) { return cell.clusters.has_value(); }},
    {"f", "some repeats failed and are left out; the results file has the reasons",
     [](const CellSummary& cell) { return cell.failed > 0; }},
    {"r",
     "fewer than 6 repeats: the interval is their whole range, below 95 % confidence; use -r 6",
     [](const CellSummary& cell) {
       return cell.scenario != "verify" && cell.measured() > 0 &&
              cell.measured() < repeats_for_interval;
     }},
    {"b", "too fast for a clock read each: the median of sub-batches' means, no percentiles",
     [](const CellSummary& cell) { return cell.timed_by_batches; }},
    {"l",
     "messages were lost, reordered or duplicated by the channel; the results file counts them",
     [](const CellSummary& cell) { return cell.mishaps > 0; }},
    {"w", "p99 withheld: fewer than ten round trips lie beyond it; raise --min-time or -r",
     [](const CellSummary& cell) { return has_percentiles(cell) && !cell.p99_ns; }},
    {"e",
     "emulated in software (tcg): the times are those of no machine; compare rows of one run, as "
     "ratios",
     [](const CellSummary& cell) { return cell.is_emulated && cell.measured() > 0; }},
    {"i",
     "instructions were counted and not time (icount): never rank them with times that were "
     "measured",
     [](const CellSummary& cell) { return cell.is_counted && cell.measured() > 0; }},
};

}  // namespace

std::string marks_of(const CellSummary& cell) {
  std::string letters;
  for (const Mark& mark : marks)
    if (mark.applies(cell)) letters += mark.letter;
  return letters;
}

std::string notes_of(const std::vector<const CellSummary*>& cells) {
  std::set<char> letters;
  std::vector<std::string> reasons;
  for (const CellSummary* cell : cells) {
    if (cell == nullptr) continue;
    for (const char letter : marks_of(*cell)) letters.insert(letter);
    if (cell->measured() > 0 && cell->p99_missing > 0)
      reasons.push_back(fmt::format("p99 needs {} more", cell->p99_missing));
    if (cell->measured() > 0) continue;
    const std::string reason =
        fmt::format("{}: {}", cell->failed > 0 ? "failed" : "skipped", printable(cell->reason));
    if (std::find(reasons.begin(), reasons.end(), reason) == reasons.end())
      reasons.push_back(reason);
  }
  std::string notes(letters.begin(), letters.end());
  for (const std::string& reason : reasons) {
    if (!notes.empty()) notes += "  ";
    notes += reason;
  }
  return notes;
}

namespace {

using Show = std::string (*)(double);

/// A row as it is made: texts, and the numbers behind them.
struct Line {
  std::vector<std::string> texts;
  std::vector<double> numbers;

  void add(std::string text, double number = std::numeric_limits<double>::quiet_NaN()) {
    texts.push_back(std::move(text));
    numbers.push_back(number);
  }
  void add(const std::optional<Estimate>& estimate, Show text, std::string_view absent = nothing) {
    if (estimate)
      add(text(estimate->median), estimate->median);
    else
      add(std::string(absent));
  }
  void add_to(Table& table) {
    table.rows.push_back(std::move(texts));
    table.numbers.push_back(std::move(numbers));
  }
};

std::string show_half_width(const std::optional<Estimate>& estimate) {
  return estimate && estimate->count > 1 ? half_width_text(estimate->half_width()) : nothing;
}
std::string factor_text(double factor) {
  return fmt::format("{:.{}f}", factor, factor < 9.95 ? 1 : 0);
}
std::string plain_text(double value) {
  return fmt::format("{:.2f}", value);
}

std::string count_text(double value) {
  return fmt::format("{:.0f}", value);
}
std::string bytes_text(double bytes) {
  return measure_text("_bytes", bytes);
}

bool is_roofline(const std::string& transport) {
  const Row* row = find_row(transport);
  return row != nullptr && row->facts.family == Family::roofline;
}

using Group = std::map<std::string, std::map<std::string, const CellSummary*>>;

const CellSummary* find(const Group& group, const std::string& transport, const char* scenario) {
  const auto& cells = group.at(transport);
  const auto cell = cells.find(scenario);
  return cell == cells.end() ? nullptr : cell->second;
}

template <class Field>
std::optional<Estimate> field(const CellSummary* cell, Field member) {
  return cell == nullptr ? std::nullopt : cell->*member;
}

/// The transports of a group by a measure, the best first, what has none at the end.
std::vector<std::string> sorted(const Group& group,
                                const std::function<double(const std::string&)>& cost) {
  std::vector<std::string> names;
  for (const auto& [name, cells] : group) names.push_back(name);
  std::stable_sort(names.begin(), names.end(),
                   [&](const std::string& a, const std::string& b) { return cost(a) < cost(b); });
  return names;
}

constexpr double unmeasured = std::numeric_limits<double>::infinity();

/// What the round trips of a row are compared with: the p50 of the reference, of its carrier, or
/// the smallest that isn't a roofline's.
double reference_p50(const Group& group, const CellSummary* cell, const std::string& reference) {
  const std::string wanted =
      reference == carrier_reference && cell != nullptr ? cell->carrier_label() : reference;
  double best = unmeasured;
  for (const auto& [name, cells] : group)
    if (const auto p50 = field(find(group, name, "ping_pong"), &CellSummary::p50_ns);
        p50 && (reference.empty() ? !is_roofline(name) : name == wanted))
      best = std::min(best, p50->median);
  return best;
}

void add_times_slower(Line& line, const std::optional<Estimate>& p50, double best,
                      const std::string& transport, bool has_reference) {
  if (is_roofline(transport) && !has_reference)
    line.add("roofline");
  else if (p50 && best < unmeasured)
    line.add(factor_text(p50->median / best), p50->median / best);
  else
    line.add(nothing);
}

Table channel_table(const Group& group, std::uint64_t size, const std::string& placement,
                    const std::string& repeats, const std::string& reference) {
  Table table{
      .title = fmt::format("{}, {}: round trip (ping_pong) and throughput (flood), {}",
                           size_text(size), placement, repeats),
      .columns = {"transport", "round trip p50", "±", "p99",
                  fmt::format("× {}", reference.empty() ? "best" : printable(reference, 60)),
                  "CPU/message", "messages", "±", "bandwidth", "CPU/message", "notes"},
      .rows = {},
      .rising = {6, 8}};
  const auto cost = [&](const std::string& name) {
    if (const auto p50 = field(find(group, name, "ping_pong"), &CellSummary::p50_ns))
      return p50->median;
    const auto rate = field(find(group, name, "flood"), &CellSummary::messages_per_s);
    return rate ? 1e9 + 1e9 / rate->median : unmeasured;
  };
  for (const std::string& name : sorted(group, cost)) {
    const CellSummary* trip = find(group, name, "ping_pong");
    const CellSummary* flood = find(group, name, "flood");
    const auto p50 = field(trip, &CellSummary::p50_ns);
    const auto rate = field(flood, &CellSummary::messages_per_s);
    Line line;
    line.add(printable(name, 60));
    line.add(p50, duration_text);
    line.add(show_half_width(p50));
    line.add(field(trip, &CellSummary::p99_ns), duration_text);
    add_times_slower(line, p50, reference_p50(group, trip, reference), name, !reference.empty());
    line.add(field(trip, &CellSummary::cpu_ns_per_message), duration_text);
    line.add(rate, rate_text);
    line.add(show_half_width(rate));
    line.add(field(flood, &CellSummary::bytes_per_s), bandwidth_text);
    line.add(field(flood, &CellSummary::cpu_ns_per_message), duration_text);
    line.add(notes_of({trip, flood}));
    line.add_to(table);
  }
  return table;
}

/// A column of a scenario's own table: what it shows of a cell, and how.
struct Column {
  std::string_view title;
  std::string measure;  ///< its name in results files; "p50" and "p99" are the merged percentiles
  Show text;
  bool has_interval = false;
  std::string_view absent = nothing;  ///< where the results file says why there is none
};

struct ScenarioTable {
  std::string_view scenario;
  std::string_view title;
  std::vector<Column> columns;  ///< the first one decides the order
  bool is_rate = false;         ///< more is better
};

/// The scenarios that have a table of their own, in report order.
const std::vector<ScenarioTable>& scenario_tables() {
  const Column cpu{"CPU/message", "cpu_ns_per_message", duration_text};
  const Column rate{"messages", "messages_per_s", rate_text, true};
  const Column bandwidth{"bandwidth", "bytes_per_s", bandwidth_text};
  const Column fairness{"fairness", "fairness", plain_text};
  const Column p50{"p50", "p50", duration_text, true};
  const Column p99{"p99", "p99", duration_text};
  static const std::vector<ScenarioTable> tables{
      {"one_way",
       "one way (one_way)",
       {p50, p99, {"back p50", "way_back_p50_ns", duration_text}, cpu}},
      {"burst", "throughput in windows (burst)", {rate, bandwidth, cpu}, true},
      {"paced",
       "latency at an offered rate, from when a message was due (paced)",
       {p50,
        p99,
        {"p99 from its send", "service_p99_ns", duration_text},
        {"offered", "offered_per_s", rate_text},
        {"achieved", "messages_per_s", rate_text},
        cpu}},
      {"sparse", "a message after an idle gap (sparse)", {p50, p99, cpu}},
      {"fan_in", "many producers, one consumer (fan_in)", {rate, bandwidth, fairness, cpu}, true},
      {"fan_out", "one producer, many consumers (fan_out)", {rate, bandwidth, fairness, cpu}, true},
      {"pairs", "independent pairs at once (pairs)", {rate, bandwidth, fairness, cpu}, true},
      {"handoff",
       "control there and back (handoff)",
       {{"round trip p50", "p50", duration_text, true},
        p99,
        {"CPU/notification", "cpu_ns_per_message", duration_text}}},
      {"contend",
       "processes take turns (contend)",
       {{"acquisitions", "acquisitions_per_s", rate_text, true},
        fairness,
        {"hand-over p50", "p50", duration_text},
        {"longest wait", "longest_wait_ns", duration_text},
        {"CPU/acquisition", "cpu_ns_per_message", duration_text}},
       true},
      {"set_up",
       "from nothing to the first message, and back (set_up)",
       {{"in all", "p50", duration_text, true},
        {"create", "create_ns", duration_text},
        {"connect", "connect_ns", duration_text},
        {"first message", "first_message_ns", duration_text},
        {"tear down", "tear_down_ns", duration_text}}},
      {"peer_death",
       "what the survivor notices, and when (peer_death)",
       {{"sender notices after", "sender_notices_ns", duration_text, true, "never"},
        {"receiver notices after", "receiver_notices_ns", duration_text, true, "never"},
        {"messages lost", "lost_messages", count_text}}},
      {"memory",
       "memory of a link, and what it holds (memory)",
       {{"resident", "resident_bytes", bytes_text, true},
        {"kernel", "kernel_bytes", bytes_text},
        {"holds", "held_bytes", bytes_text, false, "takes all"},
        {"messages held", "held_messages", count_text, false, "takes all"}}},
  };
  return tables;
}

const ScenarioTable* find_scenario_table(const std::string& scenario) {
  for (const ScenarioTable& table : scenario_tables())
    if (table.scenario == scenario) return &table;
  return nullptr;
}

/// A table of one scenario, size and placement: its columns are the scenario's.
Table own_table(const ScenarioTable& scenario, const Group& group, const std::string& where,
                const std::string& repeats) {
  Table table{.title = fmt::format("{}: {}, {}", where, scenario.title, repeats),
              .columns = {"transport"},
              .rows = {}};
  for (const Column& column : scenario.columns) {
    if (more_is_better(column.measure)) table.rising.insert(table.columns.size());
    table.columns.emplace_back(column.title);
    if (column.has_interval) table.columns.emplace_back("±");
  }
  table.columns.emplace_back("notes");
  const char* name = scenario.scenario.data();
  const auto cost = [&](const std::string& transport) {
    const auto value = estimate_of(*find(group, transport, name), scenario.columns.front().measure);
    if (!value) return unmeasured;
    return scenario.is_rate ? -value->median : value->median;
  };
  for (const std::string& transport : sorted(group, cost)) {
    const CellSummary* cell = find(group, transport, name);
    Line line;
    line.add(printable(transport, 60));
    for (const Column& column : scenario.columns) {
      const auto value = estimate_of(*cell, column.measure);
      line.add(value, column.text,
               cell->missing.contains(column.measure) ? column.absent : nothing);
      if (column.has_interval) line.add(show_half_width(value));
    }
    line.add(notes_of({cell}));
    line.add_to(table);
  }
  return table;
}

Table verify_table(const Group& group, const std::string& what, const std::string& repeats) {
  Table table{.title = fmt::format("{}: proof (verify), {}", what, repeats),
              .columns = {"transport", "verified", "notes"},
              .rows = {}};
  for (const auto& [name, cells] : group) {
    const CellSummary* cell = find(group, name, "verify");
    table.rows.push_back({printable(name, 60),
                          cell->measured() > 0 && cell->failed == 0 ? "yes" : nothing,
                          notes_of({cell})});
  }
  return table;
}

std::string csv_number(std::optional<double> value) {
  return value ? fmt::format("{:.6g}", *value) : "";
}

std::string render_csv(const std::vector<ResultsFile>& files) {
  std::string csv =
      "file,transport,scenario,size_bytes,placement,wait,start,producers,consumers,runs_ok,runs_"
      "suspect,runs_failed,runs_skipped,"
      "reason,round_trip_p50_ns,round_trip_p50_low_ns,round_trip_p50_high_ns,round_trip_p90_ns,"
      "round_trip_p99_ns,round_trip_p999_ns,round_trips,messages_per_s,messages_low_per_s,"
      "messages_high_per_s,bytes_per_s,acquisitions_per_s,acquisitions_low_per_s,"
      "acquisitions_high_per_s,fairness,cpu_ns_per_message,marks\n";
  for (const ResultsFile& file : files)
    for (const CellSummary& cell : summarise(file)) {
      std::vector<std::string> fields{escape_csv(file.path),
                                      escape_csv(cell.transport),
                                      escape_csv(cell.scenario),
                                      cell.size ? std::to_string(*cell.size) : "",
                                      escape_csv(cell.placement),
                                      std::string(text(cell.manner.waiting)),
                                      std::string(text(cell.manner.start)),
                                      std::to_string(cell.manner.producers),
                                      std::to_string(cell.manner.consumers),
                                      std::to_string(cell.ok),
                                      std::to_string(cell.suspect),
                                      std::to_string(cell.failed),
                                      std::to_string(cell.skipped),
                                      escape_csv(cell.reason)};
      const auto add = [&](std::optional<double> value) { fields.push_back(csv_number(value)); };
      const auto add_interval = [&](const std::optional<Estimate>& estimate) {
        add(estimate ? std::optional(estimate->median) : std::nullopt);
        add(estimate ? std::optional(estimate->low) : std::nullopt);
        add(estimate ? std::optional(estimate->high) : std::nullopt);
      };
      const auto add_median = [&](const std::optional<Estimate>& estimate) {
        add(estimate ? std::optional(estimate->median) : std::nullopt);
      };
      add_interval(cell.p50_ns);
      add(cell.p90_ns);
      add_median(cell.p99_ns);
      add(cell.p999_ns);
      fields.push_back(std::to_string(cell.round_trips));
      add_interval(cell.messages_per_s);
      add_median(cell.bytes_per_s);
      add_interval(cell.acquisitions_per_s);
      add_median(cell.fairness);
      add_median(cell.cpu_ns_per_message);
      fields.push_back(marks_of(cell));
      csv += fmt::format("{}\n", fmt::join(fields, ","));
    }
  return csv;
}

std::string text_of(const Json& json, const Json::json_pointer& at, std::string otherwise = "?") {
  if (!json.contains(at)) return otherwise;
  const Json& value = json.at(at);
  return printable(value.is_string() ? value.get<std::string>() : dump(value));
}

/// What a run of counted instructions can say: how many a message, a round trip … took, of all
/// processes and the kernel together.
Table instruction_table(const std::vector<CellSummary>& cells, double instruction_ns) {
  Table table{.title = "Instructions, of all processes and the kernel (icount)",
              .columns = {"transport", "scenario", "size", "instructions", "±", "notes"},
              .rows = {}};
  for (const CellSummary& cell : cells) {
    if (cell.scenario == "verify") continue;
    const auto scenario = find_scenario(cell.scenario);
    const std::string mean =
        scenario ? fmt::format("{}_mean_ns", all_scenarios()[*scenario].latency) : "";
    auto timed = cell.estimates.find(mean);
    // The kernel's ticks are in the mean; the first quartile of the sub-batches repeats to 0.1 %.
    if (const auto quiet = cell.estimates.find("quiet_ns_per_operation");
        mean == "round_trip_mean_ns" && quiet != cell.estimates.end())
      timed = quiet;
    std::optional<double> count;
    std::string width = nothing;
    if (timed != cell.estimates.end()) {
      count = timed->second.median / instruction_ns;
      width = show_half_width(timed->second);
    } else if (cell.messages_per_s) {
      count = 1e9 / cell.messages_per_s->median / instruction_ns;
      width = show_half_width(cell.messages_per_s);
    } else if (cell.p50_ns) {
      count = cell.p50_ns->median / instruction_ns;
      width = show_half_width(cell.p50_ns);
    }
    table.rows.push_back(
        {printable(cell.label(), 60), cell.scenario, cell.size ? size_text(*cell.size) : nothing,
         count ? fmt::format("{:.0f}", *count) : nothing, width, notes_of({&cell})});
  }
  return table;
}

}  // namespace

std::string main_measure(const std::string& scenario) {
  if (const ScenarioTable* own = find_scenario_table(scenario)) return own->columns.front().measure;
  return scenario == "ping_pong" ? "p50" : scenario == "flood" ? "messages_per_s" : "";
}

std::vector<Table> make_tables(const std::vector<CellSummary>& cells, const TableOptions& options) {
  if (!options.reference.empty() && options.reference != carrier_reference &&
      std::none_of(cells.begin(), cells.end(),
                   [&](const CellSummary& cell) { return cell.label() == options.reference; }))
    throw UsageError(
        fmt::format("--reference '{}': no row of that name", printable(options.reference)));
  using Section = std::tuple<std::string, std::size_t, std::uint64_t>;  // placement, kind, size
  // ping_pong and flood share a table, whose place is the first; verify's is the last.
  constexpr std::size_t channel = 0;
  const std::size_t verify = scenario_tables().size() + 1;
  std::map<Section, Group> sections;
  std::map<Section, int> repeats;
  for (const CellSummary& cell : cells) {
    const ScenarioTable* own = find_scenario_table(cell.scenario);
    const std::size_t kind = own != nullptr
                                 ? static_cast<std::size_t>(own - scenario_tables().data() + 1)
                             : cell.scenario == "verify" ? verify
                                                         : channel;
    const Section section{cell.placement, kind, cell.size.value_or(0)};
    sections[section][cell.label()][cell.scenario] = &cell;
    int& most = repeats[section];
    most = std::max(most, cell.measured() + cell.failed);
  }
  std::vector<Table> tables;
  for (const auto& [section, group] : sections) {
    const auto& [placement, kind, size] = section;
    const int most = repeats[section];
    const std::string count = fmt::format("{} {}", most, most == 1 ? "repeat" : "repeats");
    const std::string place = printable(placement, 40);
    const std::string where = size == 0 ? place : size_text(size) + ", " + place;
    if (kind == channel)
      tables.push_back(channel_table(group, size, place, count, options.reference));
    else if (kind == verify)
      tables.push_back(verify_table(group, where, count));
    else
      tables.push_back(own_table(scenario_tables()[kind - 1], group, where, count));
  }
  sort_rows(tables, options);
  return tables;
}

std::vector<std::string> legend(const std::vector<CellSummary>& cells) {
  std::vector<std::string> lines;
  for (const Mark& mark : marks)
    if (std::any_of(cells.begin(), cells.end(), mark.applies))
      lines.push_back(fmt::format("{}  {}", mark.letter, mark.meaning));
  return lines;
}

std::string provenance(const Json& context) {
  using Pointer = Json::json_pointer;
  return fmt::format("{}, Linux {}, {}; ipcbench {} ({})",
                     text_of(context, Pointer("/machine/identity/cpu_model")),
                     text_of(context, Pointer("/machine/identity/kernel_release")),
                     text_of(context, Pointer("/started")), text_of(context, Pointer("/version")),
                     text_of(context, Pointer("/machine/identity/commit")));
}

std::string footer(const std::vector<CellSummary>& cells, const std::vector<ResultsFile>& files,
                   TableFormat format, bool has_ratios) {
  std::vector<std::string> lines = legend(cells);
  lines.push_back(
      fmt::format("±  half of the interval of the {} over the repeats (95 % from 6 repeats on)",
                  has_ratios ? "ratio of two medians" : "median"));
  for (const ResultsFile& file : files)
    lines.push_back(files.size() == 1
                        ? provenance(file.context)
                        : fmt::format("{}: {}", printable(file.path), provenance(file.context)));
  std::string text;
  for (const std::string& line : lines)
    text += format == TableFormat::markdown ? fmt::format("- {}\n", line)
            : format == TableFormat::latex  ? fmt::format("% {}\n", line)
                                            : fmt::format("{}\n", line);
  return text;
}

namespace {

std::vector<Table> tables_of(const ResultsFile& file, const TableOptions& options) {
  const std::vector<CellSummary> cells = summarise(file);
  const double counted_ns = instruction_ns(file.context);
  if (counted_ns > 0) return {instruction_table(cells, counted_ns)};
  return make_tables(cells, options);
}

}  // namespace

std::string render(const ResultsFile& file, TableFormat format, bool bold,
                   const TableOptions& options) {
  if (format == TableFormat::csv || format == TableFormat::json)
    return render(std::vector{file}, format, bold, options);
  std::string text;
  for (const Table& table : tables_of(file, options)) text += render(table, format, bold);
  return text + footer(summarise(file), {file}, format);
}

std::string render(const std::vector<ResultsFile>& files, TableFormat format, bool bold,
                   const TableOptions& options) {
  if (format == TableFormat::csv) return render_csv(files);
  if (format == TableFormat::json) {
    Json json = Json::array();
    for (const ResultsFile& file : files)
      json.push_back(
          {{"file", printable(file.path)}, {"tables", tables_json(tables_of(file, options))}});
    return dump(json, 2) + "\n";
  }
  std::string text;
  for (const ResultsFile& file : files) {
    if (files.size() > 1)
      text +=
          fmt::format("{}{}\n\n", format == TableFormat::latex ? "% " : "", printable(file.path));
    text += render(file, format, bold, options);
    if (&file != &files.back()) text += "\n";
  }
  return text;
}

}  // namespace ipcbench
