// The sub-commands that draw: report, plot. What they draw with is built from plots/.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/chart_data.h"
#include "harness/commands.h"
#include "harness/page.h"
#include "harness/results.h"
#include "harness/text.h"
#include "harness/tool.h"

namespace ipcbench {
namespace {

namespace fs = std::filesystem;

/// Where the build or the installation has put what plots/ makes: beside the program or under its
/// prefix, unless IPCBENCH_PLOTS says otherwise.
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

std::string whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad() || text.empty()) throw std::runtime_error(fmt::format("{}: unreadable", path));
  return text;
}

struct Input {
  std::vector<Json> documents;
  std::vector<ResultsFile> files;
};

Input read_input(const std::vector<std::string>& paths) {
  Input input;
  for (const std::string& path : paths) {
    std::vector<Json> documents = read_documents(path);
    for (std::size_t i = 0; i < documents.size(); ++i) {
      const std::string name = documents.size() == 1 ? path : fmt::format("{}#{}", path, i + 1);
      input.files.push_back(records_of(documents[i], name));
      input.documents.push_back(std::move(documents[i]));
    }
  }
  const auto is_measured = [](const ResultsFile& file) {
    return std::any_of(file.runs.begin(), file.runs.end(), [](const RunRecord& run) {
      return run.status == Status::ok || run.status == Status::suspect;
    });
  };
  if (std::none_of(input.files.begin(), input.files.end(), is_measured))
    throw UsageError(
        fmt::format("{}: nothing was measured in it, so there is nothing to draw; "
                    "'ipcbench table' says why",
                    printable(paths.front())));
  return input;
}

/// The page's template without a mark, and what replaces it. Each mark stands there once.
void fill(std::string& page, std::string_view mark, std::string_view text) {
  const std::size_t at = page.find(mark);
  if (at == std::string::npos)
    throw std::runtime_error(fmt::format("report.html has no {}; build it again", mark));
  page.replace(at, mark.size(), text);
}

struct Picture {
  std::string name;
  std::string svg;
};

/// The line of Node.js's report that says what was wrong: those before it quote the program.
std::string problem_of(const std::string& report) {
  const std::size_t at = report.find("Error: ");
  const std::size_t start = at == std::string::npos ? 0 : report.rfind('\n', at) + 1;
  return printable(report.substr(start, report.find('\n', start) - start), 300);
}

/// The charts as SVG, drawn by Node.js.
std::vector<Picture> draw(const Json& data, const std::string& charts) {
  const std::string program = plots_file("render.mjs");
  const ToolResult result = run_tool({"node", program, charts}, dump(data));
  if (result.status == 127)
    throw std::runtime_error(
        "node: not found; charts are drawn with Node.js 18 or newer: scripts/setup --plots "
        "installs it. 'ipcbench report' needs none");
  if (result.status == 2) throw UsageError(printable(result.err.substr(0, result.err.find('\n'))));
  if (result.status != 0)
    throw std::runtime_error(
        fmt::format("node {}: exit status {}: {}", program, result.status, problem_of(result.err)));
  std::vector<Picture> pictures;
  for (const Json& chart : Json::parse(result.out)) {
    Picture picture{chart.at("name").get<std::string>(), chart.at("svg").get<std::string>()};
    if (picture.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") !=
        std::string::npos)
      throw std::runtime_error(fmt::format("{}: no file name", printable(picture.name)));
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

std::string convert(const Picture& picture, const std::string& format) {
  if (format == "svg") return picture.svg;
  const ToolResult result = run_tool(
      {"rsvg-convert", "--format", format, "--zoom", format == "png" ? "2" : "1"}, picture.svg);
  if (result.status == 127)
    throw std::runtime_error(
        fmt::format("rsvg-convert: not found; it makes {} of SVG: "
                    "scripts/setup --plots installs it",
                    format));
  if (result.status != 0)
    throw std::runtime_error(
        fmt::format("rsvg-convert: exit status {}: {}", result.status, printable(result.err, 300)));
  return result.out;
}

}  // namespace

int report_command(const std::vector<std::string>& files, const std::string& output) {
  const Input input = read_input(files);
  std::string page = whole_file(plots_file("report.html"));
  std::string blocks =
      json_block("ipcbench-charts", dump(chart_data(input.files, input.documents)));
  for (const Json& document : input.documents)
    blocks.append("\n").append(json_block(results_class, results_text(document)));
  fill(page, "<!-- ipcbench: title -->",
       escape_html(fmt::format("ipcbench: {}",
                               printable(fs::path(files.front()).filename().string(), 60))));
  fill(page, "<!-- ipcbench: data -->", blocks);
  write_file(output, page);
  if (output != "-") fmt::print("{}\n", output);
  return exit_ok;
}

int plot_command(const std::vector<std::string>& files, const std::string& directory,
                 const std::string& format, const std::string& charts) {
  if (format != "svg" && format != "png" && format != "pdf")
    throw UsageError(fmt::format("--format '{}': expected svg, png or pdf", printable(format)));
  const Input input = read_input(files);
  const std::vector<Picture> pictures = draw(chart_data(input.files, input.documents), charts);
  std::error_code error;
  fs::create_directories(directory, error);
  if (error)
    throw UsageError(fmt::format("{}: {}; choose a directory that can be written with -o",
                                 printable(directory), error.message()));
  for (const Picture& picture : pictures) {
    const std::string path = fs::path(directory) / fmt::format("{}.{}", picture.name, format);
    write_file(path, convert(picture, format));
    fmt::print("{}\n", path);
  }
  return exit_ok;
}

}  // namespace ipcbench
