// one_way: how long a message is under way, from the clock of one process to that of another.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "harness/row.h"
#include "harness/run.h"
#include "scenarios/links.h"
#include "scenarios/payload.h"

namespace ipcbench {

struct OneWayLatency {
  static constexpr ScenarioFacts facts{
      .name = "one_way",
      .summary =
          "latency of one message: from before its send to after its receipt, there and back",
      .needs = "a channel that queues",
      .sized = true,
      .axes = {"touch"},
      .latency = "one_way",
      .second_latency = "way_back",
      .messages_per_count = 2};

  template <Queue T>
  static void run(Runner& runner) {
    TwoWayLink<T> link(runner.shape());
    runner.note_depth(link.channel());
    const Amount amount(runner.params());
    Readings& readings = runner.scratch<Readings>();
    runner.run({{"producer", Side::producer,
                 [&](End& end) {
                   auto mine = link.producer();
                   end.with_clock([&](auto clock) {
                     end.measure(
                         [&](auto first, auto count) {
                           ask(end, mine, amount, clock, readings, first, count);
                         },
                         true);
                   });
                 }},
                {"consumer", Side::consumer, [&](End& end) {
                   auto mine = link.consumer();
                   end.with_clock([&](auto clock) {
                     end.measure(
                         [&](auto first, auto count) {
                           answer(end, mine, amount, clock, readings, first, count);
                         },
                         false);
                   });
                 }}});
  }

 private:
  /// Messages go there and back in turn, as in ping_pong, and each end writes the clock down for
  /// itself. With the last of so many messages the consumer hands over its readings, and the
  /// producer works out what they all took.
  static constexpr std::uint64_t chunk = 512;
  struct Readings {
    std::uint64_t turned[chunk];  ///< after receipt, before the answer; in the producer's order
  };

  static void ask(End& end, auto& link, Amount amount, auto clock, Readings& readings,
                  std::uint64_t first, std::uint64_t count) {
    auto mine = std::move(link);
    std::array<std::uint64_t, chunk> sent;
    std::array<std::uint64_t, chunk> back;
    const std::uint64_t last = first + count;
    for (std::uint64_t i = first; i != last;) {
      const std::uint64_t chunk_first = i;
      for (const std::uint64_t stop = std::min(i + chunk, last); i != stop; ++i) {
        end.at(i);
        sent[i - chunk_first] = clock.now();
        write_payload(mine.reserve(amount.size), i, amount);
        mine.commit();
        read_payload(mine.peek(amount.size), i, amount);
        mine.release();
        back[i - chunk_first] = clock.now();
      }
      for (std::uint64_t j = 0; j != i - chunk_first; ++j) {
        const std::uint64_t turned = readings.turned[j];
        end.histogram().record(elapsed_ns(clock, sent[j], turned));
        end.second_histogram().record(elapsed_ns(clock, turned, back[j]));
      }
    }
    link = std::move(mine);
  }

  static void answer(End& end, auto& link, Amount amount, auto clock, Readings& readings,
                     std::uint64_t first, std::uint64_t count) {
    auto mine = std::move(link);
    std::array<std::uint64_t, chunk>
        turned;  // a store to a line that the other end has read is slow
    const std::uint64_t last = first + count;
    for (std::uint64_t i = first; i != last; ++i) {
      end.at(i);
      read_payload(mine.peek(amount.size), i, amount);
      mine.release();
      const std::uint64_t at = (i - first) % chunk;
      turned[at] = clock.now();
      if (at + 1 == chunk || i + 1 == last)
        std::copy_n(turned.begin(), at + 1, std::begin(readings.turned));
      write_payload(mine.reserve(amount.size), i, amount);
      mine.commit();
    }
    link = std::move(mine);
  }

  /// 0 where the other core's clock is so far behind that a message arrives before it was sent.
  static std::uint64_t elapsed_ns(auto clock, std::uint64_t from, std::uint64_t to) {
    return to < from ? 0 : clock.elapsed_ns(from, to);
  }
};

}  // namespace ipcbench
