// ipcbench export: which files, in which format, to where.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "harness/commands.h"
#include "harness/export.h"
#include "harness/pivot.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

namespace fs = std::filesystem;

/// A key as the name of a file.
std::string file_name(std::string key) {
  for (char& c : key)
    if (c == '/' || c == ':' || static_cast<unsigned char>(c) <= ' ') c = '_';
  return printable(key, 200) + ".hgrm";
}

/// One histogram goes into a file or to stdout, several into a directory.
void write_hgrm(const ResultsFile& file, const std::string& output) {
  const std::map<std::string, std::string> texts = to_hgrm(file);
  if (texts.empty())
    throw UsageError(
        fmt::format("{}: no run has a histogram of what it timed", printable(file.path)));
  std::error_code error;
  const bool is_directory = fs::is_directory(output, error);
  if (texts.size() == 1 && !is_directory) return write_file(output, texts.begin()->second);
  if (output == "-")
    throw UsageError(
        fmt::format("hgrm: {} cells have a histogram, and a file holds one; expected -o DIRECTORY, "
                    "or a --filter that leaves one",
                    texts.size()));
  fs::create_directories(output, error);
  if (error || !fs::is_directory(output))
    throw UsageError(fmt::format("{}: {}; expected -o DIRECTORY", printable(output),
                                 error ? error.message() : "is no directory"));
  for (const auto& [key, text] : texts) {
    const std::string path = fs::path(output) / file_name(key);
    write_file(path, text);
    fmt::print("{}\n", path);
  }
}

void report_what_is_left_out(const std::vector<ResultsFile>& files) {
  std::size_t failed = 0;
  std::size_t skipped = 0;
  for (const ResultsFile& file : files)
    for (const RunRecord& run : file.runs) {
      failed += run.status == Status::failed ? 1 : 0;
      skipped += run.status == Status::skipped ? 1 : 0;
    }
  if (failed + skipped > 0)
    fmt::print(stderr, "left out: {} failed runs, {} cells that were skipped\n", failed, skipped);
}

const ResultsFile& only(const std::vector<ResultsFile>& files, const std::string& format) {
  if (files.size() != 1)
    throw UsageError(
        fmt::format("--format {}: holds one results file, got {}; export them one by one", format,
                    files.size()));
  return files.front();
}

}  // namespace

int export_command(const std::vector<std::string>& paths, const std::string& format,
                   const std::string& filter, const std::string& output) {
  const std::vector<std::string> formats{"gbench", "bmf", "gha", "hgrm", "csv", "md"};
  if (std::find(formats.begin(), formats.end(), format) == formats.end())
    throw UsageError(fmt::format("--format '{}': expected gbench, bmf, gha, hgrm, csv or md",
                                 printable(format)));
  std::vector<ResultsFile> files = read_files(paths);
  filter_runs(files, filter);
  std::vector<ResultsFile> measured;
  for (const ResultsFile& file : files) measured.push_back(only_measured(file));
  if (std::all_of(measured.begin(), measured.end(),
                  [](const ResultsFile& file) { return file.runs.empty(); }))
    throw UsageError(fmt::format(
        "{}: nothing was measured in it, so there is nothing to export; 'ipcbench table' says why",
        printable(paths.front())));
  report_what_is_left_out(files);
  const auto cells = [&] { return summarise(only(measured, format)); };
  if (format == "gbench")
    write_file(output, dump(to_gbench(only(measured, format)), 2) + "\n");
  else if (format == "bmf")
    write_file(output, dump(to_bmf(cells(), only(measured, format)), 2) + "\n");
  else if (format == "gha")
    write_file(output, dump(to_gha(cells(), only(measured, format)), 2) + "\n");
  else if (format == "hgrm")
    write_hgrm(only(measured, format), output);
  else if (format == "csv")
    write_file(output, to_run_csv(measured));
  else
    write_file(output, render(measured, TableFormat::markdown));
  return exit_ok;
}

}  // namespace ipcbench
