// size_mix.h: messages of different sizes in one run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ipcbench {

/// The sizes of messages, in bytes, one after the other and then from the beginning again.
struct SizeMix {
  static constexpr std::size_t sizes_max = 4096;

  std::string name;  ///< "uniform:64-4096", "trace:sizes.txt"; "" where all have one size
  std::vector<std::uint32_t> sizes;

  std::uint32_t largest() const;
  double mean() const;
  bool operator==(const SizeMix&) const = default;
};

/// "fixed" is a mix without a name. "uniform:64-4KiB" draws 1024 sizes, the same ones everywhere.
/// "trace:FILE" reads them, one a line. Throws UsageError.
SizeMix parse_size_mix(const std::string& word);

}  // namespace ipcbench
