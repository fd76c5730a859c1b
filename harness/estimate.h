// estimate.h: how long runs will take.
#pragma once

#include "harness/plan.h"

namespace ipcbench {

/// How long a run of the cell will take, in seconds: what the plan asks for, and what starting,
/// warming up and ending it costs besides, which was measured (estimate.cpp). The same whether it
/// will succeed or not.
double estimate_s(const Plan& plan, const PlannedCell& cell);

}  // namespace ipcbench
