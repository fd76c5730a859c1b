// The sub-commands that draw: report, plot. What they draw with is built from plots/.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "harness/chart_data.h"
#include "harness/commands.h"
#include "harness/compare_output.h"
#include "harness/report_page.h"
#include "harness/results.h"
#include "harness/text.h"
#include "harness/tool.h"

namespace ipcbench {
namespace {

namespace fs = std::filesystem;

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

/// Of two files, the second beside the first as `compare` judges them; else null.
Json changes_of(const Input& input) {
  return input.documents.size() == 2 ? changes_json(input.documents[0], input.documents[1])
                                     : Json(nullptr);
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
  write_file(output, report_page(input.files, input.documents, changes_of(input)));
  if (output != "-") fmt::print("{}\n", output);
  return exit_ok;
}

int plot_command(const std::vector<std::string>& files, const std::string& directory,
                 const std::string& format, const std::string& charts) {
  if (format != "svg" && format != "png" && format != "pdf")
    throw UsageError(fmt::format("--format '{}': expected svg, png or pdf", printable(format)));
  const Input input = read_input(files);
  const Json data = chart_data(input.files, input.documents, changes_of(input));
  const std::vector<Picture> pictures = draw(data, charts);
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
