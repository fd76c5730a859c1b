#include "harness/report_page.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/chart_data.h"
#include "harness/page.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

namespace fs = std::filesystem;

std::string whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad() || text.empty()) throw std::runtime_error(fmt::format("{}: unreadable", path));
  return text;
}

/// The page's template without a mark, and what replaces it. Each mark stands there once.
void fill(std::string& page, std::string_view mark, std::string_view text) {
  const std::size_t at = page.find(mark);
  if (at == std::string::npos)
    throw std::runtime_error(fmt::format("report.html has no {}; build it again", mark));
  page.replace(at, mark.size(), text);
}

/// The template with a title and blocks of data.
std::string page_of(const std::string& title, const std::string& blocks) {
  std::string page = whole_file(plots_file("report.html"));
  fill(page, "<!-- ipcbench: title -->", escape_html(fmt::format("ipcbench: {}", title)));
  fill(page, "<!-- ipcbench: data -->", blocks);
  return page;
}

std::string title_of(const std::string& path) {
  return printable(fs::path(path).filename().string(), 60);
}

}  // namespace

std::string report_page(const std::vector<ResultsFile>& files, const std::vector<Json>& documents,
                        const Json& changes) {
  std::string blocks = json_block("ipcbench-charts", dump(chart_data(files, documents, changes)));
  for (const Json& document : documents)
    blocks.append("\n").append(json_block(results_class, results_text(document)));
  std::string title = title_of(files.front().path);
  if (files.size() > 1) title += fmt::format(" and {}", title_of(files.back().path));
  return page_of(title, blocks);
}

std::string history_page(const Json& history) {
  Json data{{"schema", "ipcbench-charts/1"}, {"files", Json::array()},
            {"scenarios", Json::object()},   {"measures", Json::object()},
            {"legend", Json::array()},       {"cells", Json::array()},
            {"runs", Json::array()},         {"history", history}};
  add_measures(data, history.at("series"));
  return page_of("history", json_block("ipcbench-charts", dump(data)));
}

std::string plots_file(const std::string& name) {
  std::vector<std::string> directories;
  if (const char* chosen = std::getenv("IPCBENCH_PLOTS"); chosen != nullptr && *chosen != '\0') {
    directories.emplace_back(chosen);
  } else {
    std::error_code error;
    const fs::path home = fs::read_symlink("/proc/self/exe", error).parent_path();
    directories = {home / "plots", home.parent_path() / "share/ipcbench/plots"};
  }
  for (const std::string& directory : directories)
    if (std::error_code error; fs::is_regular_file(fs::path(directory) / name, error))
      return fs::path(directory) / name;
  throw std::runtime_error(
      fmt::format("{}: not in {}: this ipcbench was built without Node.js; run scripts/setup "
                  "--plots and build again, or say in IPCBENCH_PLOTS where it is",
                  name, fmt::join(directories, " or in ")));
}

}  // namespace ipcbench
