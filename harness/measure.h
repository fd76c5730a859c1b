// measure.h: what a number of a results file is, by the ending of its name: its unit, which
// direction is better, how people read it; and how it is found in a summary.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/summary.h"

namespace ipcbench {

/// "ns", "/s", "B/s", "B", or "" for a plain number.
std::string_view unit_of(std::string_view measure);

/// Of rates and fairness; everything else costs.
bool more_is_better(std::string_view measure);

/// "round_trip_p50_ns" as people say it: "round trip p50".
std::string measure_label(std::string_view measure);

/// Three significant digits and the unit that suits: "4.31 µs", "48.1 M/s", "3.42 KiB", "0.99".
std::string measure_text(std::string_view measure, double value);

/// A measure of a cell by its name or as "p50", "p90", "p99", "p999", which are those of the
/// repeats' merged histograms where there are some; "" is the scenario's main one. An estimate
/// whose `count` is 0 has no interval. Nothing where it can't be had.
std::optional<Estimate> estimate_of(const CellSummary& cell, const std::string& metric);

}  // namespace ipcbench
