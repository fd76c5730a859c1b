// compare.h: two results files, or the two sides of an `ab`, cell by cell: what is slower, what is
// faster, what is the same within a margin, and what can't be told yet.
//
// The rule. Of each repeat one number counts: by default the 10 % quantile of its sub-batches'
// times, which a busy machine hardly moves. Where repeats were made in pairs (`ab`), the sign test
// over pairs decides, and its inverse is the interval of the ratio (David and Nagaraja, Order
// Statistics, 7.1). Files that were recorded apart are compared by Mann and Whitney's test, with
// the interval of Hodges and Lehmann's shift (Hollander and Wolfe, Nonparametric Statistical
// Methods, 4.3), on logarithms. Both ask whether the change is larger than the margin, and the
// tests of all cells together are corrected by Benjamini and Hochberg (J. R. Statist. Soc. B 57,
// 1995). No distribution is assumed, and no random number drawn: the same input has the same
// answer.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/results.h"
#include "harness/stats.h"

namespace ipcbench {

enum class Judgement { regressed, improved, same, inconclusive };
std::string_view text(Judgement verdict);

/// What is compared where nothing else is asked for: "batch_q10_ns", or the scenario's main measure
/// where a run has no sub-batches.
inline constexpr std::string_view time_metric = "time";

struct CompareOptions {
  double margin = 0.02;  ///< as a fraction: what counts as a change
  std::vector<std::string> metrics{std::string(time_metric)};
  double confidence = 0.95;   ///< of the intervals; 1 - it is the false
                              ///< discovery rate over all cells
  double apart_floor = 0.05;  ///< of files recorded apart, where no calibration says more
  bool in_pairs = false;      ///< repeats of the same number belong together
};

/// All repeats of a cell on one side.
struct CellSide {
  int measured = 0;
  int failed = 0;
  int skipped = 0;
  std::string reason;  ///< of the first that wasn't measured
  double run_s = 0;    ///< how long a run took, on average; 0 where it isn't known
  /// Of an `ab`: only the runs that looked for suspects are there, on which no alarm may rest.
  bool is_screened_only = false;
  /// By metric as asked for: its name in results files, and {repeat, value} in the file's order.
  struct Metric {
    std::string name;
    std::vector<std::pair<int, double>> values;
  };
  std::map<std::string, Metric> metrics;
};

struct Recording {
  std::string path;
  Json context;
  std::vector<std::string> keys;  ///< in the order of first appearance
  std::map<std::string, CellSide> cells;
};

/// Reads what is needed of a results document, and nothing else. Throws UsageError, which names
/// `path`, where it is malformed.
Recording recording_of(const Json& document, const std::string& path,
                       const CompareOptions& options);

/// Whether a document's runs were made in pairs with those of another one: `ab` says so in each.
bool has_pairs(const Json& document);

/// One metric of one cell.
struct Change {
  std::string key;
  std::string metric;
  Judgement verdict = Judgement::inconclusive;
  Estimate base;   ///< medians over the repeats
  Estimate fresh;  ///< of NEW
  /// NEW by BASE, with its interval; its count is of pairs, or of repeats of both sides.
  std::optional<Estimate> ratio;
  bool is_better_when_higher = false;
  double p = 1;              ///< that the change is no larger than the margin
  double floor = 0;          ///< below which nothing is alarmed, as a fraction
  std::string why;           ///< why it is inconclusive, or ""
  int runs_to_go = 0;        ///< of each side, that would settle it; 0: not known, or too many
  double seconds_to_go = 0;  ///< 0: not known
};

/// A cell that was not compared.
struct Uncompared {
  std::string key;
  std::string reason;
  bool is_broken = false;  ///< it was measured in BASE, and fails in NEW
};

struct Comparison {
  std::vector<Change> changes;  ///< in BASE's order
  std::vector<Uncompared> uncompared;
  std::vector<std::string> warnings;
  int count(Judgement verdict) const;
  int broken() const;
};

/// `calibration`: of this machine (calibration.h), where there is one.
Comparison compare(const Recording& base, const Recording& fresh, const CompareOptions& options,
                   const std::optional<Json>& calibration);

/// What is to be said of the two machines: nothing where they are alike but for the build.
std::vector<std::string> machine_warnings(const Json& base_context, const Json& new_context);

/// The ratio of pairs, or of two samples, from the logarithms of their values: the interval, and
/// how likely it is, if the change were no larger than the margin (as a logarithm), to see what is
/// seen. The interval is missing where there are too few values for the confidence.
struct Shift {
  std::optional<Estimate> log_ratio;
  double p_up = 1;    ///< against "at most +margin"
  double p_down = 1;  ///< against "at least -margin"
};
Shift shift_of_pairs(const std::vector<double>& log_ratios, double margin, double confidence);
Shift shift_of_samples(const std::vector<double>& base, const std::vector<double>& fresh,
                       double margin, double confidence);

/// Which hypotheses are rejected at the false discovery rate.
std::vector<bool> benjamini_hochberg(const std::vector<double>& p, double rate);

}  // namespace ipcbench
