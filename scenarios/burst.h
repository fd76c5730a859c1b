// burst: a window of messages one way, then an acknowledgement.
#pragma once

#include <utility>

#include "harness/row.h"
#include "harness/run.h"
#include "scenarios/links.h"
#include "scenarios/payload.h"

namespace ipcbench {

struct Burst {
  static constexpr ScenarioFacts facts{
      .name = "burst",
      .summary = "throughput in windows: some messages, then an acknowledgement",
      .needs = "a channel that queues",
      .sized = true,
      .axes = {"window", "touch"},
      .rate = "messages"};

  template <Queue T>
  static void run(Runner& runner) {
    TwoWayLink<T> link(runner.shape());
    runner.note_depth(link.channel());
    const Amount amount(runner.params());
    const auto window = static_cast<std::uint64_t>(runner.params().load.window);
    runner.run(
        {{"producer", Side::producer,
          [&](End& end) {
            auto mine = link.producer();
            end.measure(
                [&](auto first, auto count) { send(end, mine, amount, window, first, count); },
                true);
          }},
         {"consumer", Side::consumer, [&](End& end) {
            auto mine = link.consumer();
            end.measure(
                [&](auto first, auto count) { receive(end, mine, amount, window, first, count); },
                false);
          }}});
  }

 private:
  // An acknowledgement is one word, or a message where those are shorter. The last window of a
  // batch may be a smaller one: every batch ends acknowledged.

  static std::size_t ack_size(const Amount& amount) {
    return std::min(amount.size, sizeof(std::uint64_t));
  }

  static void send(End& end, auto& link, Amount amount, std::uint64_t window, std::uint64_t first,
                   std::uint64_t count) {
    auto mine = std::move(link);
    const std::uint64_t last = first + count;
    for (std::uint64_t i = first; i != last;) {
      end.at(i);
      for (const std::uint64_t stop = std::min(i + window, last); i != stop; ++i) {
        write_payload(mine.reserve(amount.size), i, amount);
        mine.commit();
      }
      read_payload(mine.peek(ack_size(amount)), i, ack_size(amount));
      mine.release();
    }
    link = std::move(mine);
  }

  static void receive(End& end, auto& link, Amount amount, std::uint64_t window,
                      std::uint64_t first, std::uint64_t count) {
    auto mine = std::move(link);
    const std::uint64_t last = first + count;
    for (std::uint64_t i = first; i != last;) {
      end.at(i);
      for (const std::uint64_t stop = std::min(i + window, last); i != stop; ++i) {
        read_payload(mine.peek(amount.size), i, amount);
        mine.release();
      }
      write_payload(mine.reserve(ack_size(amount)), i);
      mine.commit();
    }
    link = std::move(mine);
  }
};

}  // namespace ipcbench
