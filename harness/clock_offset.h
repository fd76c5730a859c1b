// clock_offset.h: how far the clocks of two processors are apart: what one-way latencies rest on.
#pragma once

#include "harness/clock.h"

namespace ipcbench {

/// Of the processor whose clock is furthest from the first one's, in ns: positive where it is
/// ahead. The true offset lies within ± the uncertainty: half of the fastest exchange.
struct ClockOffset {
  double offset_ns = 0;
  double uncertainty_ns = 0;
  int processors = 1;  ///< that were compared
};

/// Two threads exchange readings of the clock that latency loops read, as NTP does. Compares the
/// processors that this process may run on, eight at most, in about a millisecond each.
ClockOffset measure_clock_offset(TickRate rate);

}  // namespace ipcbench
