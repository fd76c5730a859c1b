// table.h: summaries as tables for people (text, Markdown, LaTeX) and for programs (CSV, JSON).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/summary.h"

namespace ipcbench {

enum class TableFormat { text, markdown, csv, latex, json };

/// "text", "md", "csv", "latex" or "json". Throws UsageError.
TableFormat parse_table_format(const std::string& word);

/// One table: its first columns are labels, its last one is free text (marks and reasons), the
/// others are numbers.
struct Table {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::size_t labels = 1;
  /// The number behind each text, NaN where there is none, so that rows can be sorted; may be
  /// empty, as a whole or in a row.
  std::vector<std::vector<double>> numbers{};
  std::set<std::size_t> rising{};  ///< the columns in which more is better
};

/// How tables are to be shown.
struct TableOptions {
  std::string sort{};        ///< a column's title; "": by the first number
  bool is_reversed = false;  ///< the worst first
  /// The row that the others are compared with, or `carrier_reference`; "": the best.
  std::string reference{};
};
/// Each row is compared with the one that carries it (Facts::carrier), those without one aren't.
inline constexpr std::string_view carrier_reference = "carrier";

/// Sorts the rows by a column, the best first and what has no number last, in each of the tables
/// that has it. Throws UsageError where none has.
void sort_rows(std::vector<Table>& tables, const TableOptions& options);
/// The same by a column of one table.
void sort_rows(Table& table, std::size_t column, bool is_reversed);

/// One table with aligned columns, its title above it.
std::string render_text(const Table& table, bool bold);
/// One table in Markdown, its title in bold above it.
std::string render_markdown(const Table& table);
/// One table in the format, with an empty line after it. Where no row has a number and all say the
/// same, people read it once.
std::string render(const Table& table, TableFormat format, bool bold);
/// [{"title": …, "columns": […], "rows": [[…]], "numbers": [[…]]}]
Json tables_json(const std::vector<Table>& tables);
/// A field of a CSV line, quoted where it must be.
std::string escape_csv(const std::string& text);

/// A table for each placement and size (round trips and throughput), and one for signals, locks
/// and proofs each. Rows are sorted by the first measure; what wasn't measured comes last, with
/// its reason.
std::vector<Table> make_tables(const std::vector<CellSummary>& cells,
                               const TableOptions& options = {});

/// The marks of these cells, null ones left out, and why they weren't measured: a row's last
/// column.
std::string notes_of(const std::vector<const CellSummary*>& cells);

/// The letters of the warnings that apply to a cell: "sr".
std::string marks_of(const CellSummary& cell);

/// The measure that decides the order of a scenario's rows, by its name in results files, or "p50"
/// of its first histogram. "" where it has none.
std::string main_measure(const std::string& scenario);

/// What the marks in these tables mean, a line for each one that occurs.
std::vector<std::string> legend(const std::vector<CellSummary>& cells);

/// "Intel Xeon, 2 CPUs, Linux 6.1, 2026-11-20, ipcbench 0.1.0 (1a2b3c)": for a table's footer.
std::string provenance(const Json& context);

/// The lines below tables: what their marks mean, and where the numbers come from.
std::string footer(const std::vector<CellSummary>& cells, const std::vector<ResultsFile>& files,
                   TableFormat format, bool has_ratios = false);

/// All of a results file in the format; `bold` titles are for terminals.
std::string render(const ResultsFile& file, TableFormat format, bool bold = false,
                   const TableOptions& options = {});

/// The same for several files, each under its name; CSV has the file as its first column.
std::string render(const std::vector<ResultsFile>& files, TableFormat format, bool bold = false,
                   const TableOptions& options = {});

}  // namespace ipcbench
