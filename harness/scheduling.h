// scheduling.h: what the scheduler did to the calling process, and asking it for more.
#pragma once

#include <cstdint>

namespace ipcbench {

/// Since the process began. Below 0: this kernel doesn't say.
struct SchedulerCounts {
  std::int64_t migrations = -1;       ///< from one CPU to another
  std::int64_t kept_waiting_ns = -1;  ///< it could have run, and something else ran
};

/// Reads two files of /proc, in some 30 µs.
SchedulerCounts scheduler_counts();

/// Puts the calling process under SCHED_FIFO, for as long as it lives. False where it may not: that
/// takes CAP_SYS_NICE or RLIMIT_RTPRIO, and real-time throttling, without which an end that spins
/// could keep the driver, which has the deadline, from its CPU for ever.
bool run_by_fifo();
/// Why run_by_fifo() would return false, or ""; changes nothing.
const char* why_not_fifo();

}  // namespace ipcbench
