// mailbox.h: a flood through one object that several producers and consumers share.
//
// Every message goes to one of the consumers. Each consumer takes tickets from a common counter and
// receives as many messages as it has tickets, so that they get all messages between them and none
// waits for one that never comes. That counter is the scenario's, not the transport's: a ticket is
// for a few messages, so that it costs each of them little.
#pragma once

#include <array>
#include <atomic>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/run.h"
#include "scenarios/links.h"
#include "scenarios/payload.h"

namespace ipcbench {

template <Channel T>
class Mailbox {
 public:
  static void run(Runner& runner, int producers, int consumers) {
    const Shape shape = runner.shape(producers, consumers);
    T link(shape);
    runner.note_depth(link);
    auto& tally = runner.scratch<Tally>();
    const Amount amount(runner.params());
    std::vector<EndPlan> ends;
    for (int i = 0; i < producers; ++i)
      ends.push_back({fmt::format("producer_{}", i + 1), Side::producer, [&, i](End& end) {
                        auto mine = lend<T>(link.producer(), shape);
                        produce(end, mine, amount, i, producers);
                      }});
    for (int i = 0; i < consumers; ++i)
      ends.push_back({fmt::format("consumer_{}", i + 1), Side::consumer, [&, i](End& end) {
                        auto mine = lend<T>(link.consumer(), shape);
                        consume(end, mine, amount, tally, i == 0, producers, consumers);
                      }});
    runner.run(ends);
  }

 private:
  static constexpr std::uint64_t ticket = 8;  ///< messages

  struct Tally {
    alignas(64) std::atomic<std::uint64_t> taken;  ///< messages that consumers have tickets for
    alignas(64) std::atomic<std::uint64_t> received;
    std::atomic<std::uint64_t> sum;  ///< of the numbers of all messages received
    std::atomic<std::uint64_t> sum_of_squares;
  };

  /// Message i is the producer's whose turn it is: i modulo their number.
  static void produce(End& end, auto& link, Amount amount, int who, int producers) {
    const auto step = static_cast<std::uint64_t>(producers);
    std::uint64_t sent = 0;
    std::uint64_t sent_before = 0;
    end.measure(
        [&](std::uint64_t first, std::uint64_t count) {
          const std::uint64_t turn = static_cast<std::uint64_t>(who) + step - first % step;
          for (std::uint64_t i = first + turn % step; i < first + count; i += step, ++sent) {
            end.at(i);
            write_payload(link.reserve(amount.size), i, amount);
            link.commit();
          }
          if (!end.is_measuring()) sent_before = sent;
        },
        false);
    end.set_count(sent - sent_before);
    end.meet();
  }

  static void consume(End& end, auto& link, Amount amount, Tally& tally, bool is_first,
                      int producers, int consumers) {
    std::uint64_t own = 0;
    std::uint64_t own_before = 0;
    std::uint64_t sum = 0;
    std::uint64_t sum_of_squares = 0;
    std::uint64_t all = 0;
    std::array<std::uint64_t, 64> expected{};  // of each producer: its messages keep their order
    end.measure(
        [&](std::uint64_t first, std::uint64_t count) {
          all = first + count;
          while (const std::uint64_t mine = take(tally, all))
            for (std::uint64_t i = 0; i != mine; ++i) {
              end.at(own++);
              const std::uint64_t number = receive(link, amount);
              std::uint64_t& least = expected[number % static_cast<std::uint64_t>(producers)];
              if (number < least) [[unlikely]]
                throw std::runtime_error(fmt::format("message {} arrived out of order", number));
              least = number + 1;
              sum += number;
              sum_of_squares += number * number;
            }
          if (!end.is_measuring()) own_before = own;
        },
        consumers == 1);
    end.set_count(own - own_before);
    tally.received += own;
    tally.sum += sum;
    tally.sum_of_squares += sum_of_squares;
    end.meet();
    if (is_first) check(tally, all);
  }

  /// How many messages to receive next: up to a ticket's worth; 0 when all have been given away.
  static std::uint64_t take(Tally& tally, std::uint64_t all) {
    std::uint64_t taken = tally.taken.load(std::memory_order_relaxed);
    while (taken < all) {
      const std::uint64_t mine = std::min(ticket, all - taken);
      if (tally.taken.compare_exchange_weak(taken, taken + mine, std::memory_order_relaxed))
        return mine;
    }
    return 0;
  }

  /// Returns the message's number, which every word of it must hold.
  static std::uint64_t receive(auto& link, const Amount& amount) {
    const View message = link.peek(amount.size);
    std::uint64_t word = 0;
    if (message.size() >= sizeof word) std::memcpy(&word, message.data(), sizeof word);
    const std::uint64_t number = payload_sequence(word);
    read_payload(message, number, amount);
    link.release();
    return number;
  }

  /// Every message from 0 on has arrived once: their count, their sum and the sum of their squares
  /// are those of the numbers below `all` (modulo 2^64).
  static void check(const Tally& tally, std::uint64_t all) {
    std::uint64_t sum = 0;
    std::uint64_t sum_of_squares = 0;
    for (std::uint64_t i = 0; i != all; ++i) {
      sum += i;
      sum_of_squares += i * i;
    }
    if (tally.received != all || tally.sum != sum || tally.sum_of_squares != sum_of_squares)
      throw std::runtime_error(
          fmt::format("{} messages were sent, {} arrived, and they aren't the same ones", all,
                      tally.received.load()));
  }
};

}  // namespace ipcbench
