// ipcbench table: results files as tables.
#include <unistd.h>

#include <fmt/format.h>

#include "harness/commands.h"
#include "harness/pivot.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

std::string render_pivot(const std::vector<ResultsFile>& files, const Pivot& pivot,
                         const TableOptions& options, TableFormat format, bool bold) {
  const std::vector<Table> tables = pivot_tables(files, pivot, options);
  if (format == TableFormat::json) return dump(tables_json(tables), 2) + "\n";
  std::string text;
  for (const Table& table : tables) {
    if (format == TableFormat::csv && tables.size() > 1)
      text += fmt::format("{}# {}\n", text.empty() ? "" : "\n", table.title);
    text += render(table, format, bold);
  }
  if (format == TableFormat::csv) return text;
  std::vector<CellSummary> cells;
  for (const ResultsFile& file : files)
    for (CellSummary& cell : summarise(file)) cells.push_back(std::move(cell));
  return text + footer(cells, files, format, !options.reference.empty());
}

}  // namespace

std::vector<ResultsFile> read_files(const std::vector<std::string>& paths) {
  std::vector<ResultsFile> files;
  for (const std::string& path : paths)
    for (ResultsFile& file : read_all_results(path)) files.push_back(std::move(file));
  return files;
}

int table_command(const std::vector<std::string>& paths, const TableRequest& request) {
  const TableFormat format = parse_table_format(request.format);
  const bool bold = wants_color(request.color, STDOUT_FILENO);
  const auto axes = [](const std::string& list, const char* flag) {
    return list.empty() ? std::vector<std::string>{} : split_list(list, flag);
  };
  const Pivot pivot{.rows = axes(request.rows, "--rows"),
                    .columns = axes(request.columns, "--columns"),
                    .value = request.value};
  const TableOptions options{
      .sort = request.sort, .is_reversed = request.is_reversed, .reference = request.reference};
  std::vector<ResultsFile> files = read_files(paths);
  filter_runs(files, request.filter);
  const bool is_pivot = !(request.rows + request.columns + request.value).empty();
  const bool is_arranged = request.is_reversed || !(request.sort + request.reference).empty();
  if (!is_pivot && format == TableFormat::csv && is_arranged)
    throw UsageError(
        "--format csv: has a line for each cell and every number, in the files' order; for a table "
        "to be sorted give --rows, --columns or --value");
  fmt::print("{}", is_pivot ? render_pivot(files, pivot, options, format, bold)
                            : render(files, format, bold, options));
  return exit_ok;
}

}  // namespace ipcbench
