// pairs: several independent pairs flood at once: what they take from each other.
#pragma once

#include <memory>
#include <vector>

#include <fmt/format.h>

#include "scenarios/flood.h"

namespace ipcbench {

struct Pairs {
  static constexpr ScenarioFacts facts{
      .name = "pairs",
      .summary = "throughput of several independent pairs at once, each with a link of its own",
      .needs = "a channel that queues",
      .sized = true,
      .only_forks = true,
      .axes = {"touch", "crowd"},
      .rate = "messages",
      .rivals = "consumer_",
      .crowd_max = 1};

  template <Queue T>
  static void run(Runner& runner) {
    const std::int64_t pairs = runner.params().load.crowd;
    std::vector<std::unique_ptr<T>> links;
    std::vector<EndPlan> ends;
    runner.note_multiplicity(static_cast<std::uint64_t>(pairs));
    for (std::int64_t i = 0; i < pairs; ++i) {
      T& link = *links.emplace_back(std::make_unique<T>(runner.shape()));
      ends.push_back(
          {fmt::format("producer_{}", i + 1), Side::producer, Flood::producer(runner, link)});
      ends.push_back(
          {fmt::format("consumer_{}", i + 1), Side::consumer, Flood::consumer(runner, link)});
    }
    runner.run(ends);
  }
};

}  // namespace ipcbench
