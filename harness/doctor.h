// doctor.h: what makes this machine noisy, which limits bite, and what can be done about it.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace ipcbench {

enum class Severity { good, note, warning };

/// What was seen, why it matters, what to do: a short sentence each. A good one needs no remedy.
struct Finding {
  Severity severity;
  std::string subject;
  std::string seen;
  std::string matters;
  std::string remedy;
};

/// What was read off the machine for a moment, rather than looked up.
struct Readings {
  double load_1min = 0;
  double cpu_pressure_percent = 0;  ///< avg10 of "some" in /proc/pressure/cpu
  double steal_percent = 0;         ///< over the sample
  std::string why_no_latency{};     ///< --quiet-machine can't hold CPUs awake, or ""
  std::string why_no_fifo{};        ///< it can't have SCHED_FIFO, or ""
};

/// Samples for about 0.2 s.
Readings take_readings();

/// Judges a machine record (machine.h) and readings. Changes nothing, reads nothing else.
std::vector<Finding> diagnose(const nlohmann::json& machine, const Readings& readings);

nlohmann::json to_json(const std::vector<Finding>& findings);

}  // namespace ipcbench
