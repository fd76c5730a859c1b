// handoff: control there and back between two processes, one signal each way.
#pragma once

#include <stdexcept>

#include "harness/row.h"
#include "harness/run.h"

namespace ipcbench {

struct Handoff {
  static constexpr ScenarioFacts facts{
      .name = "handoff",
      .summary = "control there and back: each side wakes the other in turn",
      .needs = "a signal",
      .sized = false,
      .latency = "round_trip",
      .messages_per_count = 2};

  template <Signal T>
  static void run(Runner& runner) {
    T there(runner.shape());
    T back(runner.shape());
    runner.run({{"producer", Side::producer,
                 [&](End& end) {
                   auto out = there.producer();
                   auto in = back.consumer();
                   end.with_clock([&](auto clock) { ask(end, out, in, clock); });
                 }},
                {"consumer", Side::consumer, [&](End& end) {
                   auto in = there.consumer();
                   auto out = back.producer();
                   answer(end, in, out);
                 }}});
  }

  template <LonelySignal T>
  static void run(Runner& runner) {
    T link(runner.shape());
    runner.run({{"producer", Side::producer, [&](End& end) {
                   auto mine = link.alone();
                   ask_oneself(end, mine);
                 }}});
  }

 private:
  /// Messages are counted from 1: each side stores its number before it notifies, so that a wait
  /// which returns without its notify is found out.
  static void check_arrival(const End& end, std::uint64_t number) {
    if (end.other_at() < number) [[unlikely]]
      throw std::runtime_error("wait returned before the other side had notified");
  }

  /// Timed from notify to notify, so that the clock is read while control is under way.
  static void ask(End& end, auto& out, auto& in, auto clock) {
    Histogram& histogram = end.histogram();
    end.measure(
        [&](std::uint64_t first, std::uint64_t count) {
          const std::uint64_t last = first + count;
          end.at(first + 1);
          out.notify();
          std::uint64_t notified = clock.now();
          for (std::uint64_t number = first + 1; number != last; ++number) {
            in.wait();
            check_arrival(end, number);
            end.at(number + 1);
            out.notify();
            const std::uint64_t now = clock.now();
            histogram.record(clock.elapsed_ns(notified, now));
            notified = now;
          }
          in.wait();
          check_arrival(end, last);
          histogram.record(clock.elapsed_ns(notified, clock.now()));
        },
        true);
  }

  static void answer(End& end, auto& in, auto& out) {
    end.measure(
        [&](std::uint64_t first, std::uint64_t count) {
          for (std::uint64_t number = first + 1; number <= first + count; ++number) {
            in.wait();
            check_arrival(end, number);
            end.at(number);
            out.notify();
          }
        },
        false);
  }

  /// The roofline is fast enough for a clock read to count, so only sub-batches are timed.
  static void ask_oneself(End& end, auto& link) {
    end.measure(
        [&](std::uint64_t first, std::uint64_t count) {
          for (std::uint64_t number = first + 1; number <= first + count; ++number) {
            end.at(number);
            link.notify();
            link.wait();
          }
        },
        true);
  }
};

}  // namespace ipcbench
