// machine.h: the record of the machine that every results file carries.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "harness/clock.h"
#include "harness/topology.h"

namespace ipcbench {

/// Three sections and two digests. "identity": what the machine, its kernel and this build are;
/// "state": how it is set up and how busy it is; "limits": of IPC. What can't be read is null.
/// "identity_digest" is equal on comparable machines, "state_digest" where the settings are equal
/// too; readings (load, pressure, clock costs) enter neither. Names of hosts and users are no part.
nlohmann::json machine_record(const Topology& topology, TickRate rate, ClockCost cost);

/// The digests of a record: 16 hex digits of FNV-1a over the section's settings.
std::string identity_digest(const nlohmann::json& record);
std::string state_digest(const nlohmann::json& record);

/// The environment variables that the C library, or a module's library, may take settings from:
/// what is set without ipcbench knowing of it. Only those that are set.
nlohmann::json settings_in_environment();

/// What all processors together have done since boot, in clock ticks (/proc/stat).
struct ProcessorTimes {
  double all = 0;
  double stolen = 0;  ///< by the hypervisor, for other machines
};
ProcessorTimes processor_times();
/// The share of the processors' time between two readings that was stolen, 0 to 1.
double steal_fraction(const ProcessorTimes& before, const ProcessorTimes& after);

/// FNV-1a, 64 bits, as 16 hex digits.
std::string digest(std::string_view bytes);

}  // namespace ipcbench
