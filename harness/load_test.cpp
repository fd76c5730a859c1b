#include "harness/load.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "harness/plan.h"
#include "harness/program_under_test.h"
#include "harness/row.h"
#include "harness/size_mix.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

const Axis& axis(std::string_view name) {
  for (const Axis& axis : all_axes())
    if (axis.name == name) return axis;
  throw std::out_of_range(std::string(name));
}

std::int64_t parse(std::string_view name, const std::string& word) {
  return axis(name).parse(word, axis(name));
}

TEST(Load, WordsBecomeNumbersAndBack) {
  EXPECT_EQ(parse("rate", "10k"), 10'000);
  EXPECT_EQ(parse("rate", "1.5M"), 1'500'000);
  EXPECT_EQ(parse("gap", "10ms"), 10'000'000);
  EXPECT_EQ(parse("hold", "0"), 0);
  EXPECT_EQ(parse("touch", "write"), static_cast<std::int64_t>(Touch::write));
  for (const auto& [name, word] : {std::pair<const char*, const char*>{"rate", "10k"},
                                   {"rate", "500"},
                                   {"rate", "3M"},
                                   {"gap", "10ms"},
                                   {"gap", "1500us"},
                                   {"hold", "0ns"},
                                   {"window", "64"},
                                   {"touch", "none"},
                                   {"arrivals", "poisson"}})
    EXPECT_EQ(axis(name).text(parse(name, word), axis(name)), word);
}

TEST(Load, WhatIsNoValueIsRejected) {
  for (const auto& [name, word] : {std::pair<const char*, const char*>{"rate", "fast"},
                                   {"rate", "0"},
                                   {"rate", "10kk"},
                                   {"rate", "-5"},
                                   {"gap", "10"},
                                   {"gap", "11s"},
                                   {"window", "0"},
                                   {"crowd", "65"},
                                   {"touch", "all"},
                                   {"arrivals", ""},
                                   {"hold", "2s"}})
    EXPECT_THROW(parse(name, word), UsageError) << name << " " << word;
}

TEST(Load, KeysHoldTheAxesOfTheirScenarioAlone) {
  const auto words_of = [](const char* scenario, const Load& load) {
    return load_words(load, all_scenarios()[find_scenario(scenario).value()]);
  };
  Load load;
  load.window = 16;
  load.crowd = 8;
  load.touch = static_cast<std::int64_t>(Touch::none);
  EXPECT_EQ(words_of("burst", load), (std::vector<std::string>{"touch:none", "window:16"}));
  EXPECT_EQ(words_of("pairs", load), (std::vector<std::string>{"touch:none", "crowd:8"}));
  EXPECT_EQ(words_of("flood", {}), std::vector<std::string>{});
  EXPECT_EQ(words_of("verify", load), std::vector<std::string>{});
}

TEST(Load, SurvivesAResultsFile) {
  const ScenarioFacts& paced = all_scenarios()[find_scenario("paced").value()];
  Load load;
  load.rate_per_s = 123;
  load.arrivals = static_cast<std::int64_t>(ArrivalLaw::fixed);
  nlohmann::ordered_json json;
  add_load(json, load, paced);
  EXPECT_EQ(json["rate_per_s"], 123);
  EXPECT_EQ(json["arrivals"], "fixed");
  EXPECT_EQ(load_from_json(json), load);
  json["rate_per_s"] = 0;
  EXPECT_THROW(load_from_json(json), UsageError);
}

TEST(SizeMix, IsTheSameEverywhere) {
  const SizeMix mix = parse_size_mix("uniform:64-4KiB");
  EXPECT_EQ(mix.name, "uniform:64-4096");
  EXPECT_EQ(mix.sizes.size(), 1024u);
  EXPECT_EQ(mix.sizes, parse_size_mix("uniform:64-4096").sizes);
  for (const std::uint32_t size : mix.sizes) {
    EXPECT_GE(size, 64u);
    EXPECT_LE(size, 4096u);
  }
  EXPECT_NEAR(mix.mean(), (64 + 4096) / 2.0, 150);
  EXPECT_TRUE(parse_size_mix("fixed").name.empty());
}

TEST(SizeMix, ReadsATrace) {
  const Sandbox sandbox;
  const std::string path = sandbox.path("sizes.txt");
  std::ofstream(path) << "64\n1KiB\n\n8\n";
  const SizeMix mix = parse_size_mix("trace:" + path);
  EXPECT_EQ(mix.name, "trace:sizes.txt");
  EXPECT_EQ(mix.sizes, (std::vector<std::uint32_t>{64, 1024, 8}));
  EXPECT_EQ(mix.largest(), 1024u);
  std::ofstream(path) << "64\nlots\n";
  EXPECT_THROW(parse_size_mix("trace:" + path), UsageError);
  std::ofstream(path, std::ios::trunc).flush();
  for (const std::string& word :
       {"trace:" + path, std::string("trace:/nowhere"), std::string("uniform:64"),
        std::string("uniform:64-8"), std::string("normal:5"), std::string()})
    EXPECT_THROW(parse_size_mix(word), UsageError) << word;
}

}  // namespace
}  // namespace ipcbench
