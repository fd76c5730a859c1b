// How a table looks: text, Markdown, LaTeX, CSV, JSON; and the order of its rows.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// The column of that title, whatever its case; nothing where there is none.
std::optional<std::size_t> find_column(const Table& table, const std::string& title) {
  for (std::size_t column = 0; column < table.columns.size(); ++column)
    if (lower(table.columns[column]) == lower(title)) return column;
  return std::nullopt;
}

double number_at(const Table& table, std::size_t row, std::size_t column) {
  const bool has = row < table.numbers.size() && column < table.numbers[row].size();
  return has ? table.numbers[row][column] : std::nan("");
}

std::string escape_markdown(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

/// Whatever TeX would take as a command, and the signs that not every font of it has.
std::string escape_latex(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 18> replaced{{
      {"\\", "\\textbackslash{}"},
      {"{", "\\{"},
      {"}", "\\}"},
      {"$", "\\$"},
      {"&", "\\&"},
      {"#", "\\#"},
      {"%", "\\%"},
      {"_", "\\_"},
      {"~", "\\textasciitilde{}"},
      {"^", "\\textasciicircum{}"},
      {"<", "\\textless{}"},
      {">", "\\textgreater{}"},
      {"|", "\\textbar{}"},
      {"µ", "\\textmu{}"},
      {"×", "$\\times$"},
      {"±", "$\\pm$"},
      {"–", "--"},
      {"…", "\\ldots{}"},
  }};
  std::string escaped;
  while (!text.empty()) {
    const auto found = std::find_if(replaced.begin(), replaced.end(),
                                    [&](const auto& pair) { return text.starts_with(pair.first); });
    escaped += found == replaced.end() ? text.substr(0, 1) : found->second;
    text.remove_prefix(found == replaced.end() ? 1 : found->first.size());
  }
  return escaped;
}

/// For the packages booktabs and longtable: a long table goes on over the next page.
std::string render_latex(const Table& table) {
  constexpr std::size_t rows_of_a_page = 40;
  const bool is_long = table.rows.size() > rows_of_a_page;
  std::string columns;
  for (std::size_t column = 0; column < table.columns.size(); ++column)
    columns += column < table.labels || column + 1 == table.columns.size() ? 'l' : 'r';
  const auto line = [](const std::vector<std::string>& row) {
    std::vector<std::string> cells;
    for (const std::string& cell : row) cells.push_back(escape_latex(cell));
    return fmt::format("{} \\\\\n", fmt::join(cells, " & "));
  };
  const std::string caption = fmt::format("\\caption{{{}}}", escape_latex(table.title));
  std::string text = is_long
                         ? fmt::format("\\begin{{longtable}}{{{}}}\n{} \\\\\n", columns, caption)
                         : fmt::format(
                               "\\begin{{table}}\n\\centering\n{}\n"
                               "\\begin{{tabular}}{{{}}}\n",
                               caption, columns);
  text += fmt::format("\\toprule\n{}\\midrule\n", line(table.columns));
  if (is_long) text += "\\endhead\n\\bottomrule\n\\endfoot\n";
  for (const auto& row : table.rows) text += line(row);
  text += is_long ? "\\end{longtable}\n" : "\\bottomrule\n\\end{tabular}\n\\end{table}\n";
  return text;
}

/// The labels and the numbers themselves, in base units; texts where there are none.
std::string render_csv(const Table& table) {
  const auto join = [](const std::vector<std::string>& fields) {
    return fmt::format("{}\n", fmt::join(fields, ","));
  };
  std::vector<std::string> fields;
  for (const std::string& column : table.columns) fields.push_back(escape_csv(column));
  std::string csv = join(fields);
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    fields.clear();
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
      const double number = number_at(table, row, column);
      const bool is_text = column < table.labels || column + 1 == table.columns.size();
      fields.push_back(is_text              ? escape_csv(table.rows[row][column])
                       : std::isnan(number) ? ""
                                            : fmt::format("{:.6g}", number));
    }
    csv += join(fields);
  }
  return csv;
}

}  // namespace

TableFormat parse_table_format(const std::string& word) {
  if (word == "text") return TableFormat::text;
  if (word == "md") return TableFormat::markdown;
  if (word == "csv") return TableFormat::csv;
  if (word == "latex") return TableFormat::latex;
  if (word == "json") return TableFormat::json;
  throw UsageError(
      fmt::format("--format '{}': expected text, md, csv, latex or json", printable(word)));
}

void sort_rows(Table& table, std::size_t column, bool is_reversed) {
  std::vector<std::size_t> order(table.rows.size());
  std::iota(order.begin(), order.end(), 0U);
  const bool descends = table.rising.contains(column) != is_reversed;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (column < table.labels)
      return is_reversed ? table.rows[b][column] < table.rows[a][column]
                         : table.rows[a][column] < table.rows[b][column];
    const double left = number_at(table, a, column);
    const double right = number_at(table, b, column);
    if (std::isnan(left) || std::isnan(right)) return !std::isnan(left) && std::isnan(right);
    return descends ? left > right : left < right;
  });
  Table unsorted = table;
  for (std::size_t i = 0; i < order.size(); ++i) {
    table.rows[i] = std::move(unsorted.rows[order[i]]);
    if (order[i] < unsorted.numbers.size() && i < table.numbers.size())
      table.numbers[i] = std::move(unsorted.numbers[order[i]]);
  }
}

void sort_rows(std::vector<Table>& tables, const TableOptions& options) {
  if (options.sort.empty() && !options.is_reversed) return;
  bool was_found = tables.empty();
  std::vector<std::string> titles;
  for (Table& table : tables) {
    for (const std::string& title : table.columns)
      if (std::find(titles.begin(), titles.end(), title) == titles.end() && title != "±")
        titles.push_back(title);
    const auto column = options.sort.empty() ? table.labels : find_column(table, options.sort);
    if (!column || *column >= table.columns.size()) continue;
    sort_rows(table, *column, options.is_reversed);
    was_found = true;
  }
  if (!was_found)
    throw UsageError(fmt::format("--sort '{}': no column of that title{}; there are: {}",
                                 printable(options.sort), suggestion(options.sort, titles),
                                 fmt::join(titles, ", ")));
}

std::string render_text(const Table& table, bool bold) {
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    widths.push_back(width_of(table.columns[column]));
    for (const auto& row : table.rows)
      widths[column] = std::max(widths[column], width_of(row[column]));
  }
  std::string text =
      fmt::format("{}{}{}\n", bold ? "\033[1m" : "", table.title, bold ? "\033[0m" : "");
  const auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      const std::string padding(widths[column] - width_of(row[column]), ' ');
      const bool left = column < table.labels || column + 1 == row.size();
      if (column > 0) line += "  ";
      line += left ? row[column] + padding : padding + row[column];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add(table.columns);
  for (const auto& row : table.rows) add(row);
  return text;
}

std::string render_markdown(const Table& table) {
  std::string text = fmt::format("**{}**\n\n", escape_markdown(table.title));
  const auto add = [&](const std::vector<std::string>& row) {
    text += "|";
    for (const std::string& cell : row) text += fmt::format(" {} |", escape_markdown(cell));
    text += "\n";
  };
  add(table.columns);
  text += "|";
  for (std::size_t column = 0; column < table.columns.size(); ++column)
    text += column < table.labels || column + 1 == table.columns.size() ? "---|" : "---:|";
  text += "\n";
  for (const auto& row : table.rows) add(row);
  return text;
}

namespace {

/// Rows that were all skipped for one reason become one that says it once, for people.
bool says_one_thing(const Table& table) {
  if (table.rows.size() < 3 || table.columns.back() != "notes" ||
      !table.rows[0].back().starts_with("skipped: "))
    return false;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    if (table.rows[row].back() != table.rows[0].back()) return false;
    for (std::size_t column = 0; column < table.columns.size(); ++column)
      if (!std::isnan(number_at(table, row, column))) return false;
  }
  return true;
}
Table said_once(const Table& table) {
  const std::vector<std::string>& first = table.rows.front();
  return {.title = table.title,
          .columns = {table.columns.front(), "notes"},
          .rows = {
              {fmt::format("{} and {} more", first.front(), table.rows.size() - 1), first.back()}}};
}

}  // namespace

std::string render(const Table& table, TableFormat format, bool bold) {
  const bool is_for_people = format != TableFormat::csv && format != TableFormat::json;
  if (is_for_people && says_one_thing(table)) return render(said_once(table), format, bold);
  switch (format) {
    case TableFormat::text:
      return render_text(table, bold) + "\n";
    case TableFormat::markdown:
      return render_markdown(table) + "\n";
    case TableFormat::latex:
      return render_latex(table) + "\n";
    case TableFormat::csv:
      return render_csv(table);
    case TableFormat::json:
      return dump(tables_json({table}), 2) + "\n";
  }
  return "";
}

Json tables_json(const std::vector<Table>& tables) {
  Json all = Json::array();
  for (const Table& table : tables) {
    Json numbers = Json::array();
    for (const auto& row : table.numbers) {
      Json line = Json::array();
      for (const double number : row)
        line.push_back(std::isfinite(number) ? Json(number) : Json(nullptr));
      numbers.push_back(std::move(line));
    }
    all.push_back({{"title", table.title},
                   {"columns", table.columns},
                   {"rows", table.rows},
                   {"numbers", std::move(numbers)}});
  }
  return all;
}

std::string escape_csv(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  quoted += '"';
  return quoted;
}

}  // namespace ipcbench
