// flood: messages one way, as fast as the channel takes them: throughput and bandwidth.
#pragma once

#include <utility>

#include "harness/row.h"
#include "harness/run.h"
#include "scenarios/links.h"
#include "scenarios/lossy.h"
#include "scenarios/mailbox.h"
#include "scenarios/payload.h"

namespace ipcbench {

struct Flood {
  static constexpr ScenarioFacts facts{
      .name = "flood",
      .summary = "throughput: messages one way, as fast as the channel takes them",
      .needs = "a channel that queues",
      .sized = true,
      .shareable = true};

  template <Queue T>
  static void run(Runner& runner) {
    if constexpr (T::facts.peers != Peers::one_to_one)
      if (runner.params().manner.is_mailbox()) return Mailbox<T>::run(runner);
    T link(runner.shape());
    runner.note_depth(link);
    const std::size_t size = runner.params().size;
    runner.run({{"producer", Side::producer,
                 [&](End& end) {
                   auto mine = lend<T>(link.producer(), runner.shape());
                   end.measure([&](auto first, auto count) { send(end, mine, size, first, count); },
                               false);
                 }},
                {"consumer", Side::consumer, [&](End& end) {
                   auto mine = lend<T>(link.consumer(), runner.shape());
                   end.measure(
                       [&](auto first, auto count) { receive(end, mine, size, first, count); },
                       true);
                 }}});
  }

  template <LossyChannel T>
  static void run(Runner& runner) {
    Lossy<T>::flood(runner);
  }

  template <LonelyChannel T>
  static void run(Runner& runner) {
    T link(runner.shape());
    const std::size_t size = runner.params().size;
    runner.run({{"producer", Side::producer, [&](End& end) {
                   auto mine = lend<T>(link.alone(), runner.shape());
                   end.measure(
                       [&](auto first, auto count) { send_oneself(end, mine, size, first, count); },
                       true);
                 }}});
  }

 private:
  // The loops make no stores but the messages' own. Processors keep stores in order, and one that
  // hits the cache between those of a message that miss it takes away much of their overlap: with
  // one more store for each message of 64 bytes, a flood through shared memory takes up to twice
  // as long. So a batch works on a local of its own and moves it back: what nothing else can reach
  // stays in registers. And progress is noted now and then.

  static void note(End& end, std::uint64_t message) {
    if (message % 64 == 0) end.at(message);
  }

  static void send(End& end, auto& link, std::size_t size, std::uint64_t first,
                   std::uint64_t count) {
    auto mine = std::move(link);
    for (std::uint64_t i = first; i != first + count; ++i) {
      note(end, i);
      write_payload(mine.reserve(size), i);
      mine.commit();
    }
    link = std::move(mine);
  }

  static void receive(End& end, auto& link, std::size_t size, std::uint64_t first,
                      std::uint64_t count) {
    auto mine = std::move(link);
    for (std::uint64_t i = first; i != first + count; ++i) {
      note(end, i);
      read_payload(mine.peek(size), i, size);
      mine.release();
    }
    link = std::move(mine);
  }

  static void send_oneself(End& end, auto& link, std::size_t size, std::uint64_t first,
                           std::uint64_t count) {
    auto mine = std::move(link);
    for (std::uint64_t i = first; i != first + count; ++i) {
      note(end, i);
      write_payload(mine.reserve(size), i);
      mine.commit();
      read_payload(mine.peek(size), i, size);
      mine.release();
    }
    link = std::move(mine);
  }
};

}  // namespace ipcbench
