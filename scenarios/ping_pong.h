// ping_pong: a message there and its answer back, one at a time: the round trip.
#pragma once

#include "harness/row.h"
#include "harness/run.h"
#include "scenarios/links.h"
#include "scenarios/payload.h"

namespace ipcbench {

struct PingPong {
  static constexpr ScenarioFacts facts{
      .name = "ping_pong",
      .summary = "round trip: a message there and its answer back, one at a time",
      .needs = "a channel",
      .sized = true};

  template <Channel T>
  static void run(Runner& runner) {
    TwoWayLink<T> link(runner.shape());
    runner.note_depth(link.channel());
    const std::size_t size = runner.params().size;
    runner.run({{"producer",
                 [&](End& end) {
                   auto mine = link.producer();
                   end.with_clock([&](auto clock) { ask(end, mine, size, clock); });
                 }},
                {"consumer", [&](End& end) {
                   auto mine = link.consumer();
                   answer(end, mine, size);
                 }}});
  }

  template <LonelyChannel T>
  static void run(Runner& runner) {
    T link(runner.shape());
    const std::size_t size = runner.params().size;
    runner.run({{"producer", [&](End& end) {
                   auto mine = lend<T>(link.alone(), runner.shape());
                   ask_oneself(end, mine, size);
                 }}});
  }

 private:
  static void send(auto& link, std::size_t size, std::uint64_t sequence) {
    write_payload(link.reserve(size), sequence);
    link.commit();
  }
  static void receive(auto& link, std::size_t size, std::uint64_t sequence) {
    read_payload(link.peek(size), sequence, size);
    link.release();
  }

  /// A round trip is timed from the end of one send to the end of the next, so that the clock is
  /// read while the message is under way and not between its arrival and the next one.
  static void ask(End& end, auto& link, std::size_t size, auto clock) {
    Histogram& histogram = end.histogram();
    end.measure(
        [&](std::uint64_t first, std::uint64_t count) {
          const std::uint64_t last = first + count - 1;
          end.at(first);
          send(link, size, first);
          std::uint64_t sent = clock.now();
          for (std::uint64_t i = first; i != last; ++i) {
            receive(link, size, i);
            end.at(i + 1);
            send(link, size, i + 1);
            const std::uint64_t now = clock.now();
            histogram.record(clock.elapsed_ns(sent, now));
            sent = now;
          }
          receive(link, size, last);
          histogram.record(clock.elapsed_ns(sent, clock.now()));
        },
        true);
  }

  static void answer(End& end, auto& link, std::size_t size) {
    end.measure(
        [&](std::uint64_t first, std::uint64_t count) {
          for (std::uint64_t i = first; i != first + count; ++i) {
            end.at(i);
            receive(link, size, i);
            send(link, size, i);
          }
        },
        false);
  }

  /// The roofline is fast enough for a clock read to count, so only sub-batches are timed.
  static void ask_oneself(End& end, auto& link, std::size_t size) {
    end.measure(
        [&](std::uint64_t first, std::uint64_t count) {
          for (std::uint64_t i = first; i != first + count; ++i) {
            end.at(i);
            for (int way = 0; way < 2; ++way) {
              send(link, size, i);
              receive(link, size, i);
            }
          }
        },
        true);
  }
};

}  // namespace ipcbench
