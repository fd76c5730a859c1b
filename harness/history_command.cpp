// ipcbench history: results files of a directory in the order of time.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "harness/commands.h"
#include "harness/history.h"
#include "harness/pivot.h"
#include "harness/report_page.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

namespace fs = std::filesystem;

/// The files of a directory that are named like results; what can't be read is said, and left out.
std::vector<ResultsFile> read_directory(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const std::string ending = entry.path().extension().string();
    if (entry.is_regular_file(error) && (ending == ".json" || ending == ".html"))
      names.push_back(entry.path().string());
  }
  if (error) throw UsageError(fmt::format("{}: {}", printable(path), error.message()));
  std::sort(names.begin(), names.end());
  std::vector<ResultsFile> files;
  for (const std::string& name : names) {
    try {
      for (ResultsFile& file : read_all_results(name)) files.push_back(std::move(file));
    } catch (const UsageError& problem) {
      fmt::print(stderr, "left out: {}\n", problem.what());
    }
  }
  return files;
}

void print(const History& history, const HistoryRequest& request) {
  if (request.format == "json") {
    fmt::print("{}\n", dump(history_json(history), 2));
    return;
  }
  const TableFormat format = parse_table_format(request.format);
  fmt::print("{}", render(history_table(history, request.shows_all), format, false));
  const auto regressed =
      std::count_if(history.series.begin(), history.series.end(),
                    [](const HistorySeries& one) { return one.has_regressed(); });
  const char* bullet = format == TableFormat::markdown ? "- " : "";
  fmt::print("{}{} of {} series have regressed at their newest change\n", bullet, regressed,
             history.series.size());
  fmt::print("{}{}; by chance {:.2g} of so many series would show a change\n", bullet,
             method_of(history),
             history.options.change_points.level * static_cast<double>(history.series.size()));
}

}  // namespace

int history_command(const std::vector<std::string>& paths, const HistoryRequest& request) {
  if (request.format != "text" && request.format != "md" && request.format != "json")
    throw UsageError(
        fmt::format("--format '{}': expected text, md or json", printable(request.format)));
  HistoryOptions options;
  options.metric = request.metric;
  options.margin = parse_percent(request.margin, "--margin", 0, 1000);
  options.change_points.seed = parse_number(request.seed, "--seed", 0, UINT64_MAX);
  std::vector<ResultsFile> files;
  for (const std::string& path : paths) {
    std::error_code error;
    for (ResultsFile& file :
         fs::is_directory(path, error) ? read_directory(path) : read_all_results(path))
      files.push_back(std::move(file));
  }
  if (files.empty())
    throw UsageError(fmt::format("{}: has no results files; expected some, named *.json or *.html",
                                 printable(paths.front())));
  filter_runs(files, request.filter);
  const History history = make_history(std::move(files), options);
  if (history.series.empty())
    throw UsageError(options.metric.empty()
                         ? std::string("nothing was measured in these files")
                         : fmt::format("--metric '{}': no cell of these files has it",
                                       printable(options.metric)));
  if (!request.page.empty()) write_file(request.page, history_page(history_json(history)));
  if (request.page != "-") print(history, request);
  return std::any_of(history.series.begin(), history.series.end(),
                     [](const HistorySeries& one) { return one.has_regressed(); })
             ? exit_regressed
             : exit_ok;
}

}  // namespace ipcbench
