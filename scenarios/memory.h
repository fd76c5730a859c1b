// memory: what a link costs that nobody uses yet, and what it holds until its sender must wait.
//
// Compiled once, over harness/any_link.h, like paced.
#pragma once

#include "harness/any_link.h"
#include "harness/row.h"
#include "harness/run.h"

namespace ipcbench {

struct LinkMemory {
  static constexpr ScenarioFacts facts{
      .name = "memory",
      .summary = "memory of a link, resident and the kernel's, and how much it holds",
      .needs = "a channel that queues",
      .sized = true,
      .only_forks = true};

  template <class T>
  static constexpr bool fits = Queue<T>;
  static void run(Runner& runner, const LinkMaker& maker);
};

}  // namespace ipcbench
