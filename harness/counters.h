// counters.h: what the processor and the kernel count of a process: perf_event_open(2).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "harness/unix.h"

namespace ipcbench {

enum class Counter { cycles, instructions, cache_misses, migrations, system_calls };
inline constexpr std::size_t counter_count = 5;
/// "cycles": the beginning of cycles_per_message in results files.
std::string_view text(Counter);

/// What was counted of a process, or why it couldn't be.
struct CounterReading {
  std::array<std::uint64_t, counter_count> value;
  std::array<std::int32_t, counter_count> error;  ///< errno(3), or 0 where the value is good
};
/// Why there is no value, or "".
std::string why_missing(Counter counter, std::int32_t error);

/// The counters of the calling process, user and kernel together. Those that this machine lacks, or
/// doesn't let us have, stay closed.
class Counters {
 public:
  Counters();
  void start();
  CounterReading stop();

 private:
  std::array<Fd, counter_count> fds_;
  CounterReading reading_{};
};

}  // namespace ipcbench
