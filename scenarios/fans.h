// fan_in and fan_out: many processes at one object: its other side is a single one.
#pragma once

#include "harness/row.h"
#include "scenarios/mailbox.h"

namespace ipcbench {

/// A channel whose one object serves several ends of a side.
template <class T>
concept SharedByProducers = Queue<T> &&(T::facts.peers != Peers::one_to_one);
template <class T>
concept SharedByConsumers = Queue<T> &&(T::facts.peers == Peers::many_to_many);

struct FanIn {
  static constexpr ScenarioFacts facts{
      .name = "fan_in",
      .summary = "throughput from several producers to one consumer, through one object",
      .needs = "a channel that several producers can share",
      .sized = true,
      .only_forks = true,
      .axes = {"touch", "crowd"},
      .rate = "messages",
      .rivals = "producer_",
      .crowd_max = 1,
      .shared_by = {0, 1}};

  template <SharedByProducers T>
  static void run(Runner& runner) {
    Mailbox<T>::run(runner, static_cast<int>(runner.params().load.crowd), 1);
  }
};

struct FanOut {
  static constexpr ScenarioFacts facts{
      .name = "fan_out",
      .summary = "throughput from one producer to several consumers that share the work",
      .needs = "a channel that several consumers can share",
      .sized = true,
      .only_forks = true,
      .axes = {"touch", "crowd"},
      .rate = "messages",
      .rivals = "consumer_",
      .crowd_max = 1,
      .shared_by = {1, 0}};

  template <SharedByConsumers T>
  static void run(Runner& runner) {
    Mailbox<T>::run(runner, 1, static_cast<int>(runner.params().load.crowd));
  }
};

}  // namespace ipcbench
