// ipcbench choose: where the numbers come from, and how the answer is told.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/calibration.h"
#include "harness/choose.h"
#include "harness/commands.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

namespace fs = std::filesystem;

/// Measuring came to no end that could be judged: what `run` has said is all.
struct Ended {
  int status;
};

Wanted parse(const ChooseRequest& request) {
  Wanted wanted;
  wanted.size = parse_size(request.size);
  const auto time = [](const std::string& text, const char* flag) {
    return text.empty() ? 0 : static_cast<double>(parse_duration(text, flag, 1e-9, 3600));
  };
  if (!request.rate.empty())
    for (const Axis& axis : all_axes())
      if (axis.name == "rate")
        wanted.rate_per_s = static_cast<double>(axis.parse(request.rate, axis));
  wanted.p50_ns = time(request.p50, "--p50");
  wanted.p99_ns = time(request.p99, "--p99");
  if (request.cpu == "low")
    wanted.is_cpu_low = true;
  else
    wanted.cpu_ns = time(request.cpu, "--cpu");
  if (!request.needs.empty())
    for (const std::string& need : split_list(request.needs, "--need"))
      wanted.needs.push_back(&find_need(need));
  if (!request.placement.empty()) wanted.placements = split_list(request.placement, "--placement");
  return wanted;
}

/// The newest of the kept files that was written on this machine and has round trips.
std::optional<ResultsFile> newest_kept(const std::string& digest) {
  std::vector<std::pair<fs::file_time_type, std::string>> kept;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(state_directory(), error)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".json") || name.starts_with("calibration-")) continue;
    kept.emplace_back(entry.last_write_time(error), entry.path().string());
  }
  std::sort(kept.rbegin(), kept.rend());
  for (const auto& [time, path] : kept) {
    try {
      ResultsFile file = read_results(path);
      const bool has_trips =
          std::any_of(file.runs.begin(), file.runs.end(), [](const RunRecord& run) {
            return run.scenario == "ping_pong" &&
                   (run.status == Status::ok || run.status == Status::suspect);
          });
      if (has_trips && machine_digest(file.context) == digest) return file;
    } catch (const UsageError&) {
      continue;  // something else that lies there
    }
  }
  return std::nullopt;
}

/// Measures what the facts allow, as the suite quick would, and keeps the file.
ResultsFile measure(const Wanted& wanted, const ChooseRequest& request,
                    const std::vector<std::string>& command_line) {
  std::vector<std::string> transports;
  for (const Row& row : all_rows())
    if (why_not_by_facts(row, wanted).empty()) transports.emplace_back(row.facts.name);
  if (transports.empty()) return {};
  RunOptions options;
  options.suite = "quick";
  options.transports = fmt::format("{}", fmt::join(transports, ","));
  options.scenarios = "ping_pong,flood";
  options.sizes = std::to_string(wanted.size);
  options.placements = request.placement;
  if (wanted.rate_per_s >= 1000) {
    options.scenarios += ",paced";
    options.rate = request.rate;
  }
  options.output = default_output();
  options.shows_table = false;
  const int status = run_command(options, command_line);
  if (status != exit_ok && status != exit_failed) throw Ended{status};
  return read_results(options.output);
}

/// The cells of all files; of those that are in several, the ones that were measured last.
std::vector<CellSummary> newest_cells(std::vector<ResultsFile> files) {
  const auto started = [](const ResultsFile& file) {
    const Json time = file.context.value("started", Json());
    return time.is_string() ? time.get<std::string>() : std::string();
  };
  std::stable_sort(files.begin(), files.end(), [&](const ResultsFile& a, const ResultsFile& b) {
    return started(a) < started(b);
  });
  std::map<std::string, CellSummary> cells;
  for (const ResultsFile& file : files)
    for (CellSummary& cell : summarise(file)) {
      const std::string key = key_of(file.runs[cell.runs.front()]);
      if (cell.measured() > 0 || !cells.contains(key)) cells[key] = std::move(cell);
    }
  std::vector<CellSummary> all;
  for (auto& [key, cell] : cells) all.push_back(std::move(cell));
  return all;
}

std::vector<ResultsFile> input(const std::vector<std::string>& paths, const Wanted& wanted,
                               const ChooseRequest& request,
                               const std::vector<std::string>& command_line) {
  if (!paths.empty()) {
    if (request.measures)
      throw UsageError("--measure: measures in place of files; give one of the two");
    std::vector<ResultsFile> files = read_files(paths);
    for (const ResultsFile& file : files)
      if (machine_digest(file.context) != machine_digest(files.front().context))
        throw UsageError(fmt::format(
            "{} and {}: are of different machines, and times of one say nothing of the other; give "
            "files of one machine",
            printable(files.front().path), printable(file.path)));
    return files;
  }
  if (!request.measures) {
    const Topology topology;
    const Json here = make_context(command_line, topology, measure_tick_rate());
    if (auto file = newest_kept(machine_digest(here))) return {*file};
    fmt::print(stderr,
               "nothing that was measured here is kept: measuring, as the suite quick does\n");
  }
  return {measure(wanted, request, command_line)};
}

/// The time that the order follows.
const Estimate& ranked_by(const Candidate& one, const Choice& choice) {
  return choice.by == "p99" ? one.p99_ns.value() : one.p50_ns.value();
}

/// "cross-core: posix_mq, round trip p99 92.4 µs, 18.7 µs of CPU time per message; …"
std::string headline(const Candidate& best, const Choice& choice) {
  const Estimate& time = ranked_by(best, choice);
  const auto as_good =
      std::count_if(choice.ranked.begin(), choice.ranked.end(), [&](const Candidate& other) {
        return other.placement == best.placement && ranked_by(other, choice).low <= time.high;
      });
  std::string line = fmt::format("{}: {}, round trip {} {}", best.placement, best.label, choice.by,
                                 duration_text(time.median));
  if (best.cpu_ns)
    line += fmt::format(", {} of CPU time per message", duration_text(best.cpu_ns->median));
  if (as_good > 1)
    line += fmt::format("; the intervals of {} below overlap with its: no better by these runs",
                        as_good - 1);
  return line;
}

void print_text(const Choice& choice, const Wanted& wanted, const std::vector<CellSummary>& cells,
                const std::vector<ResultsFile>& files, TableFormat format, bool bold) {
  const char* bullet = format == TableFormat::markdown ? "- " : "";
  for (std::size_t i = 0; i < choice.ranked.size(); ++i)
    if (i == 0 || choice.ranked[i].placement != choice.ranked[i - 1].placement)
      fmt::print("{}{}\n", bullet, headline(choice.ranked[i], choice));
  if (choice.ranked.empty()) fmt::print("Nothing qualifies.\n");
  fmt::print("\n");
  for (const Table& table : choice_tables(choice, wanted))
    fmt::print("{}", render(table, format, bold));
  if (!choice.ranked.empty())
    fmt::print(
        "{}*  on the front: nothing at this placement is both faster and cheaper in CPU time\n",
        bullet);
  fmt::print("{}", footer(cells, files, format));
}

}  // namespace

int choose_command(const std::vector<std::string>& paths, const ChooseRequest& request,
                   const std::vector<std::string>& command_line) {
  if (request.format != "text" && request.format != "md" && request.format != "json")
    throw UsageError(
        fmt::format("--format '{}': expected text, md or json", printable(request.format)));
  const TableFormat format = parse_table_format(request.format);
  const bool bold = wants_color(request.color, STDOUT_FILENO);
  const Wanted wanted = parse(request);
  try {
    const std::vector<ResultsFile> files = input(paths, wanted, request, command_line);
    const std::vector<CellSummary> cells = newest_cells(files);
    const Choice choice = choose(cells, wanted);
    if (format == TableFormat::json) {
      Json json = choice_json(choice, wanted);
      for (const ResultsFile& file : files) json["files"].push_back(printable(file.path, 1000));
      fmt::print("{}\n", dump(json, 2));
    } else {
      print_text(choice, wanted, cells, files, format, bold);
    }
    return choice.ranked.empty() ? exit_nothing_ran : exit_ok;
  } catch (const Ended& ended) {
    return ended.status;
  }
}

}  // namespace ipcbench
