// change_points.h: where the level of a series of numbers changes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ipcbench {

struct ChangePoint {
  std::size_t at = 0;  ///< index of the first value after it
  double p = 1;        ///< how often a series without a change would show one as clear
  double before = 0;   ///< the median from the change point before it, or the beginning, to it
  double after = 0;    ///< the median from it to the next one, or the end
};

struct ChangePointOptions {
  double level = 0.01;     ///< of each test: a series without a change has one so often
  int permutations = 999;  ///< of which p is made: no smaller than 1 / (permutations + 1)
  std::uint64_t seed = 1;  ///< the same seed gives the same answer everywhere
};

/// E-divisive means (Matteson and James, "A Nonparametric Approach for Multiple Change Point
/// Analysis of Multivariate Data", JASA 109, 2014), with alpha 1 and one split at a time, as
/// MongoDB uses it for performance (Daly et al., ICPE 2020): the segment is split where the energy
/// distance of its two parts is largest, if permutations within the segments rarely give a larger
/// one; then the parts are. A part has two values at least. It assumes no distribution; values that
/// drift, or that depend on each other, look like changes. Takes a time that grows with the square
/// of the number of values, times the permutations.
std::vector<ChangePoint> change_points(std::span<const double> values,
                                       const ChangePointOptions& options = {});

}  // namespace ipcbench
