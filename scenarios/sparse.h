// sparse: one message after an idle gap: what it costs to wake a peer that sleeps.
//
// Compiled once, over harness/any_link.h, like paced.
#pragma once

#include "harness/any_link.h"
#include "harness/row.h"
#include "harness/run.h"

namespace ipcbench {

struct Sparse {
  static constexpr ScenarioFacts facts{
      .name = "sparse",
      .summary = "latency of one message, or signal, after an idle gap",
      .needs = "a channel that queues, or a signal",
      .sized = true,
      .only_forks = true,
      .axes = {"gap"},
      .latency = "latency"};

  template <class T>
  static constexpr bool fits = Queue<T> || Signal<T>;
  static void run(Runner& runner, const LinkMaker& maker);
};

}  // namespace ipcbench
