// row.h: the table of what can be run: rows are transports, columns are scenarios, and a cell is
// a plain function pointer, so that a run pays one indirect call and a message none.
//
// The harness reads the table and does not know who fills it: all_rows() is written by CMake from
// transports/CMakeLists.txt, all_scenarios() stands in scenarios/matrix.cpp.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/any_link.h"
#include "harness/transport.h"

namespace ipcbench {

class Runner;

/// What a scenario is, for people and for the plan.
struct ScenarioFacts {
  std::string_view name;
  std::string_view summary;      ///< one line for `list`
  std::string_view needs;        ///< what a transport must offer: "a channel", "a lock"
  bool sized;                    ///< the message size is one of its parameters
  bool shareable = false;        ///< several producers and consumers may share one link (`--peers`)
  bool kernel_consumes = false;  ///< the kernel may be the consumer (`--peer kernel`)
  bool kernel_produces = false;  ///< the kernel may be the producer (`--peer source`)
};

/// One transport, erased: its facts, its answers, and a cell for each scenario (in the order of
/// all_scenarios()), null where its types don't fit.
struct Row {
  Facts facts;
  const void* variant;                       ///< what Shape::variant carries to its ends
  std::function<std::string()> unavailable;  ///< why not on this machine, or ""
  std::function<std::optional<std::size_t>()> message_max;  ///< bytes; nothing: no limit
  std::string (*unfit)(const Shape&);    ///< why not with these parameters, or ""
  std::vector<void (*)(Runner&)> cells;  ///< executed in the runner's process
  std::vector<LinkMaker> links;          ///< one for each of its families; for the probe
  bool kernel_peered = false;            ///< the kernel may be its peer
  bool kernel_served = false;            ///< nobody but the kernel can be its peer
};

/// All transports, in report order.
const std::vector<Row>& all_rows();

/// All scenarios, in report order.
std::span<const ScenarioFacts> all_scenarios();

}  // namespace ipcbench
