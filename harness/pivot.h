// pivot.h: one measure of results files as tables of any two axes: transports by sizes, files side
// by side.
#pragma once

#include <string>
#include <vector>

#include "harness/table.h"

namespace ipcbench {

/// The axes: file, transport, scenario, size, placement, wait, start, peers, peer, sizes, and those
/// of loads (load.h).
struct Pivot {
  std::vector<std::string> rows;  ///< axes; none: the transport
  std::vector<std::string>
      columns;          ///< axes; none: the file where there are several, else the size
  std::string value{};  ///< a measure, "p99" …; "": each scenario's main one
};

/// A table for each combination of values of the axes that are neither rows nor columns. A number
/// is a median with half of its interval's width and its marks. With a reference, which is a row's
/// label, "best" (of the column) or "carrier" (TableOptions), numbers are times that one's. Throws
/// UsageError for axes and measures that aren't there.
std::vector<Table> pivot_tables(const std::vector<ResultsFile>& files, const Pivot& pivot,
                                const TableOptions& options = {});

/// The files without the runs whose key doesn't match. Throws UsageError for what is no regular
/// expression, and where nothing matches.
void filter_runs(std::vector<ResultsFile>& files, const std::string& filter);

}  // namespace ipcbench
