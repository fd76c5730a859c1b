#include "harness/pivot.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/key_filter.h"
#include "harness/measure.h"
#include "harness/stopping.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

constexpr const char* no_value = "–";

/// A value of an axis: values of numbers in their order, words in that of their appearance.
struct Value {
  double order = 0;
  std::string text;
  auto operator<=>(const Value&) const = default;
};
using Values = std::vector<Value>;

struct Point {
  const CellSummary* cell = nullptr;
  std::map<std::string, Value> values;  ///< by axis
};

/// The axes' names, in the order in which titles name them.
std::vector<std::string> axis_names() {
  std::vector<std::string> names{"file",  "scenario", "transport", "size",  "placement",
                                 "sizes", "wait",     "start",     "peers", "peer"};
  for (const Axis& axis : all_axes()) names.emplace_back(axis.name);
  return names;
}

void check_axes(const Pivot& pivot) {
  const std::vector<std::string> names = axis_names();
  std::vector<std::string> used;
  for (const auto* list : {&pivot.rows, &pivot.columns})
    for (const std::string& axis : *list) {
      if (std::find(names.begin(), names.end(), axis) == names.end())
        throw UsageError(fmt::format("no axis '{}'{}; expected one of {}", printable(axis),
                                     suggestion(axis, names), fmt::join(names, ", ")));
      if (std::find(used.begin(), used.end(), axis) != used.end())
        throw UsageError(
            fmt::format("axis '{}': is there twice; give it to --rows or to --columns", axis));
      used.push_back(axis);
    }
}

/// "poll" of "wait:poll", or what is usual.
std::string word_of(const CellSummary& cell, const std::string& axis, std::string usual) {
  for (const std::string& word : cell.words)
    if (word.starts_with(axis + ":")) return word.substr(axis.size() + 1);
  return usual;
}

class Points {
 public:
  Points(const std::vector<std::vector<CellSummary>>& cells,
         const std::vector<ResultsFile>& files) {
    for (std::size_t file = 0; file < cells.size(); ++file)
      for (const CellSummary& cell : cells[file])
        points_.push_back(point(cell, file, files[file].path));
  }
  const std::vector<Point>& all() const { return points_; }

 private:
  Point point(const CellSummary& cell, std::size_t file, const std::string& path) {
    Point point{.cell = &cell, .values = {}};
    auto& values = point.values;
    values["file"] = {static_cast<double>(file), printable(path, 200)};
    values["scenario"] = word("scenario", printable(cell.scenario, 60));
    values["transport"] = {0, printable(cell.transport, 60)};
    values["size"] = cell.size ? Value{static_cast<double>(*cell.size), size_text(*cell.size)}
                               : Value{-1, no_value};
    values["placement"] = word("placement", printable(cell.placement, 60));
    values["sizes"] = word("sizes", word_of(cell, "sizes", "fixed"));
    values["wait"] = {static_cast<double>(cell.manner.waiting),
                      std::string(text(cell.manner.waiting))};
    values["start"] = {static_cast<double>(cell.manner.start),
                       std::string(text(cell.manner.start))};
    values["peers"] = {cell.manner.producers * 1000.0 + cell.manner.consumers,
                       fmt::format("{}x{}", cell.manner.producers, cell.manner.consumers)};
    values["peer"] = {static_cast<double>(cell.manner.peer), std::string(text(cell.manner.peer))};
    const auto scenario = find_scenario(cell.scenario);
    for (const Axis& axis : all_axes()) {
      const std::string name(axis.name);
      if (!scenario || !has_axis(all_scenarios()[*scenario], axis)) {
        values[name] = {-1, no_value};
        continue;
      }
      const std::string value = word_of(cell, name, axis.text(Load{}.*axis.value, axis));
      values[name] = {static_cast<double>(axis.parse(value, axis)), value};
    }
    return point;
  }

  Value word(const std::string& axis, std::string text) {
    auto& seen = seen_[axis];
    const auto [found, is_new] = seen.try_emplace(text, static_cast<double>(seen.size()));
    return {found->second, std::move(text)};
  }

  std::vector<Point> points_;
  std::map<std::string, std::map<std::string, double>> seen_;
};

Values values_of(const Point& point, const std::vector<std::string>& axes) {
  Values values;
  for (const std::string& axis : axes) values.push_back(point.values.at(axis));
  return values;
}

std::vector<std::string> texts_of(const Values& values) {
  std::vector<std::string> texts;
  for (const Value& value : values) texts.push_back(value.text);
  return texts;
}

/// What is measured is the same in a whole table, unless each scenario has a measure of its own.
std::string measure_of(const std::string& value, const CellSummary& cell) {
  const std::string name = metric_name(value, cell.scenario);
  return name.empty() ? value : name;
}

/// With half of its interval's width: a ratio's is that of both medians, which come from different
/// processes.
std::string cell_text(const CellSummary& cell, const Estimate& estimate, const std::string& value,
                      double factor, double reference_half_width) {
  std::string text = std::isnan(factor) ? measure_text(measure_of(value, cell), estimate.median)
                                        : fmt::format("{:.{}f}×", factor,
                                                      factor < 9.95   ? 2
                                                      : factor < 99.5 ? 1
                                                                      : 0);
  if (estimate.count > 1)
    text += fmt::format(" {}",
                        half_width_text(std::hypot(estimate.half_width(), reference_half_width)));
  if (const std::string marks = marks_of(cell); !marks.empty()) text += fmt::format(" {}", marks);
  return text;
}

/// The tables' titles: what is measured, and the axes that all of the table's cells share.
std::string title_of(const std::vector<const Point*>& points, const Pivot& pivot,
                     const std::vector<std::string>& fixed) {
  std::vector<std::string> parts;
  for (const std::string& axis : fixed) {
    const std::string& value = points.front()->values.at(axis).text;
    const bool names_itself = axis == "file" || axis == "scenario" || axis == "transport" ||
                              axis == "size" || axis == "placement";
    if (value != no_value)
      parts.push_back(names_itself ? value : fmt::format("{} {}", axis, value));
  }
  std::vector<std::string> measures;
  for (const Point* point : points) {
    const std::string label = measure_label(measure_of(pivot.value, *point->cell));
    if (!label.empty() && std::find(measures.begin(), measures.end(), label) == measures.end())
      measures.push_back(label);
  }
  return fmt::format("{}: {}", fmt::join(parts, ", "), fmt::join(measures, "; "));
}

/// The row that the numbers of a row are divided by, where that isn't the best one.
std::string reference_row(const Values& row, const CellSummary& cell, const Pivot& pivot,
                          const std::string& reference) {
  if (reference != carrier_reference) return reference;
  std::vector<std::string> texts = texts_of(row);
  const auto axis = std::find(pivot.rows.begin(), pivot.rows.end(), "transport");
  texts[static_cast<std::size_t>(axis - pivot.rows.begin())] = cell.carrier;
  return fmt::format("{}", fmt::join(texts, " "));
}

/// What a column's other numbers are divided by; nothing where they aren't, or it is missing.
std::optional<Estimate> reference_of(const std::map<Values, const Point*>& column,
                                     const Pivot& pivot, const std::string& reference) {
  std::optional<Estimate> best;
  if (reference.empty()) return best;
  for (const auto& [row, point] : column) {
    const auto estimate = estimate_of(*point->cell, pivot.value);
    if (!estimate || estimate->median == 0) continue;
    if (fmt::format("{}", fmt::join(texts_of(row), " ")) == reference) return estimate;
    const Row* facts = find_row(point->cell->transport);
    if (reference != "best" || (facts != nullptr && facts->facts.family == Family::roofline))
      continue;
    const bool rises = more_is_better(measure_of(pivot.value, *point->cell));
    if (!best || (rises ? estimate->median > best->median : estimate->median < best->median))
      best = estimate;
  }
  return best;
}

Table table_of(const std::vector<const Point*>& points, const Pivot& pivot,
               const std::vector<std::string>& fixed, const TableOptions& options) {
  std::map<Values, std::map<Values, const Point*>> columns;  // column, row
  std::map<Values, std::vector<const CellSummary*>> rows;
  for (const Point* point : points) {
    columns[values_of(*point, pivot.columns)][values_of(*point, pivot.rows)] = point;
    rows[values_of(*point, pivot.rows)].push_back(point->cell);
  }
  const bool by_carrier = options.reference == carrier_reference;
  Table table{.title = title_of(points, pivot, fixed),
              .columns = pivot.rows,
              .rows = {},
              .labels = pivot.rows.size()};
  if (by_carrier) {
    table.columns.emplace_back(carrier_reference);
    ++table.labels;
  }
  for (const auto& [values, column] : columns) {
    if (more_is_better(measure_of(pivot.value, *column.begin()->second->cell)) &&
        options.reference.empty())
      table.rising.insert(table.columns.size());
    table.columns.push_back(fmt::format("{}", fmt::join(texts_of(values), ", ")));
  }
  table.columns.emplace_back("notes");
  for (const auto& [row, cells] : rows) {
    std::vector<std::string> texts = texts_of(row);
    if (by_carrier) {
      if (cells.front()->carrier.empty()) continue;  // a mechanism itself: it isn't above another
      texts.push_back(printable(cells.front()->carrier, 60));
    }
    std::vector<double> numbers(texts.size(), std::nan(""));
    std::vector<const CellSummary*> unmeasured;
    bool has_reference = false;
    for (const auto& [values, column] : columns) {
      const auto found = column.find(row);
      const CellSummary* cell = found == column.end() ? nullptr : found->second->cell;
      const auto estimate = cell == nullptr ? std::nullopt : estimate_of(*cell, pivot.value);
      const auto reference =
          cell == nullptr
              ? std::nullopt
              : reference_of(column, pivot, reference_row(row, *cell, pivot, options.reference));
      has_reference |= reference.has_value();
      if (!estimate || (!options.reference.empty() && !reference)) {
        texts.emplace_back(cell != nullptr && cell->measured() == 0
                               ? (cell->failed > 0 ? "failed" : "n/a")
                               : no_value);
        numbers.push_back(std::nan(""));
        if (cell != nullptr && cell->measured() == 0) unmeasured.push_back(cell);
        continue;
      }
      // How many times worse, also of what should be large.
      const double factor = !reference ? std::nan("")
                            : more_is_better(measure_of(pivot.value, *cell))
                                ? reference->median / estimate->median
                                : estimate->median / reference->median;
      double reference_half_width = 0;  // none where it is the reference itself
      if (reference && (by_carrier || reference->median != estimate->median))
        reference_half_width = reference->half_width();
      texts.push_back(cell_text(*cell, *estimate, pivot.value, factor, reference_half_width));
      numbers.push_back(std::isnan(factor) ? estimate->median : factor);
    }
    texts.push_back(notes_of(unmeasured));
    if (by_carrier && !has_reference)
      texts.back() = fmt::format("{} wasn't measured", texts[table.labels - 1]);
    table.rows.push_back(std::move(texts));
    table.numbers.push_back(std::move(numbers));
  }
  return table;
}

/// What isn't named by rows or columns tells one table from another.
std::vector<std::string> fixed_axes(const Pivot& pivot, bool has_files) {
  std::vector<std::string> fixed;
  for (const std::string& axis : axis_names()) {
    const auto has = [&](const std::vector<std::string>& axes) {
      return std::find(axes.begin(), axes.end(), axis) != axes.end();
    };
    if (!has(pivot.rows) && !has(pivot.columns) && (axis != "file" || has_files))
      fixed.push_back(axis);
  }
  return fixed;
}

/// The axes that differ between tables, and those that everybody asks for.
std::vector<std::string> named_axes(const std::vector<Point>& points,
                                    const std::vector<std::string>& fixed) {
  std::vector<std::string> named;
  for (const std::string& axis : fixed) {
    const auto differs = [&](const Point& point) {
      return point.values.at(axis).text != points.front().values.at(axis).text;
    };
    if (axis == "scenario" || axis == "size" || axis == "placement" ||
        std::any_of(points.begin(), points.end(), differs))
      named.push_back(axis);
  }
  return named;
}

void check_value(const Pivot& pivot, const std::vector<Point>& points) {
  std::vector<std::string> names{"p50", "p90", "p99", "p999"};
  for (const Point& point : points) {
    if (estimate_of(*point.cell, pivot.value)) return;
    for (const auto& [name, estimate] : point.cell->estimates)
      if (is_measure(name) && std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
  }
  if (pivot.value.empty() || names.size() == 4) return;  // nothing was measured: the notes say why
  throw UsageError(fmt::format("--value '{}': no cell has it{}; there are: {}",
                               printable(pivot.value), suggestion(pivot.value, names),
                               fmt::join(names, ", ")));
}

}  // namespace

std::vector<Table> pivot_tables(const std::vector<ResultsFile>& files, const Pivot& asked,
                                const TableOptions& options) {
  Pivot pivot = asked;
  const auto is_column = [&](const char* axis) {
    return std::find(pivot.columns.begin(), pivot.columns.end(), axis) != pivot.columns.end();
  };
  if (pivot.rows.empty()) pivot.rows.emplace_back(is_column("transport") ? "size" : "transport");
  if (pivot.columns.empty()) {
    const char* axis = files.size() > 1 ? "file" : "size";
    const bool is_row = std::find(pivot.rows.begin(), pivot.rows.end(), axis) != pivot.rows.end();
    pivot.columns.emplace_back(!is_row ? axis : files.size() > 1 ? "size" : "placement");
  }
  check_axes(pivot);
  if (options.reference == carrier_reference &&
      std::find(pivot.rows.begin(), pivot.rows.end(), "transport") == pivot.rows.end())
    throw UsageError("--reference carrier: compares transports; expected them in --rows");
  std::vector<std::vector<CellSummary>> cells;
  for (const ResultsFile& file : files) cells.push_back(summarise(file));
  const Points points(cells, files);
  check_value(pivot, points.all());

  const std::vector<std::string> fixed = fixed_axes(pivot, files.size() > 1);
  std::map<Values, std::vector<const Point*>> groups;
  for (const Point& point : points.all()) {
    // A proof has no measure, and a table of the others none for it.
    if (pivot.value.empty() && main_measure(point.cell->scenario).empty()) continue;
    groups[values_of(point, fixed)].push_back(&point);
  }
  if (groups.empty()) return {};
  const std::vector<std::string> named = named_axes(points.all(), fixed);
  std::vector<Table> tables;
  for (const auto& [values, group] : groups) {
    const bool has_it = std::any_of(group.begin(), group.end(), [&](const Point* point) {
      return point->cell->measured() == 0 || estimate_of(*point->cell, pivot.value);
    });
    if (!has_it) continue;  // a measure of other scenarios
    Table table = table_of(group, pivot, named, options);
    if (table.rows.empty()) continue;  // nothing that has a carrier
    tables.push_back(std::move(table));
    // Transports stand in the order of their numbers, what isn't in the first column by the next.
    if (pivot.rows == std::vector<std::string>{"transport"})
      for (std::size_t column = tables.back().columns.size() - 1; column-- > 1;)
        sort_rows(tables.back(), column, false);
  }
  if (tables.empty() && options.reference == carrier_reference)
    throw UsageError("--reference carrier: nothing of this is carried by another transport");
  sort_rows(tables, options);
  return tables;
}

void filter_runs(std::vector<ResultsFile>& files, const std::string& filter) {
  if (filter.empty()) return;
  const KeyFilter keys(filter);
  std::size_t kept = 0;
  for (ResultsFile& file : files) {
    std::erase_if(file.runs, [&](const RunRecord& run) { return !keys.takes(key_of(run)); });
    kept += file.runs.size();
  }
  if (kept == 0)
    throw UsageError(
        fmt::format("--filter '{}': no cell's key matches; expected something like "
                    "'flood/.*size:64/'",
                    printable(filter)));
}

}  // namespace ipcbench
