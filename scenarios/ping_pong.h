// ping_pong: a message there and its answer back, one at a time: the round trip.
#pragma once

#include <utility>

#include "harness/row.h"
#include "harness/run.h"
#include "scenarios/erase.h"
#include "scenarios/links.h"
#include "scenarios/lossy.h"
#include "scenarios/mixed.h"
#include "scenarios/payload.h"

namespace ipcbench {

struct PingPong {
  static constexpr ScenarioFacts facts{
      .name = "ping_pong",
      .summary = "round trip: a message there and its answer back, one at a time",
      .needs = "a channel or calls",
      .sized = true,
      .kernel_consumes = true,
      .mixes_sizes = true,
      .axes = {"touch"},
      .latency = "round_trip",
      .messages_per_count = 2};

  template <Channel T>
  static void run(Runner& runner) {
    if constexpr (KernelPeered<T>)
      if (runner.params().manner.peer != Peer::process) return with_kernel<T>(runner);
    if (runner.params().mixed_count != 0) return mixed::ping_pong(runner, link_maker<T>());
    TwoWayLink<T> link(runner.shape());
    runner.note_depth(link.channel());
    const Amount amount(runner.params());
    runner.run(
        {{"producer", Side::producer,
          [&](End& end) {
            auto mine = link.producer();
            end.with_clock([&](auto clock) {
              end.measure(
                  [&](auto first, auto count) { ask(end, mine, amount, clock, first, count); },
                  true);
            });
          }},
         {"consumer", Side::consumer, [&](End& end) {
            auto mine = link.consumer();
            end.measure([&](auto first, auto count) { answer(end, mine, amount, first, count); },
                        false);
          }}});
  }

  /// The request goes there and the reply comes back.
  template <Rpc T>
  static void run(Runner& runner) {
    T link(runner.shape());
    const Amount amount(runner.params());
    runner.run(
        {{"producer", Side::producer,
          [&](End& end) {
            auto mine = link.producer();
            end.with_clock([&](auto clock) {
              end.measure(
                  [&](auto first, auto count) { call(end, mine, amount, clock, first, count); },
                  true);
            });
          }},
         {"consumer", Side::consumer, [&](End& end) {
            auto mine = link.consumer();
            end.measure([&](auto first, auto count) { serve(end, mine, amount, first, count); },
                        false);
          }}});
  }

  template <LossyChannel T>
  static void run(Runner& runner) {
    Lossy<T>::ping_pong(runner);
  }

  template <KernelServed T>
  static void run(Runner& runner) {
    with_kernel<T>(runner);
  }

  template <LonelyChannel T>
  static void run(Runner& runner) {
    T link(runner.shape());
    const Amount amount(runner.params());
    runner.run({{"producer", Side::producer, [&](End& end) {
                   auto mine = lend<T>(link.alone(), runner.shape());
                   end.measure([&](auto first,
                                   auto count) { ask_oneself(end, mine, amount, first, count); },
                               true);
                 }}});
  }

 private:
  /// The kernel answers.
  template <KernelPeered T>
  static void with_kernel(Runner& runner) {
    T link(runner.shape());
    const Amount amount(runner.params());
    runner.run({{"producer", Side::producer, [&](End& end) {
                   auto mine = lend<T>(link.kernel(KernelPart::echo), runner.shape());
                   end.with_clock([&](auto clock) {
                     end.measure(
                         [&](auto first, auto count) {
                           if constexpr (Caller<KernelEndOf<T>>)
                             call(end, mine, amount, clock, first, count);
                           else
                             ask(end, mine, amount, clock, first, count);
                         },
                         true);
                   });
                 }}});
  }

  [[gnu::always_inline]] static void send(auto& link, Amount amount, std::uint64_t sequence) {
    write_payload(link.reserve(amount.size), sequence, amount);
    link.commit();
  }
  [[gnu::always_inline]] static void receive(auto& link, Amount amount, std::uint64_t sequence) {
    read_payload(link.peek(amount.size), sequence, amount);
    link.release();
  }

  // A batch works on a local of its own and moves it back: what nothing else can reach stays in
  // registers, where the bytes of a message can't alias it.

  /// A round trip is timed from the end of one send to the end of the next, so that the clock is
  /// read while the message is under way and not between its arrival and the next one.
  static void ask(End& end, auto& link, Amount amount, auto clock, std::uint64_t first,
                  std::uint64_t count) {
    Histogram& histogram = end.histogram();
    auto mine = std::move(link);
    const std::uint64_t last = first + count - 1;
    end.at(first);
    send(mine, amount, first);
    std::uint64_t sent = clock.now();
    for (std::uint64_t i = first; i != last; ++i) {
      receive(mine, amount, i);
      end.at(i + 1);
      send(mine, amount, i + 1);
      const std::uint64_t now = clock.now();
      histogram.record(clock.elapsed_ns(sent, now));
      sent = now;
    }
    receive(mine, amount, last);
    histogram.record(clock.elapsed_ns(sent, clock.now()));
    link = std::move(mine);
  }

  static void answer(End& end, auto& link, Amount amount, std::uint64_t first,
                     std::uint64_t count) {
    auto mine = std::move(link);
    for (std::uint64_t i = first; i != first + count; ++i) {
      end.at(i);
      receive(mine, amount, i);
      send(mine, amount, i);
    }
    link = std::move(mine);
  }

  /// A call returns with its reply, so the clock is read between two calls: once for each. From one
  /// reading to the next a request is written, and a reply is checked.
  static void call(End& end, auto& link, Amount amount, auto clock, std::uint64_t first,
                   std::uint64_t count) {
    const std::size_t size = amount.size;
    const AlignedBuffer request(size);
    const AlignedBuffer reply(size);
    Histogram& histogram = end.histogram();
    std::uint64_t called = clock.now();
    for (std::uint64_t i = first; i != first + count; ++i) {
      end.at(i);
      write_payload({request.data(), size}, i, amount);
      read_payload({reply.data(), link.call({request.data(), size}, {reply.data(), size})}, i,
                   amount);
      const std::uint64_t now = clock.now();
      histogram.record(clock.elapsed_ns(called, now));
      called = now;
    }
  }

  static void serve(End& end, auto& link, Amount amount, std::uint64_t first, std::uint64_t count) {
    link.serve(count, [&end, amount, i = first](View request, Bytes reply) mutable {
      end.at(i);
      read_payload(request, i, amount);
      write_payload(reply.first(amount.size), i, amount);
      ++i;
      return amount.size;
    });
  }

  /// The roofline is fast enough for a clock read to count, so only sub-batches are timed.
  static void ask_oneself(End& end, auto& link, Amount amount, std::uint64_t first,
                          std::uint64_t count) {
    auto mine = std::move(link);
    for (std::uint64_t i = first; i != first + count; ++i) {
      end.at(i);
      for (int way = 0; way < 2; ++way) {
        send(mine, amount, i);
        receive(mine, amount, i);
      }
    }
    link = std::move(mine);
  }
};

}  // namespace ipcbench
