// history.h: many results files in the order of time: a series for each cell, and where it changed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/change_points.h"
#include "harness/results.h"
#include "harness/stats.h"
#include "harness/table.h"

namespace ipcbench {

struct HistoryOptions {
  std::string
      metric{};  ///< "": the quiet time of an operation where runs have it, else the main one
  double margin = 0.05;  ///< a smaller change is none
  ChangePointOptions change_points{};
};

struct HistoryPoint {
  std::size_t file = 0;  ///< index into History::files
  Estimate estimate;
};

struct HistoryChange {
  std::size_t file = 0;  ///< the first one after it
  double before = 0;
  double after = 0;
  double p = 1;
  /// After by before where less is better, before by after where more is: above 1 it got worse.
  double times_worse = 1;
  double margin = 0;  ///< beyond which it counts: the asked one, or what can be told on the machine

  bool is_regression() const { return times_worse > 1 + margin; }
  bool is_improvement() const { return 1 / times_worse > 1 + margin; }
  const char* verdict() const;
};

struct HistorySeries {
  std::string key;
  std::string scenario;
  std::string measure;
  std::vector<HistoryPoint> points;
  std::vector<HistoryChange> changes;  ///< in the order of time; none across machines
  std::size_t recent = 0;              ///< index into points of the newest machine's first one

  /// Whether the newest change of level is for the worse, and on the newest machine.
  bool has_regressed() const;
};

struct HistoryFile {
  std::string name;
  std::string started;
  std::string commit;
  std::string machine;  ///< as people name it
  std::string digest;   ///< of the machine and its kernel, not of the build
  std::string state_digest;
};

struct History {
  std::vector<HistoryFile> files;  ///< in the order of time
  std::vector<HistorySeries> series;
  HistoryOptions options;
};

/// Files without a start time come first. Series are split where the machine or its kernel changes:
/// no change is looked for across that.
History make_history(std::vector<ResultsFile> files, const HistoryOptions& options);

/// How changes were found, in a line.
std::string method_of(const History& history);

/// A row for each series that changed, or for each one; regressions first.
Table history_table(const History& history, bool shows_all);

/// {"schema": "ipcbench-history/1", "files": […], "method": …, "margin": …, "series": […]}
Json history_json(const History& history);

}  // namespace ipcbench
