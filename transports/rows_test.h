// rows_test.h: for tests that go through every row of the table.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "harness/laboratory.h"
#include "harness/modules.h"
#include "harness/row.h"

namespace ipcbench {

/// The index of each row, as a test's parameter.
inline auto every_row() {
  return testing::Range(std::size_t{0}, all_rows().size());
}

/// "shm_posix_spin": a test's name has letters, digits and underscores alone.
inline std::string row_name(const testing::TestParamInfo<std::size_t>& row) {
  std::string name(all_rows()[row.param].facts.name);
  for (char& c : name)
    if (c == '.') c = '_';
  return name;
}

/// Why the row can't be run here, or "". A module is asked in another process, as in a run: the
/// test has none of its code.
inline std::string why_unavailable(const Row& row) {
  std::string why = row.unavailable();
  if (why.empty() && row.module != nullptr)
    why = in_the_lab([&](Bench&) { return loaded(row).unavailable(); });
  return why;
}

}  // namespace ipcbench
