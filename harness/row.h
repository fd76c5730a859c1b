// row.h: the table of what can be run: rows are transports, columns are scenarios, and a cell is
// a plain function pointer, so that a run pays one indirect call and a message none.
//
// The harness reads the table and does not know who fills it: all_rows() is written by CMake from
// transports/CMakeLists.txt, all_scenarios() stands in scenarios/matrix.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/any_link.h"
#include "harness/transport.h"

namespace ipcbench {

struct Module;
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
  /// Its ends are forked whatever the start: it makes and ends processes or links as it goes.
  bool only_forks = false;
  bool mixes_sizes = false;                ///< its messages may differ in size (`--size-dist`)
  std::array<std::string_view, 4> axes{};  ///< names of all_axes() (load.h) that it has
  /// What it measures, as the beginning of names in results files: "round_trip" of
  /// round_trip_p50_ns, "messages" of messages_per_s. "": none of that kind.
  std::string_view latency = "";         ///< of the first histogram
  std::string_view second_latency = "";  ///< of the second one
  std::string_view rate = "";
  std::string_view rivals = "";  ///< the roles whose shares are compared for fairness begin so
  int messages_per_count = 1;    ///< a round trip is two messages
  int crowd_max = 0;             ///< up to which --crowd its ends have a CPU each; 0: it has none
  /// How many of each side meet at one object, of a crowd of n: 0 stands for n.
  std::array<int, 2> shared_by{1, 1};
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
  /// Has the library's launcher start both ends; what it returns is kept while they run. Null: it
  /// has no launcher.
  std::shared_ptr<const void> (*launch)(const Shape&, const Programs&) = nullptr;
  /// The shared module that it is loaded from (modules.h): cells and links are then those of a
  /// manifest, there to be looked at and not to be called. Null: it is linked in.
  const Module* module = nullptr;
  /// How a library was set up, where numbers depend on it: "ZMQ_SNDHWM=64". For the record.
  std::string_view settings = "";
};

/// All transports, in report order.
const std::vector<Row>& all_rows();

/// All scenarios, in report order.
std::span<const ScenarioFacts> all_scenarios();

}  // namespace ipcbench
