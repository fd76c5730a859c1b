// reproduce.h: whether somebody's results hold here: the same plan's results of two machines, cell
// by cell and as rankings.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/results.h"
#include "harness/stats.h"
#include "harness/table.h"

namespace ipcbench {

/// One cell's main measure on both machines. Estimates are medians of the repeats' own values.
struct Ratio {
  std::string key;
  std::string measure;
  std::optional<Estimate> there{};
  std::optional<Estimate> here{};
  double ratio = 0;  ///< here by there
  double low = 0;    ///< 95 %, of resampled repeats on both sides
  double high = 0;
  std::string note{};  ///< why there is no ratio, or ""
};

/// The transports of one scenario, size, placement and manner, the best first.
struct Ranking {
  std::string where;  ///< "ping_pong/size:64/place:cross-core"
  std::size_t transports = 0;
  /// Kendall's tau-b between the two orders: 1 where they are the same, -1 where one is the other
  /// upside down. (Kendall, Biometrika 33, 1945.) Its interval is that of resampled repeats: it
  /// says how sure these transports' orders are, not what other transports would do.
  double tau = 0;
  double low = 0;
  double high = 0;
  int decided_there = 0;  ///< pairs whose intervals don't overlap there; of these, here:
  int same = 0;           ///< in the same order, intervals apart
  int reversed = 0;       ///< in the other order, intervals apart
  std::vector<std::string> reversals{};  ///< "pipe beats fifo there, by 12 %; here fifo by 3 %"

  /// "holds", "does not hold", or "undecided" where no pair is apart on both machines.
  const char* verdict() const;
};

struct Reproduction {
  std::vector<Ratio> ratios;
  std::vector<Ranking> rankings;

  int same() const;
  int reversed() const;
  /// No pair that is decided on both machines has two orders.
  bool holds() const { return reversed() == 0; }
};

/// Compares the two by keys. Deterministic: resampling is seeded.
Reproduction reproduce(const ResultsFile& there, const ResultsFile& here);

/// Kendall's tau-b of two orders of the same things; 0 where one of them has only ties.
double kendall_tau(const std::vector<double>& a, const std::vector<double>& b);

std::vector<Table> reproduction_tables(const Reproduction& reproduction);
/// {"schema": "ipcbench-reproduction/1", "holds": …, "cells": […], "rankings": […]}
Json reproduction_json(const Reproduction& reproduction);

}  // namespace ipcbench
