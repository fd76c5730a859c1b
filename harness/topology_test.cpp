#include "harness/topology.h"

#include <sched.h>
#include <stdlib.h>

#include <array>
#include <stdexcept>

#include <gtest/gtest.h>

namespace ipcbench {
namespace {

/// hwloc takes its topology from this description instead of the machine for as long as it lives.
class Synthetic {
 public:
  explicit Synthetic(const char* description) { ::setenv("HWLOC_SYNTHETIC", description, 1); }
  Synthetic(const Synthetic&) = delete;
  Synthetic& operator=(const Synthetic&) = delete;
  ~Synthetic() { ::unsetenv("HWLOC_SYNTHETIC"); }
};

Topology synthetic(const char* description) {
  const Synthetic environment(description);
  return Topology();
}

using Cpus = std::array<int, 2>;

std::string message_of(auto call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Topology, OneCoreHasNoCrossCore) {
  const Topology topology = synthetic("package:1 l3:1 core:1 pu:1");
  EXPECT_EQ(topology.record().at("cores"), 1);
  EXPECT_EQ(topology.place("same-core").cpus, (Cpus{0, 0}));
  EXPECT_EQ(topology.place("same-core").impossible, "");
  EXPECT_EQ(topology.place("cross-core").impossible,
            "needs two cores; this process may use CPU 0 alone");
}

TEST(Topology, SiblingThreadsAreOneCore) {
  const Topology topology = synthetic("package:1 l3:1 core:1 pu:2");
  EXPECT_EQ(topology.allowed(), (std::vector<int>{0, 1}));
  EXPECT_NE(topology.place("cross-core").impossible, "");
}

TEST(Topology, TwoCoresUseCpuZeroOnlyWhereTheyMust) {
  const Topology topology = synthetic("package:1 l3:1 core:2 pu:1");
  EXPECT_EQ(topology.place("same-core").cpus, (Cpus{1, 1}));
  EXPECT_EQ(topology.place("cross-core").cpus, (Cpus{0, 1}));
}

TEST(Topology, ProcessorsWithoutCoresAreTheirOwn) {
  EXPECT_EQ(synthetic("pu:4").place("cross-core").cpus, (Cpus{1, 2}));
}

TEST(Topology, ANearPairAwayFromCpuZeroIsTheBest) {
  EXPECT_EQ(synthetic("l3:2 core:2 pu:1").place("cross-core").cpus, (Cpus{2, 3}));
}

TEST(Topology, FourCoresAvoidCpuZeroAndItsSibling) {
  const Topology topology = synthetic("package:1 l3:1 core:4 pu:2");
  EXPECT_EQ(topology.record().at("cores"), 4);
  EXPECT_EQ(topology.place("same-core").cpus, (Cpus{2, 2}));
  EXPECT_EQ(topology.place("cross-core").cpus, (Cpus{2, 4}));
}

TEST(Topology, InterleavedNumbersOfSiblingsAreUnderstood) {
  // CPUs 0 and 4 are one core, 1 and 5 the next: the usual numbering of real machines.
  const Topology topology = synthetic("package:1 l3:1 core:4 pu:2(indexes=0,4,1,5,2,6,3,7)");
  ASSERT_EQ(topology.record().at("cores"), 4);
  EXPECT_EQ(topology.place("cross-core").cpus, (Cpus{1, 2}));
}

TEST(Topology, CrossCoreStaysWithinTheLastLevelCache) {
  // Two cores under each cache: cores 1 and 2 are neighbours by number only.
  const Topology topology = synthetic("package:1 l3:2 core:2 pu:1");
  const Place place = topology.place("cross-core");
  EXPECT_NE(place.cpus[0], place.cpus[1]);
  EXPECT_EQ(place.cpus[0] / 2, place.cpus[1] / 2);
}

TEST(Topology, CoresWithoutASharedCacheAreStillTwoCores) {
  const Topology two = synthetic("package:2 l3:1 core:1 pu:1");
  EXPECT_EQ(two.place("cross-core").cpus, (Cpus{0, 1}));
  EXPECT_EQ(two.place("cross-core").impossible, "");
  const Topology three = synthetic("package:3 l3:1 core:1 pu:1");
  EXPECT_EQ(three.place("cross-core").cpus, (Cpus{1, 2}));
}

TEST(Topology, NonePinsNothing) {
  const Place place = Topology().place("none");
  EXPECT_EQ(place.name, "none");
  EXPECT_EQ(place.cpus, (Cpus{-1, -1}));
  EXPECT_EQ(place.impossible, "");
}

TEST(Topology, EveryPlacementNameIsAPlaceOfThatName) {
  const Topology topology;
  for (const std::string_view name : placement_names()) EXPECT_EQ(topology.place(name).name, name);
  EXPECT_EQ(placement_names().size(), 3U);
}

TEST(Topology, UnknownPlacementNamesWhatWasSeenAndExpected) {
  const Topology topology;
  const std::string message = message_of([&] { topology.place("cross"); });
  EXPECT_NE(message.find("'cross'"), std::string::npos) << message;
  for (const std::string_view name : placement_names())
    EXPECT_NE(message.find(name), std::string::npos) << message;
}

TEST(Topology, PinTakesAnyAllowedCpus) {
  const Topology topology = synthetic("package:1 l3:1 core:4 pu:1");
  const Place place = topology.pin(3, 1);
  EXPECT_EQ(place.name, "pin:3,1");
  EXPECT_EQ(place.cpus, (Cpus{3, 1}));
  EXPECT_EQ(topology.pin(2, 2).cpus, (Cpus{2, 2}));
}

TEST(Topology, PinRefusesCpusThatAreNotThere) {
  const Topology topology = synthetic("package:1 l3:1 core:2 pu:1");
  for (const Cpus& cpus : {Cpus{0, 9}, Cpus{9, 0}}) {
    const std::string message = message_of([&] { topology.pin(cpus[0], cpus[1]); });
    EXPECT_NE(message.find("CPU 9"), std::string::npos) << message;
    EXPECT_NE(message.find("0-1"), std::string::npos) << message;
  }
  EXPECT_THROW(topology.pin(-1, 0), std::invalid_argument);
}

TEST(Topology, RecordCountsWhatThereIs) {
  const nlohmann::json record =
      synthetic("package:2 l3:1(size=1048576) l2:2(size=65536) core:1 pu:2").record();
  EXPECT_EQ(record["packages"], 2);
  EXPECT_EQ(record["cores"], 4);
  EXPECT_EQ(record["processors"], 8);
  EXPECT_EQ(record["numa_nodes"], 1);
  const nlohmann::json l2{{"level", 2}, {"bytes", 65536}, {"count", 4}, {"shared_by", 2}};
  const nlohmann::json l3{{"level", 3}, {"bytes", 1048576}, {"count", 2}, {"shared_by", 4}};
  EXPECT_EQ(record["caches"], (nlohmann::json::array({l2, l3})));
}

/// Gives the thread its affinity mask back.
class SavedAffinity {
 public:
  SavedAffinity() { ::sched_getaffinity(0, sizeof mask_, &mask_); }
  SavedAffinity(const SavedAffinity&) = delete;
  SavedAffinity& operator=(const SavedAffinity&) = delete;
  ~SavedAffinity() { ::sched_setaffinity(0, sizeof mask_, &mask_); }

 private:
  cpu_set_t mask_;
};

TEST(Topology, TheAffinityMaskIsRespected) {
  const SavedAffinity saved;
  const Topology whole;
  const int last = whole.allowed().back();
  cpu_set_t mask;
  CPU_ZERO(&mask);
  CPU_SET(static_cast<std::size_t>(last), &mask);
  ASSERT_EQ(::sched_setaffinity(0, sizeof mask, &mask), 0);

  const Topology narrow;
  EXPECT_EQ(narrow.allowed(), std::vector<int>{last});
  EXPECT_EQ(narrow.place("same-core").cpus, (Cpus{last, last}));
  EXPECT_NE(narrow.place("cross-core").impossible, "");
  EXPECT_EQ(narrow.record()["cores"], whole.record()["cores"]) << "the machine is the same";
  const int forbidden = whole.allowed().front();
  if (forbidden != last) {
    EXPECT_THROW(narrow.pin(forbidden, last), std::invalid_argument);
  }
}

TEST(Topology, PlacesOfThisMachineCanBePinned) {
  const Topology topology;
  for (const std::string_view name : {"same-core", "cross-core"}) {
    const Place place = topology.place(name);
    if (!place.impossible.empty()) continue;
    EXPECT_EQ(topology.pin(place.cpus[0], place.cpus[1]).cpus, place.cpus);
    EXPECT_EQ(place.cpus[0] == place.cpus[1], name == "same-core");
  }
}

TEST(CpuListText, RunsBecomeRanges) {
  EXPECT_EQ(cpu_list_text({}), "");
  EXPECT_EQ(cpu_list_text({3}), "3");
  EXPECT_EQ(cpu_list_text({0, 1, 4}), "0-1,4");
  EXPECT_EQ(cpu_list_text({0, 2, 5, 6, 7}), "0,2,5-7");
}

}  // namespace
}  // namespace ipcbench
