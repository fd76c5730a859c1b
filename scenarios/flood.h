// flood: messages one way, as fast as the channel takes them: throughput and bandwidth.
#pragma once

#include <utility>

#include "harness/row.h"
#include "harness/run.h"
#include "scenarios/erase.h"
#include "scenarios/links.h"
#include "scenarios/lossy.h"
#include "scenarios/mailbox.h"
#include "scenarios/mixed.h"
#include "scenarios/payload.h"

namespace ipcbench {

struct Flood {
  static constexpr ScenarioFacts facts{
      .name = "flood",
      .summary = "throughput: messages one way, as fast as the channel takes them",
      .needs = "a channel that queues",
      .sized = true,
      .shareable = true,
      .kernel_consumes = true,
      .kernel_produces = true,
      .mixes_sizes = true,
      .axes = {"touch"},
      .rate = "messages",
      .rivals = "consumer"};

  template <Queue T>
  static void run(Runner& runner) {
    if (runner.params().mixed_count != 0) return mixed::flood(runner, link_maker<T>());
    if constexpr (T::facts.peers != Peers::one_to_one)
      if (const Manner& manner = runner.params().manner; manner.is_mailbox())
        return Mailbox<T>::run(runner, manner.producers, manner.consumers);
    if constexpr (KernelPeered<T>)
      if (runner.params().manner.peer != Peer::process) return with_kernel<T>(runner);
    T link(runner.shape());
    runner.note_depth(link);
    runner.run({{"producer", Side::producer, producer(runner, link)},
                {"consumer", Side::consumer, consumer(runner, link)}});
  }

  template <LossyChannel T>
  static void run(Runner& runner) {
    Lossy<T>::flood(runner);
  }

  template <LonelyChannel T>
  static void run(Runner& runner) {
    T link(runner.shape());
    const Amount amount(runner.params());
    runner.run({{"producer", Side::producer, [&](End& end) {
                   auto mine = lend<T>(link.alone(), runner.shape());
                   end.measure([&](auto first,
                                   auto count) { send_oneself(end, mine, amount, first, count); },
                               true);
                 }}});
  }

  /// What the two ends of a link do.
  template <Queue T>
  static auto producer(Runner& runner, T& link) {
    return [&runner, &link](End& end) {
      auto mine = lend<T>(link.producer(), runner.shape());
      const Amount amount(runner.params());
      end.measure([&](auto first, auto count) { send(end, mine, amount, first, count); }, false);
    };
  }
  template <Queue T>
  static auto consumer(Runner& runner, T& link) {
    return [&runner, &link](End& end) {
      auto mine = lend<T>(link.consumer(), runner.shape());
      const Amount amount(runner.params());
      end.measure([&](auto first, auto count) { receive(end, mine, amount, first, count); }, true);
    };
  }

 private:
  /// The kernel reads all messages, or makes them.
  template <KernelPeered T>
  static void with_kernel(Runner& runner) {
    T link(runner.shape());
    const Amount amount(runner.params());
    const bool sends = runner.params().manner.peer == Peer::kernel;
    const auto produce = [&](End& end) {
      auto mine = lend<T>(link.kernel(KernelPart::sink), runner.shape());
      std::uint64_t all = 0;
      end.measure(
          [&](std::uint64_t first, std::uint64_t count) {
            send(end, mine, amount, first, count);
            all = first + count;
          },
          true);
      check_sink(link.sunk(), all, amount.size);
    };
    const auto consume = [&](End& end) {
      auto mine = lend<T>(link.kernel(KernelPart::source), runner.shape());
      end.measure([&](auto first, auto count) { receive(end, mine, amount, first, count); }, true);
    };
    if (sends)
      runner.run({{"producer", Side::producer, produce}});
    else
      runner.run({{"consumer", Side::consumer, consume}});
  }

  /// The kernel's count and sum are those of all messages from 0 on.
  static void check_sink(const Sunk& sunk, std::uint64_t all, std::size_t size) {
    const std::size_t tail = size % 8;
    const std::uint64_t words = size / 8;
    const std::uint64_t tail_mask = (std::uint64_t{1} << (8 * tail)) - 1;
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i != all; ++i)
      sum += words * payload_word(i) + (payload_word(i) & tail_mask);
    if (sunk.messages != all || sunk.bytes != all * size || sunk.sum != sum)
      throw std::runtime_error(fmt::format(
          "{} messages were sent, the kernel has read {}, and they aren't the same ones", all,
          sunk.messages));
  }

  // The loops make no stores but the messages' own. Processors keep stores in order, and one that
  // hits the cache between those of a message that miss it takes away much of their overlap: with
  // one more store for each message of 64 bytes, a flood through shared memory takes up to twice
  // as long. So a batch works on a local of its own and moves it back: what nothing else can reach
  // stays in registers. And progress is noted now and then.

  static void note(End& end, std::uint64_t message) {
    if (message % 64 == 0) end.at(message);
  }

  static void send(End& end, auto& link, Amount amount, std::uint64_t first, std::uint64_t count) {
    auto mine = std::move(link);
    for (std::uint64_t i = first; i != first + count; ++i) {
      note(end, i);
      write_payload(mine.reserve(amount.size), i, amount);
      mine.commit();
    }
    link = std::move(mine);
  }

  static void receive(End& end, auto& link, Amount amount, std::uint64_t first,
                      std::uint64_t count) {
    auto mine = std::move(link);
    for (std::uint64_t i = first; i != first + count; ++i) {
      note(end, i);
      read_payload(mine.peek(amount.size), i, amount);
      mine.release();
    }
    link = std::move(mine);
  }

  static void send_oneself(End& end, auto& link, Amount amount, std::uint64_t first,
                           std::uint64_t count) {
    auto mine = std::move(link);
    for (std::uint64_t i = first; i != first + count; ++i) {
      note(end, i);
      write_payload(mine.reserve(amount.size), i, amount);
      mine.commit();
      read_payload(mine.peek(amount.size), i, amount);
      mine.release();
    }
    link = std::move(mine);
  }
};

}  // namespace ipcbench
