// lossy.h: ping_pong, flood and verify over a channel that may lose messages, change their order or
// deliver them twice. All three is counted, and nothing waits for ever.
//
// Messages carry their numbers (payload.h, and verify's pattern): what arrives says itself which
// one it is. Nothing travels over the link but the messages. What a program would send back to pace
// its sender, the ends tell each other here in the run's shared memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "harness/run.h"
#include "scenarios/arrivals.h"
#include "scenarios/links.h"
#include "scenarios/payload.h"

namespace ipcbench {

/// A channel whose messages may get lost.
template <LossyChannel T>
struct Lossy {
  static_assert(ImpatientReceiver<ConsumerOf<T>>, "a lossy channel's ends must have recv_within");

  static void flood(Runner& runner) {
    T link(runner.shape());
    runner.note_depth(link);
    Progress& progress = runner.scratch<Progress>();
    const std::uint64_t window = window_of(link, runner.params().size);
    runner.run({{"producer", Side::producer,
                 [&](End& end) {
                   auto mine = lend<T>(link.producer(), runner.shape());
                   end.measure(
                       [&](auto first, auto count) {
                         send(end, mine, progress, window, first, first + count);
                       },
                       false);
                   end.meet();
                 }},
                {"consumer", Side::consumer, [&](End& end) {
                   auto mine = lend<T>(link.consumer(), runner.shape());
                   Arrivals arrivals;
                   end.measure(
                       [&](auto first, auto count) {
                         receive(end, mine, progress, window, arrivals, first, first + count);
                       },
                       true);
                   end.set_count(arrivals.arrived());
                   end.meet();
                 }}});
  }

  static void ping_pong(Runner& runner) requires DuplexChannel<T> {
    T link(runner.shape());
    runner.note_depth(link);
    Progress& news = runner.scratch<Progress>();
    runner.run({{"producer", Side::producer,
                 [&](End& end) {
                   auto mine = lend<T>(link.producer(), runner.shape());
                   Losses losses;
                   end.with_clock([&](auto clock) {
                     end.measure(
                         [&](auto first, auto count) {
                           ask(end, mine, news, clock, losses, first, first + count);
                         },
                         true);
                   });
                   end.meet();
                 }},
                {"consumer", Side::consumer, [&](End& end) {
                   auto mine = lend<T>(link.consumer(), runner.shape());
                   Answered state;
                   end.measure([&](auto first,
                                   auto count) { answer(end, mine, news, state, first + count); },
                               false);
                   end.meet();
                 }}});
  }

  /// With the sizes and patterns of `Rules`, which is Verify.
  template <class Rules>
  static void verify(Runner& runner) {
    T link(runner.shape());
    Progress& progress = runner.scratch<Progress>();
    const std::size_t size = runner.params().size;
    const std::uint64_t window = window_of(link, 1);
    runner.run({{"producer", Side::producer,
                 [&](End& end) {
                   auto mine = lend<T>(link.producer(), runner.shape());
                   end.once([&] { return send_all<Rules>(end, mine, progress, window, size); });
                   end.meet();
                 }},
                {"consumer", Side::consumer, [&](End& end) {
                   auto mine = lend<T>(link.consumer(), runner.shape());
                   end.once([&] { return receive_all<Rules>(end, mine, progress, window, size); });
                   end.meet();
                 }}});
  }

 private:
  // Ends meet before they leave, so that none of them sends to a socket that is gone already.

  /// A datagram on this machine is there when its send returns, unless the kernel is very busy.
  static constexpr std::int64_t silence_ns = 10'000'000;
  static constexpr std::int64_t round_trip_max_ns = 100'000'000;

  /// How many messages may be under way: what the link holds, and what one byte tells apart.
  static std::uint64_t window_of(const T& link, std::size_t size) {
    const std::uint64_t most = size == 1 ? 100 : Arrivals::memory / 2;
    if constexpr (requires { link.depth(); })
      return std::clamp<std::uint64_t>(link.depth(), 1, most);
    else
      return 1;
  }

  /// Which message of a flood or a ping_pong this is: every byte of it is checked.
  static std::uint64_t read(View message, std::size_t size, std::uint64_t expected) {
    const std::uint64_t number =
        nearest_number(payload_sequence(first_word(message)), message.size(), expected);
    read_payload(message, number, size);
    return number;
  }

  [[noreturn, gnu::cold, gnu::noinline]] static void fail_unsent(std::uint64_t number,
                                                                 std::uint64_t sent) {
    throw std::runtime_error(fmt::format(
        "a message arrived that says it is number {}; number {} was the last one", number, sent));
  }

  /// What the asking end tells the other one: which message it is at, and how often it has asked
  /// anew in this batch.
  static std::uint64_t news_of(std::uint64_t number, std::uint64_t repeats) {
    return number << 20 | std::min<std::uint64_t>(repeats, (1 << 20) - 1);
  }
  /// How far the answering end is.
  struct Answered {
    std::uint64_t next = 0;
    bool is_early = false;  ///< number `next` has been read already, and not answered
  };

  static void put(auto& link, std::size_t size, std::uint64_t number) {
    write_payload(link.reserve(size), number);
    link.commit();
  }

  static void send(End& end, auto& link, Progress& progress, std::uint64_t window,
                   std::uint64_t first, std::uint64_t last) {
    const std::size_t size = end.params().size;
    std::uint64_t limit = progress.now() + window;
    for (std::uint64_t i = first; i != last; ++i) {
      end.at(i);  // all before it are sent
      if (i >= limit) [[unlikely]]
        limit = progress.await(i + 1 - window) + window;
      put(link, size, i);
    }
    end.at(last);
  }

  /// Until every message has arrived or is lost: what had been sent when a silence began, and
  /// hasn't come during it, doesn't come any more.
  static void receive(End& end, auto& link, Progress& progress, std::uint64_t window,
                      Arrivals& arrivals, std::uint64_t first, std::uint64_t last) {
    const std::size_t size = end.params().size;
    const std::uint64_t step = std::max<std::uint64_t>(1, window / 4);
    std::uint64_t told = first;
    std::uint64_t sent = first;
    while (arrivals.next() < last) {
      const View message = link.peek_within(silence_ns);
      if (message.empty()) [[unlikely]] {
        arrivals.give_up(sent);
        sent = end.other_at();
      } else {
        const std::uint64_t number = read(message, size, arrivals.next());
        if (number > arrivals.next() && number > end.other_at()) [[unlikely]]
          fail_unsent(number, end.other_at());
        arrivals.add(number);
        link.release();
      }
      if (arrivals.next() < told + step) continue;
      told = arrivals.next();
      end.at(told);
      progress.advance(told);
    }
    progress.advance(arrivals.next());
    if (end.is_measuring())
      end.set_losses(arrivals.losses());
    else
      arrivals.restart();
  }

  /// A round trip is timed as in ping_pong.h. One that doesn't come back in time is lost and made
  /// anew with the same number; if its answer comes after all, that is a duplicate.
  static void ask(End& end, auto& link, Progress& news, auto clock, Losses& losses,
                  std::uint64_t first, std::uint64_t last) {
    Histogram& histogram = end.histogram();
    const std::size_t size = end.params().size;
    std::uint64_t repeats = 0;
    if (!end.is_measuring()) losses = {};
    end.at(first);
    put(link, size, first);
    std::uint64_t sent = clock.now();
    for (std::uint64_t i = first; i != last;) {
      const View message = link.peek_within(round_trip_max_ns);
      if (message.empty()) [[unlikely]] {
        ++losses.lost;
        put(link, size, i);
        news.advance(news_of(i, ++repeats));
        sent = clock.now();
        continue;
      }
      const std::uint64_t number = read(message, size, i);
      link.release();
      if (number != i) [[unlikely]] {
        if (number > i) fail_unsent(number, i);
        ++losses.duplicates;
        continue;
      }
      if (++i != last) {
        end.at(i);
        put(link, size, i);
      }
      const std::uint64_t now = clock.now();
      histogram.record(clock.elapsed_ns(sent, now));
      sent = now;
    }
    end.at(last);
    news.advance(news_of(last, 0));
    if (end.is_measuring()) end.set_losses(losses);
  }

  /// Answers whatever comes, also once more. The last answer of a batch may be lost as well: then
  /// the news is that it was asked for again, and not that the producer goes on.
  static void answer(End& end, auto& link, Progress& news, Answered& state, std::uint64_t last) {
    const std::size_t size = end.params().size;
    std::uint64_t heard = news_of(last - 1, 0);
    while (true) {
      if (state.next == last && !state.is_early) {
        heard = news.await(heard + 1);
        if (heard >= news_of(last, 0)) return;
      }
      std::uint64_t number = state.next;
      if (!std::exchange(state.is_early, false)) {
        const View message = link.peek_within(silence_ns);
        if (message.empty()) continue;
        number = read(message, size, state.next);
        link.release();
        if (number > state.next) fail_unsent(number, state.next);
      }
      state.is_early = number == last;  // the producer goes on
      if (state.is_early) return;
      put(link, size, number);
      state.next = std::max(state.next, number + 1);
      end.at(state.next);
    }
  }

  /// The stages of Verify, with as many messages under way as the channel is said to hold.
  template <class Rules>
  static std::uint64_t send_all(End& end, auto& link, Progress& progress, std::uint64_t window,
                                std::size_t size_max) {
    const std::uint64_t each = Rules::messages(size_max);
    const std::uint64_t all = 2 * each + Rules::lockstep_messages;
    for (std::uint64_t i = 0; i != all; ++i) {
      end.at(i);
      if (i >= window) progress.await(i + 1 - window);
      if (i >= 2 * each) progress.await(i);
      Rules::send(link, i, Rules::size_of(i, size_max));
    }
    end.at(all);
    return all;
  }

  template <class Rules>
  static std::uint64_t receive_all(End& end, auto& link, Progress& progress, std::uint64_t window,
                                   std::size_t size_max) {
    const std::uint64_t each = Rules::messages(size_max);
    const std::uint64_t all = 2 * each + Rules::lockstep_messages;
    Rules::wait_until_stuck(end, std::min(each, window));
    std::uint64_t bytes = 0;
    std::uint64_t sent = 0;
    Arrivals arrivals;
    while (arrivals.next() < all) {
      end.at(arrivals.next());
      progress.advance(arrivals.next());
      const View message = link.peek_within(silence_ns);
      if (message.empty()) {
        arrivals.give_up(sent);
        sent = end.other_at();
        continue;
      }
      const std::uint64_t number =
          nearest_number(Rules::sequence_of(first_word(message)), message.size(), arrivals.next());
      if (number > end.other_at()) fail_unsent(number, end.other_at());
      bytes += Rules::check(message, number, Rules::size_of(number, size_max));
      arrivals.add(number);
      link.release();
    }
    progress.advance(all);
    end.set_verified_bytes(bytes);
    end.set_losses(arrivals.losses());
    return arrivals.arrived();
  }
};

}  // namespace ipcbench
