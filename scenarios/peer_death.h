// peer_death: one side is killed: when the other one notices, and what is lost.
//
// Compiled once, over harness/any_link.h, like paced.
#pragma once

#include "harness/any_link.h"
#include "harness/row.h"
#include "harness/run.h"

namespace ipcbench {

struct PeerDeath {
  static constexpr ScenarioFacts facts{
      .name = "peer_death",
      .summary =
          "SIGKILL for the consumer, then the producer: when the other notices, what is lost",
      .needs = "a channel that queues",
      .sized = true,
      .only_forks = true};

  template <class T>
  static constexpr bool fits = Queue<T>;
  static void run(Runner& runner, const LinkMaker& maker);
};

}  // namespace ipcbench
