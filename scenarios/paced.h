// paced: an open loop: messages are due at an offered rate, whether or not the last one is through.
//
// Compiled once, over harness/any_link.h: a virtual call or two for each message is nothing beside
// the clock readings that an open loop needs.
#pragma once

#include "harness/any_link.h"
#include "harness/row.h"
#include "harness/run.h"

namespace ipcbench {

struct Paced {
  static constexpr ScenarioFacts facts{
      .name = "paced",
      .summary = "latency at an offered rate, from when each message was due",
      .needs = "a channel that queues",
      .sized = true,
      .only_forks = true,
      .mixes_sizes = true,
      .axes = {"rate", "arrivals", "touch"},
      .latency = "latency",
      .second_latency = "service",
      .rate = "messages"};

  template <class T>
  static constexpr bool fits = Queue<T>;
  static void run(Runner& runner, const LinkMaker& maker);
};

}  // namespace ipcbench
