// set_up: a link's whole life, again and again: create, connect, first message, tear down.
//
// Compiled once, over harness/any_link.h, like paced.
#pragma once

#include "harness/any_link.h"
#include "harness/row.h"
#include "harness/run.h"

namespace ipcbench {

struct SetUp {
  static constexpr ScenarioFacts facts{
      .name = "set_up",
      .summary = "from nothing to the first message, and the end: each phase timed",
      .needs = "a channel, a signal or a lock",
      .sized = true,
      .only_forks = true,
      .latency = "set_up"};

  template <class T>
  static constexpr bool fits = Channel<T> || Signal<T> || Lock<T>;
  static void run(Runner& runner, const LinkMaker& maker);
};

}  // namespace ipcbench
