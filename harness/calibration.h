// calibration.h: the smallest change that this machine can detect, cell by cell, found by measuring
// the same thing against itself.
//
// `ipcbench calibrate` executes a plan in pairs of runs, one right after the other, the pairs of
// all cells interleaved. What differs within pairs is noise. The rule that is calibrated is the
// project's gate: the sign test's 95 % interval of the median ratio over pairs must lie beyond 1 %.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/plan.h"
#include "harness/results.h"
#include "harness/table.h"

namespace ipcbench {

inline constexpr std::string_view calibration_schema = "ipcbench-calibration/1";

/// How one metric of one cell scatters within pairs.
struct Resolution {
  int pairs = 0;
  double offset = 0;  ///< median of second by first, less 1: 0 but for chance
  double spread = 0;  ///< median of its absolute deviation
  /// The smallest slow-down, as a fraction, that so many pairs find in four of five cases.
  double smallest_change = 0;
  double false_alarms = 0;  ///< how often they would find one where there is none, 0 to 1
};

/// From the logarithms of the pairs' ratios. Which of a pair is called the first one is chance, so
/// resamples of the pairs change signs, too. Nothing below six pairs.
std::optional<Resolution> resolve_pairs(const std::vector<double>& log_ratios);

/// {"KEY": {"METRIC": resolution}} of a plan in pairs: the 10 % and 25 % quantiles of the
/// sub-batches
/// ("batch_q10_ns", "batch_q25_ns"), and the scenario's main metric.
Json calibrate(const Plan& plan, const std::vector<Json>& runs);

/// Tells machines and their kernels apart, not builds, by the context of a results file; "" where
/// that doesn't say.
std::string machine_digest(const Json& context);

/// $XDG_STATE_HOME/ipcbench/calibration-DIGEST.json. The digest is of what the machine and its
/// kernel are, not of the build: a calibration serves to compare builds.
std::string calibration_path(const Json& machine);

/// Replaces these cells in the file, and keeps the others. Returns the document. Throws UsageError
/// where a file of that name is something else, std::system_error where it can't be written.
Json save_calibration(const Json& cells, const Json& context, const std::string& path);

/// The file's content, or nothing where there is none. Throws UsageError where it is malformed.
std::optional<Json> read_calibration(const std::string& path);

/// The calibration of the machine that a results file was recorded on, where it lies here.
std::optional<Json> calibration_of(const Json& context);

/// Of a document that was read.
std::optional<double> smallest_change(const Json& calibration, const std::string& key,
                                      const std::string& metric);

/// A row for each cell.
Table calibration_table(const Json& cells);

}  // namespace ipcbench
