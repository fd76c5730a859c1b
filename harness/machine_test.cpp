#include "harness/machine.h"

#include <stdlib.h>
#include <sys/utsname.h>

#include <functional>

#include <gtest/gtest.h>

#include "harness/unix.h"

namespace ipcbench {
namespace {

nlohmann::json this_machine() {
  return machine_record(Topology(), TickRate{}, ClockCost{.tsc_ns = 0, .monotonic_ns = 20});
}

/// Calls `visit` for every value in the record that is no object and no array.
void each_value(const nlohmann::json& record,
                const std::function<void(const nlohmann::json&)>& visit) {
  const nlohmann::json flat = record.flatten();
  for (const nlohmann::json& value : flat) visit(value);
}

TEST(Digest, IsFnv1aWith64Bits) {
  // The reference values of Fowler, Noll and Vo.
  EXPECT_EQ(digest(""), "cbf29ce484222325");
  EXPECT_EQ(digest("a"), "af63dc4c8601ec8c");
  EXPECT_EQ(digest("foobar"), "85944171f73967e8");
  EXPECT_EQ(digest("\xff").size(), 16U);
}

TEST(MachineRecord, HasItsSectionsAndTheDigestsOfThem) {
  const nlohmann::json record = this_machine();
  for (const char* section : {"identity", "state", "limits"})
    EXPECT_TRUE(record.contains(section) && !record[section].empty()) << section;
  EXPECT_EQ(record["identity_digest"], identity_digest(record));
  EXPECT_EQ(record["state_digest"], state_digest(record));
}

TEST(MachineRecord, IsTheSameMachineTheSecondTime) {
  const nlohmann::json first = this_machine();
  const nlohmann::json second = this_machine();
  EXPECT_EQ(first["identity_digest"], second["identity_digest"]);
  EXPECT_EQ(first["state_digest"], second["state_digest"]);
}

TEST(MachineRecord, SettingsInTheEnvironmentAreKnown) {
  ASSERT_EQ(::setenv("UCX_RNDV_THRESH", "1", 1), 0);
  ASSERT_EQ(::setenv("IPCBENCH_NO_SETTING", "1", 1), 0);
  const nlohmann::json set = settings_in_environment();
  EXPECT_EQ(set.value("UCX_RNDV_THRESH", ""), "1");
  EXPECT_FALSE(set.contains("IPCBENCH_NO_SETTING"));
  ::unsetenv("UCX_RNDV_THRESH");
  ::unsetenv("IPCBENCH_NO_SETTING");
  EXPECT_FALSE(settings_in_environment().contains("UCX_RNDV_THRESH"));
}

TEST(MachineRecord, SaysWhatTheKernelSays) {
  const nlohmann::json record = this_machine();
  utsname name{};
  ASSERT_EQ(::uname(&name), 0);
  EXPECT_EQ(record["identity"]["kernel_release"], name.release);
  const std::string pipe_max = "/proc/sys/fs/pipe-max-size";
  if (!read_text(pipe_max).empty()) {
    EXPECT_EQ(record["limits"]["pipe_max_size"], read_number(pipe_max, 0));
  }
  EXPECT_EQ(record["identity"]["binary_digest"].get<std::string>().size(), 16U);
}

TEST(MachineRecord, UnreadableIsNullAndNeverAnEmptyText) {
  for (const char* section : {"state", "limits"})
    each_value(this_machine()[section], [](const nlohmann::json& value) {
      EXPECT_FALSE(value.is_string() && value.get<std::string>().empty());
    });
}

TEST(MachineRecord, UnusableCounterHasNoCost) {
  const nlohmann::json readings = this_machine()["state"]["readings"];
  EXPECT_TRUE(readings["tsc_cost_ns"].is_null());
  EXPECT_EQ(readings["monotonic_cost_ns"], 20);
}

TEST(MachineRecord, DoesNotNameTheHost) {
  utsname name{};
  ASSERT_EQ(::uname(&name), 0);
  each_value(this_machine(), [&](const nlohmann::json& value) {
    if (value.is_string()) {
      EXPECT_NE(value.get<std::string>(), name.nodename);
    }
  });
}

TEST(MachineRecord, ReadingsEnterNoDigest) {
  nlohmann::json record = this_machine();
  record["state"]["readings"]["load_average"] = "99.00 99.00 99.00 9/999 9999";
  record["state"]["readings"]["monotonic_cost_ns"] = 12345;
  record["state"]["readings"].erase("cpu_pressure");
  EXPECT_EQ(identity_digest(record), record["identity_digest"]);
  EXPECT_EQ(state_digest(record), record["state_digest"]);
}

TEST(MachineRecord, AnotherKernelOrBinaryIsAnotherIdentity) {
  const nlohmann::json original = this_machine();
  for (const char* key : {"kernel_release", "kernel_version", "binary_digest", "cpu_model"}) {
    nlohmann::json record = original;
    record["identity"][key] = "another";
    EXPECT_NE(identity_digest(record), original["identity_digest"]) << key;
    EXPECT_EQ(state_digest(record), original["state_digest"]) << key;
  }
}

TEST(MachineRecord, AnotherSettingOrLimitIsAnotherState) {
  const nlohmann::json original = this_machine();
  nlohmann::json record = original;
  record["state"]["governor"] = "another";
  EXPECT_NE(state_digest(record), original["state_digest"]);
  EXPECT_EQ(identity_digest(record), original["identity_digest"]);
  record = original;
  record["limits"]["pipe_max_size"] = 4097;
  EXPECT_NE(state_digest(record), original["state_digest"]);
}

TEST(StealFraction, IsTheStolenShareOfTheTimeBetween) {
  EXPECT_DOUBLE_EQ(steal_fraction({.all = 100, .stolen = 10}, {.all = 200, .stolen = 35}), 0.25);
  EXPECT_DOUBLE_EQ(steal_fraction({.all = 100, .stolen = 10}, {.all = 200, .stolen = 10}), 0);
  EXPECT_DOUBLE_EQ(steal_fraction({.all = 100, .stolen = 10}, {.all = 100, .stolen = 10}), 0)
      << "no time has passed";
}

TEST(ProcessorTimes, NeverRunBackwards) {
  const ProcessorTimes before = processor_times();
  const ProcessorTimes after = processor_times();
  EXPECT_GT(before.all, 0);
  EXPECT_GE(after.all, before.all);
  EXPECT_LE(after.stolen, after.all);
}

}  // namespace
}  // namespace ipcbench
