// replan.h: a plan that was recorded, once more and here: `run --from`. Where plan.h makes a plan
// of what a person asks for, this makes one of what a results file holds.
#pragma once

#include <string>

#include "harness/plan.h"

namespace ipcbench {

/// The plan of a results file, a journal or a report page of one results file, as it was recorded.
/// Throws UsageError: what was seen, what was expected.
Plan read_plan(const std::string& path);
/// The same of a results document; `path` is for messages.
Plan plan_of(const nlohmann::ordered_json& document, const std::string& path);

/// The same cells whose keys match the filter, placed on this machine, in the order that the seed
/// gives; what doesn't fit here is skipped with its reason. Cells of scenarios that this ipcbench
/// doesn't have are left out. Throws UsageError for numbers that `run` doesn't take.
Plan replan(const Plan& recorded, const Topology& topology, const std::string& filter);

}  // namespace ipcbench
