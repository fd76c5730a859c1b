// verify: every byte, every size class, order, loss; a full channel and an empty one. It proves a
// transport and measures nothing: the conformance test is made of it.
#pragma once

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>

#include "harness/row.h"
#include "harness/run.h"
#include "scenarios/links.h"
#include "scenarios/lossy.h"
#include "scenarios/payload.h"

namespace ipcbench {

struct Verify {
  static constexpr ScenarioFacts facts{
      .name = "verify",
      .summary = "proof: every byte, each size class, order, loss, full and empty; no timing",
      .needs = "a channel, calls, a signal or a lock",
      .sized = true,
      .kernel_consumes = true};

  template <Channel T>
  static void run(Runner& runner) {
    if constexpr (KernelPeered<T>)
      if (runner.params().manner.peer != Peer::process) return with_kernel<T>(runner);
    T link(runner.shape());
    const std::size_t size = runner.params().size;
    runner.run({{"producer", Side::producer,
                 [&](End& end) {
                   auto mine = lend<T>(link.producer(), runner.shape());
                   end.once([&] { return send_all(end, mine, size, each<T>(size)); });
                 }},
                {"consumer", Side::consumer, [&](End& end) {
                   auto mine = lend<T>(link.consumer(), runner.shape());
                   end.once([&] { return receive_all(end, mine, size, each<T>(size)); });
                 }}});
  }

  /// Requests and replies of different sizes and contents.
  template <Rpc T>
  static void run(Runner& runner) {
    T link(runner.shape());
    const std::size_t size = runner.params().size;
    runner.run({{"producer", Side::producer,
                 [&](End& end) {
                   auto mine = link.producer();
                   end.once([&] { return call_all(end, mine, size); });
                 }},
                {"consumer", Side::consumer, [&](End& end) {
                   auto mine = link.consumer();
                   end.once([&] { return serve_all(end, mine, size); });
                 }}});
  }

  template <LossyChannel T>
  static void run(Runner& runner) {
    Lossy<T>::template verify<Verify>(runner);
  }

  template <LonelyChannel T>
  static void run(Runner& runner) {
    T link(runner.shape());
    const std::size_t size_max = runner.params().size;
    runner.run({{"producer", Side::producer, [&](End& end) {
                   auto mine = lend<T>(link.alone(), runner.shape());
                   end.once([&] {
                     std::uint64_t bytes = 0;
                     for (std::uint64_t i = 0; i != messages(size_max); ++i) {
                       send(mine, i, size_of(i, size_max));
                       bytes += receive(mine, i, size_of(i, size_max));
                     }
                     end.set_verified_bytes(bytes);
                     return messages(size_max);
                   });
                 }}});
  }

  template <KernelServed T>
  static void run(Runner& runner) {
    with_kernel<T>(runner);
  }

  /// First the producer overwrites what it likes: some messages are seen, the last one among them,
  /// each of them whole and newer than the one before. Then, in lockstep, all of them.
  template <Register T>
  static void run(Runner& runner) {
    T link(runner.shape());
    const std::size_t size = runner.params().size;
    runner.run({{"producer", Side::producer,
                 [&](End& end) {
                   auto mine = lend<T>(link.producer(), runner.shape());
                   end.once([&] { return overwrite(end, mine, size); });
                 }},
                {"consumer", Side::consumer, [&](End& end) {
                   auto mine = lend<T>(link.consumer(), runner.shape());
                   end.once([&] { return receive_newest(end, mine, size); });
                 }}});
  }

  /// Control goes there and back; a number that nothing guards but the signals stays in step.
  template <Signal T>
  static void run(Runner& runner) {
    T there(runner.shape());
    T back(runner.shape());
    auto* turn = &runner.scratch<volatile std::uint64_t>();
    runner.run({{"producer", Side::producer,
                 [&](End& end) {
                   auto out = there.producer();
                   auto in = back.consumer();
                   end.once([&] {
                     for (std::uint64_t i = 0; i != rounds; ++i) {
                       take_turn(turn, 2 * i);
                       out.notify();
                       in.wait();
                     }
                     return rounds;
                   });
                 }},
                {"consumer", Side::consumer, [&](End& end) {
                   auto in = there.consumer();
                   auto out = back.producer();
                   end.once([&] {
                     for (std::uint64_t i = 0; i != rounds; ++i) {
                       in.wait();
                       take_turn(turn, 2 * i + 1);
                       out.notify();
                     }
                     return rounds;
                   });
                 }}});
  }

  /// Two processes count together under the lock; a lock that doesn't exclude loses counts.
  template <Lock T>
  static void run(Runner& runner) {
    T link(runner.shape());
    auto* total = &runner.scratch<volatile std::uint64_t>();
    const auto body = [&](End& end, auto mine) {
      end.once([&] {
        for (std::uint64_t i = 0; i != rounds; ++i) {
          mine.lock();
          const std::uint64_t before = *total;
          if (i % 64 == 0) ::sched_yield();  // hold it while the other one tries
          *total = before + 1;
          mine.unlock();
        }
        return rounds;
      });
      end.meet();
      if (*total != 2 * rounds) throw std::runtime_error("two processes held the lock at once");
    };
    runner.run({{"holder_1", Side::producer, [&](End& end) { body(end, link.producer()); }},
                {"holder_2", Side::consumer, [&](End& end) { body(end, link.consumer()); }}});
  }

 private:
  /// The kernel sends back what it gets.
  template <KernelPeered T>
  static void with_kernel(Runner& runner) {
    T link(runner.shape());
    const std::size_t size_max = runner.params().size;
    runner.run({{"producer", Side::producer, [&](End& end) {
                   auto mine = lend<T>(link.kernel(KernelPart::echo), runner.shape());
                   end.once([&] { return ask_kernel<KernelEndOf<T>>(end, mine, size_max); });
                 }}});
  }

  template <class KernelEnd>
  static std::uint64_t ask_kernel(End& end, auto& link, std::size_t size_max) {
    const AlignedBuffer request(size_max);
    const AlignedBuffer reply(size_max);
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i != messages(size_max); ++i) {
      end.at(i);
      const std::size_t size = size_of(i, size_max);
      if constexpr (Caller<KernelEnd>) {
        write({request.data(), size}, i);
        const std::size_t got = link.call({request.data(), size}, {reply.data(), size_max});
        bytes += check({reply.data(), got}, i, size);
      } else {
        send(link, i, size);
        bytes += receive(link, i, size);
      }
    }
    end.set_verified_bytes(bytes);
    return messages(size_max);
  }

  template <LossyChannel T>
  friend struct Lossy;

  static constexpr std::uint64_t rounds = 2000;
  static constexpr std::uint64_t lockstep_messages = 50;

  /// How many messages each of the two big stages sends: about 64 MiB, within bounds.
  static std::uint64_t messages(std::size_t size_max) {
    return std::clamp<std::uint64_t>((std::uint64_t{64} << 20) / std::max<std::size_t>(size_max, 1),
                                     30, 2000);
  }

  /// The same of a transport, which may say that a message of it takes milliseconds.
  template <class T>
  static std::uint64_t each(std::size_t size_max) {
    if constexpr (requires { T::is_slow; })
      return 30;
    else
      return messages(size_max);
  }

  /// Sizes around every power of two and around the pages, then ones that look random; the
  /// largest is among the first.
  static std::size_t size_of(std::uint64_t sequence, std::size_t size_max) {
    const std::uint64_t mixed = pattern(sequence, 7);
    const auto powers = static_cast<std::uint64_t>(std::bit_width(size_max));
    std::size_t size = size_max;
    if (sequence % 16 == 0) return size_max;
    if (sequence % 2 == 0)
      size = (std::size_t{1} << (sequence / 2 % powers)) + mixed % 3 - 1;
    else
      size = mixed % size_max + 1;
    return std::clamp<std::size_t>(size, 1, size_max);
  }

  static std::uint64_t pattern(std::uint64_t sequence, std::uint64_t word) {
    return ((sequence + 1) * 0x9E3779B97F4A7C15) ^ std::rotl((word + 1) * 0xD6E8FEB86659FD93, 31);
  }

  /// The message that a first word belongs to.
  static std::uint64_t sequence_of(std::uint64_t word) {
    return payload_sequence(word ^ pattern(0, 0) ^ payload_word(1)) - 1;
  }
  static std::uint64_t sequence_of(View message) {
    std::uint64_t word = 0;
    std::memcpy(&word, message.data(), sizeof word);
    return sequence_of(word);
  }

  static void write(Bytes message, std::uint64_t sequence) {
    for (std::size_t at = 0, word = 0; at < message.size(); at += 8, ++word) {
      const std::uint64_t value = pattern(sequence, word);
      std::memcpy(message.data() + at, &value, std::min<std::size_t>(8, message.size() - at));
    }
  }

  /// Throws unless all bytes are as they were sent.
  static std::uint64_t check(View message, std::uint64_t sequence, std::size_t size) {
    if (message.size() != size) fail_payload(sequence, size, message.size());
    for (std::size_t at = 0, word = 0; at < size; at += 8, ++word) {
      const std::uint64_t value = pattern(sequence, word);
      if (std::memcmp(message.data() + at, &value, std::min<std::size_t>(8, size - at)) != 0)
        fail_payload(sequence, size, size);
    }
    return size;
  }

  static void send(auto& link, std::uint64_t sequence, std::size_t size) {
    write(link.reserve(size), sequence);
    link.commit();
  }

  static std::uint64_t receive(auto& link, std::uint64_t sequence, std::size_t size) {
    const std::uint64_t checked = check(link.peek(size), sequence, size);
    link.release();
    return checked;
  }

  /// Three stages: the producer runs ahead until the channel is full; both run freely; the
  /// consumer is always waiting before a message is sent.
  static std::uint64_t send_all(End& end, auto& link, std::size_t size_max, std::uint64_t each) {
    const std::uint64_t all = 2 * each + lockstep_messages;
    for (std::uint64_t i = 0; i != all; ++i) {
      end.at(i);
      if (i >= 2 * each)
        while (end.other_at() < i) pause();
      send(link, i, size_of(i, size_max));
    }
    end.at(all);
    return all;
  }

  static std::uint64_t receive_all(End& end, auto& link, std::size_t size_max, std::uint64_t each) {
    const std::uint64_t all = 2 * each + lockstep_messages;
    wait_until_stuck(end, each);
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i != all; ++i) {
      end.at(i);
      bytes += receive(link, i, size_of(i, size_max));
    }
    end.set_verified_bytes(bytes);
    return all;
  }

  // Call i carries message 2 i there and message 2 i + 1 back. The first call waits for a server
  // that isn't serving yet, the last ones find it waiting.

  static std::uint64_t call_all(End& end, auto& link, std::size_t size_max) {
    const AlignedBuffer request(size_max);
    const AlignedBuffer reply(size_max);
    const std::uint64_t all = messages(size_max) + lockstep_messages;
    for (std::uint64_t i = 0; i != all; ++i) {
      end.at(i);
      if (i >= messages(size_max)) pause();
      const Bytes message(request.data(), size_of(2 * i, size_max));
      write(message, 2 * i);
      const std::size_t size = link.call(message, {reply.data(), size_max});
      check({reply.data(), size}, 2 * i + 1, size_of(2 * i + 1, size_max));
    }
    return all;
  }

  static std::uint64_t serve_all(End& end, auto& link, std::size_t size_max) {
    const std::uint64_t all = messages(size_max) + lockstep_messages;
    for (int quiet = 0; quiet < 20; ++quiet) pause();
    std::uint64_t bytes = 0;
    link.serve(all, [&, i = std::uint64_t{0}](View request, Bytes reply) mutable {
      end.at(i);
      check(request, 2 * i, size_of(2 * i, size_max));
      const std::size_t size = size_of(2 * i + 1, size_max);
      write(reply.first(size), 2 * i + 1);
      bytes += request.size() + size;
      ++i;
      return size;
    });
    end.set_verified_bytes(bytes);
    return all;
  }

  /// How many messages may overwrite each other: none where they are too small to tell.
  static std::uint64_t overwritten(std::size_t size_max) {
    return size_max < sizeof(std::uint64_t) ? 0 : messages(size_max);
  }

  static std::uint64_t overwrite(End& end, auto& link, std::size_t size_max) {
    const std::uint64_t blind = overwritten(size_max);
    const std::uint64_t all = blind + messages(size_max);
    for (std::uint64_t i = 0; i != all; ++i) {
      end.at(i);
      if (i >= blind)
        while (end.other_at() < i) ::sched_yield();
      send(link, i, i < blind ? size_max : size_of(i, size_max));
    }
    end.at(all);
    return all;
  }

  static std::uint64_t receive_newest(End& end, auto& link, std::size_t size_max) {
    const std::uint64_t blind = overwritten(size_max);
    const std::uint64_t all = blind + messages(size_max);
    std::uint64_t seen = 0;
    std::uint64_t bytes = 0;
    for (std::uint64_t next = 0; next != blind; ++seen) {
      const View message = link.peek(size_max);
      const std::uint64_t sequence = message.size() == size_max ? sequence_of(message) : blind;
      if (sequence < next || sequence >= blind) fail_payload(next, size_max, message.size());
      check(message, sequence, size_max);
      link.release();
      bytes += size_max;
      next = sequence + 1;
    }
    for (std::uint64_t i = blind; i != all; ++i, ++seen) {
      end.at(i);
      bytes += receive(link, i, size_of(i, size_max));
    }
    end.set_verified_bytes(bytes);
    return seen;
  }

  /// Returns when the producer has sent `enough`, or hasn't moved on for a while.
  static void wait_until_stuck(const End& end, std::uint64_t enough) {
    std::uint64_t seen = 0;
    for (int quiet = 0; quiet < 20 && seen < enough; ++quiet) {
      pause();
      if (end.other_at() != seen) quiet = 0;
      seen = end.other_at();
    }
  }

  static void take_turn(volatile std::uint64_t* turn, std::uint64_t expected) {
    if (*turn != expected) throw std::runtime_error("wait returned before its notify");
    *turn = expected + 1;
  }

  static void pause() {
    const timespec time{0, 200'000};
    ::nanosleep(&time, nullptr);
  }
};

}  // namespace ipcbench
