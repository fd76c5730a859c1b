#include "harness/doctor.h"

#include <algorithm>
#include <optional>

#include <gtest/gtest.h>

namespace ipcbench {
namespace {

/// A made-up machine that nothing is wrong with.
nlohmann::json quiet_machine() {
  return {{"identity",
           {{"build_type", "Release"},
            {"compiler_flags", "-O3 -DNDEBUG"},
            {"dirty", false},
            {"virtualisation", "none"},
            {"topology", {{"cores", 8}}}}},
          {"state",
           {{"governor", "performance"},
            {"no_turbo", 1},
            {"boost", nullptr},
            {"idle_driver", "none"},
            {"isolated_cpus", "6-7"},
            {"smt", "off"},
            {"transparent_hugepage", "always [madvise] never"},
            {"randomize_va_space", 0},
            {"clock_source", "tsc"},
            {"tsc_usable", true},
            {"cgroup_cpus", nullptr},
            {"readings", {{"tsc_cost_ns", 12.5}, {"monotonic_cost_ns", 20.0}}}}},
          {"limits",
           {{"mq_msg_max", 65536},
            {"mq_msgsize_max", 16777216},
            {"msgmax", 1048576},
            {"wmem_default", 4194304},
            {"rlimit_msgqueue", "unlimited"}}}};
}

/// What is said beyond "good".
std::vector<Finding> complaints(const nlohmann::json& machine, const Readings& readings = {}) {
  std::vector<Finding> findings = diagnose(machine, readings);
  std::erase_if(findings, [](const Finding& one) { return one.severity == Severity::good; });
  return findings;
}

/// The only complaint about a quiet machine in which one value was changed.
std::optional<Finding> complaint_about(const char* pointer, const nlohmann::json& value) {
  nlohmann::json machine = quiet_machine();
  machine[nlohmann::json::json_pointer(pointer)] = value;
  const std::vector<Finding> found = complaints(machine);
  EXPECT_LE(found.size(), 1U) << pointer;
  return found.empty() ? std::nullopt : std::optional<Finding>(found.front());
}

std::optional<Finding> complaint_about(const Readings& readings) {
  const std::vector<Finding> found = complaints(quiet_machine(), readings);
  EXPECT_LE(found.size(), 1U);
  return found.empty() ? std::nullopt : std::optional<Finding>(found.front());
}

TEST(Doctor, FindsNothingWrongWithAQuietMachine) {
  for (const Finding& finding : complaints(quiet_machine()))
    ADD_FAILURE() << finding.subject << ": " << finding.seen;
  EXPECT_FALSE(diagnose(quiet_machine(), {}).empty()) << "what is good is said too";
}

struct Fault {
  const char* pointer;
  nlohmann::json value;
  Severity severity;
};

TEST(Doctor, FindsEachFaultAlone) {
  const Fault faults[] = {
      {"/identity/build_type", "Debug", Severity::warning},
      {"/identity/compiler_flags", "-O2 -fsanitize=address", Severity::warning},
      {"/identity/dirty", true, Severity::note},
      {"/identity/virtualisation", "KVM", Severity::note},
      {"/identity/topology/cores", 1, Severity::warning},
      {"/state/governor", "powersave", Severity::warning},
      {"/state/no_turbo", 0, Severity::note},
      {"/state/boost", 1, Severity::note},
      {"/state/idle_driver", "haltpoll", Severity::note},
      {"/state/isolated_cpus", nullptr, Severity::note},
      {"/state/smt", "on", Severity::note},
      {"/state/transparent_hugepage", "[always] madvise never", Severity::note},
      {"/state/randomize_va_space", 2, Severity::note},
      {"/state/tsc_usable", false, Severity::warning},
      {"/state/cgroup_cpus", 0.5, Severity::warning},
      {"/limits/mq_msg_max", 10, Severity::note},
      {"/limits/mq_msgsize_max", 8192, Severity::note},
      {"/limits/msgmax", 8192, Severity::note},
      {"/limits/wmem_default", 212992, Severity::note},
      {"/limits/rlimit_msgqueue", 4096, Severity::note},
  };
  for (const Fault& fault : faults) {
    const std::optional<Finding> finding = complaint_about(fault.pointer, fault.value);
    ASSERT_TRUE(finding) << fault.pointer;
    EXPECT_EQ(finding->severity, fault.severity) << fault.pointer;
    EXPECT_FALSE(finding->subject.empty()) << fault.pointer;
    EXPECT_FALSE(finding->seen.empty()) << fault.pointer;
    EXPECT_FALSE(finding->matters.empty()) << fault.pointer;
    EXPECT_FALSE(finding->remedy.empty()) << fault.pointer;
  }
}

TEST(Doctor, LoadIsJudgedAgainstTheCores) {
  EXPECT_FALSE(complaint_about(Readings{.load_1min = 1.5}));
  const std::optional<Finding> finding = complaint_about(Readings{.load_1min = 7.9});
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->severity, Severity::warning);
  EXPECT_NE(finding->seen.find("7.9"), std::string::npos) << finding->seen;
  nlohmann::json small = quiet_machine();
  small["identity"]["topology"]["cores"] = 2;
  EXPECT_EQ(complaints(small, Readings{.load_1min = 1.5}).size(), 1U);
}

TEST(Doctor, PressureAndStealAreWarnings) {
  EXPECT_FALSE(complaint_about(Readings{.cpu_pressure_percent = 0.1, .steal_percent = 0.1}));
  for (const Readings& readings :
       {Readings{.cpu_pressure_percent = 20}, Readings{.steal_percent = 5}}) {
    const std::optional<Finding> finding = complaint_about(readings);
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::warning);
  }
}

TEST(Doctor, AbsentLimitsAreNotSmallOnes) {
  nlohmann::json machine = quiet_machine();
  machine["limits"] = {{"mq_msg_max", nullptr}};
  EXPECT_TRUE(complaints(machine).empty());
}

TEST(Doctor, AnEmptyRecordIsNoError) {
  EXPECT_NO_THROW(diagnose(nlohmann::json::object(), {}));
}

TEST(Doctor, FindingsAsJsonHaveWordsForTheirSeverity) {
  const nlohmann::json all =
      to_json({{Severity::good, "clock", "fine", "", ""},
               {Severity::note, "SMT", "on", "It matters.", "Turn it off."},
               {Severity::warning, "load", "9", "It matters more.", "Stop it."}});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0]["severity"], "good");
  EXPECT_EQ(all[2]["severity"], "warning");
  EXPECT_EQ(all[1], (nlohmann::json{{"severity", "note"},
                                    {"subject", "SMT"},
                                    {"seen", "on"},
                                    {"matters", "It matters."},
                                    {"remedy", "Turn it off."}}));
}

TEST(Readings, ArePercentages) {
  const Readings readings = take_readings();
  EXPECT_GE(readings.load_1min, 0);
  for (const double percent : {readings.cpu_pressure_percent, readings.steal_percent}) {
    EXPECT_GE(percent, 0);
    EXPECT_LE(percent, 100);
  }
}

}  // namespace
}  // namespace ipcbench
