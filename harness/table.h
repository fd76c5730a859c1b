// table.h: summaries as tables for people (text, Markdown) and for programs (CSV).
#pragma once

#include <string>
#include <vector>

#include "harness/summary.h"

namespace ipcbench {

enum class TableFormat { text, markdown, csv };

/// One table: its last column is free text (marks and reasons), the others are numbers.
struct Table {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

/// One table with aligned columns, its title above it.
std::string render_text(const Table& table, bool bold);
/// One table in Markdown, its title in bold above it.
std::string render_markdown(const Table& table);

/// A table for each placement and size (round trips and throughput), and one for signals, locks
/// and proofs each. Rows are sorted by the first measure; what wasn't measured comes last, with
/// its reason.
std::vector<Table> make_tables(const std::vector<CellSummary>& cells);

/// The letters of the warnings that apply to a cell: "sr".
std::string marks_of(const CellSummary& cell);

/// The measure that decides the order of a scenario's rows, by its name in results files, or "p50"
/// of its first histogram. "" where it has none.
std::string main_measure(const std::string& scenario);

/// What the marks in these tables mean, a line for each one that occurs.
std::vector<std::string> legend(const std::vector<CellSummary>& cells);

/// "Intel Xeon, 2 CPUs, Linux 6.1, 2026-11-20, ipcbench 0.1.0 (1a2b3c)": for a table's footer.
std::string provenance(const Json& context);

/// All of a results file in the format; `bold` titles are for terminals.
std::string render(const ResultsFile& file, TableFormat format, bool bold = false);

/// The same for several files, each under its name; CSV has the file as its first column.
std::string render(const std::vector<ResultsFile>& files, TableFormat format, bool bold = false);

}  // namespace ipcbench
