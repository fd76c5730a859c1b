// What becomes of messages: kept apart, in order, whole; how large, how many, for whom.
#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "harness/experiments.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

void write_down(Bench& bench, std::size_t place, const std::string& seen) {
  bench.seen[place][seen.copy(bench.seen[place], sizeof bench.seen[place] - 1)] = '\0';
}

Proof carries_nothing() {
  return untestable("–", "it carries no messages");
}

/// Two messages are sent, and one receive tells; of a byte stream, a third in two parts.
std::string received_at_once(Bench& bench, const Subject& subject, const LinkMaker& maker,
                             std::size_t small, std::size_t large) {
  AnyLink& link = make(maker, subject.shape(small + large));
  const bool as_stream = subject.facts().boundary == Boundary::stream;
  const bool is_register = subject.facts().delivery == Delivery::newest;
  cast(
      bench, link,
      [&](AnyEnd& end) {
        put(end, small, 'a');
        if (is_register) await([&] { return bench.count[1] == 1; });
        put(end, large, 'b');
        put(end, large, 'c');
      },
      [&](AnyEnd& end) {
        std::string got = take(end, small + large);
        write_down(bench, 1, got);
        bench.count[1] = 1;
        if (!as_stream) return;
        got += "|" + take(end, 1);
        write_down(bench, 1, got);
        write_down(bench, 1, got + take(end, large - 1));
      });
  happens(bench, [&] { return bench.ended_ns[1] != 0; });
  return bench.seen[1][0] != '\0' ? bench.seen[1] : first_error(bench);
}

/// Whether one message of this size arrives whole: "yes", or why not. A run may need a channel
/// each way: so there is a second one, where one isn't enough.
std::string carries(const Subject& subject, const LinkMaker& maker, std::size_t size) try {
  return subject.ask([&](Bench& bench) -> std::string {
    Shape shape = subject.shape(size);
    shape.depth = 2;
    AnyLink& link = make(maker, shape);
    if (!maker.consumer.send && !maker.producer.call) make(maker, shape);
    cast(
        bench, link, [&](AnyEnd& end) { put(end, size, 'x'); },
        [&](AnyEnd& end) {
          const std::string got = take(end, size);
          if (got != std::string(size, 'x'))
            throw std::runtime_error(fmt::format("{} bytes arrived", got.size()));
        });
    // A large message takes a while in which nothing else is to be seen.
    happens(
        bench, [&] { return bench.ended_ns[1] != 0 || !first_error(bench).empty(); },
        3'000'000'000);
    if (const std::string error = first_error(bench); !error.empty()) return error;
    return bench.ended_ns[1] != 0 ? "yes" : "nothing arrived";
  });
} catch (const Undecided&) {
  throw;
} catch (const std::exception& error) {
  return error.what();
}

/// Why a message of this size can't be sent; "" where it can.
std::string refusal(const Subject& subject, const LinkMaker& maker, std::size_t size) try {
  const std::string answer = carries(subject, maker, size);
  return answer == "yes" ? "" : answer;
} catch (const Undecided& undecided) {
  return undecided.what();
}

/// How many messages of a size the channel takes while nobody receives.
struct Held {
  bool takes_all = false;
  std::uint64_t count = 0;
  std::size_t size = 0;

  std::string text(const std::string& some) const {
    if (takes_all) return "takes all";
    return count == 0 ? "none: the sender waits" : some;
  }
};

Held held(const Subject& subject, const LinkMaker& maker, std::size_t size) {
  const bool loses = subject.facts().delivery != Delivery::reliable;
  const std::uint64_t enough = loses ? 20'000 : 300'000;
  const std::string count = subject.ask([&](Bench& bench) -> std::string {
    AnyLink& link = make(maker, subject.shape(size));
    cast(
        bench, link,
        [&](AnyEnd& end) {
          for (; bench.count[0] < enough; ++bench.count[0]) put(end, size, 'x');
        },
        [&](AnyEnd& end) {
          await([&] { return bench.step[1] == 1; });
          for (;; ++bench.count[1]) take(end, size);
        });
    happens(bench, [&] { return bench.ended_ns[0] != 0; });
    if (!loses) return std::to_string(bench.count[0].load());
    // What is lost was never held: those count that are there to be received.
    bench.step[1] = 1;
    happens(bench, [&] { return bench.count[1] == enough; });
    return std::to_string(bench.count[1].load());
  });
  const std::uint64_t number = parse_number(count, "messages", 0, enough);
  return {.takes_all = number == enough, .count = number, .size = size};
}

/// Five notifications while nobody waits, then five waits.
Proof holds_notifications(const Subject& subject, const LinkMaker& maker) {
  constexpr std::uint64_t sent = 5;
  const std::string seen = subject.ask([&](Bench& bench) -> std::string {
    AnyLink& link = make(maker, subject.shape(0));
    cast(
        bench, link,
        [&](AnyEnd& end) {
          for (; bench.count[0] < sent; ++bench.count[0]) end.notify();
        },
        [&](AnyEnd& end) {
          await([&] { return bench.step[1] == 1; });
          for (; bench.count[1] < sent; ++bench.count[1]) end.wait();
        });
    if (!happens(bench, [&] { return bench.count[0] == sent || bench.ended_ns[0] != 0; }) ||
        !first_error(bench).empty())
      return fmt::format("{}, then notify {}", bench.count[0].load(),
                         first_error(bench).empty() ? "waits" : "fails");
    bench.step[1] = 1;
    if (happens(bench, [&] { return bench.count[1] == sent; })) return "counts them";
    return bench.count[1] == 1 ? "one: they coalesce" : fmt::format("{}", bench.count[1].load());
  });
  return proved(seen, "five notifications while nobody waited, then five waits");
}

std::string_view how_held(const Subject& subject) {
  switch (subject.facts().delivery) {
    case Delivery::reliable:
      return "sent until the sender stood still, nobody receiving";
    case Delivery::lossy:
      return "20,000 sent, nobody receiving; those that were there afterwards: the rest is lost";
    case Delivery::newest:
      return "20,000 sent, nobody receiving; those that were there afterwards: the rest is "
             "overwritten";
  }
  return "";
}

/// The two sizes: letters, and pages.
constexpr std::size_t small_size = 64;
constexpr std::size_t page_size = 4096;

/// Two producers send blocks of a letter of their own; whether every block stays whole. A stream
/// is read in pieces, so that writers have to wait in the middle of a block.
std::string mixing(const Subject& subject, const LinkMaker& maker, std::size_t size,
                   std::size_t blocks) {
  const bool is_stream = subject.facts().boundary == Boundary::stream;
  const std::size_t piece = is_stream ? std::min<std::size_t>(1000, size) : size;
  return subject.ask([&](Bench& bench) -> std::string {
    Shape shape = subject.shape(size);
    shape.producers = 2;
    AnyLink& link = make(maker, shape);
    const auto writer = [&](char letter) {
      return Part{true, [&, letter](AnyEnd& end) {
                    for (std::size_t i = 0; i < blocks; ++i) put(end, size, letter);
                  }};
    };
    const Part reader{false, [&](AnyEnd& end) {
                        std::string rest;
                        for (std::size_t left = 2 * blocks * size; left != 0;) {
                          rest += take(end, std::min(piece, left));
                          left = 2 * blocks * size - bench.count[1] * size - rest.size();
                          for (; rest.size() >= size; ++bench.count[1], rest.erase(0, size))
                            if (rest.find_first_not_of(rest[0]) < size) bench.step[1] = 1;
                        }
                      }};
    cast(bench, link, {writer('a'), reader, writer('b')});
    if (!happens(bench, [&] { return bench.ended_ns[1] != 0; }))
      return fmt::format("{} of {} arrived", bench.count[1].load(), 2 * blocks);
    if (const std::string error = first_error(bench); !error.empty()) return error;
    return bench.step[1] == 0 ? "whole" : "mixed";
  });
}

}  // namespace

Proof boundary(const Subject& subject) {
  const std::string_view claimed = text(subject.facts().boundary);
  const LinkMaker* maker = subject.channel();
  if (maker == nullptr)
    return compare(std::string(text(Boundary::none)), claimed, "it has no verb for bytes");
  const std::size_t small = subject.at_most(3);
  const std::size_t large = subject.at_most(5);
  const std::string got = subject.ask(
      [&](Bench& bench) { return received_at_once(bench, subject, *maker, small, large); });
  const std::string both = std::string(small, 'a') + std::string(large, 'b');
  std::string seen = "?";
  if (got.starts_with(std::string(small, 'a') + "|") || got == std::string(small, 'a'))
    seen = text(Boundary::message);
  if (got.starts_with(both)) seen = text(Boundary::stream);
  if (got == both + "|c") seen = "the rest of a message is lost";
  return compare(seen, claimed,
                 fmt::format("{} and {} bytes sent; received '{}'", small, large, printable(got)));
}

Proof direction(const Subject& subject) {
  const LinkMaker* maker = subject.channel();
  if (maker == nullptr)
    return subject.signal() != nullptr ? proved("one way", "one end notifies, the other one waits")
                                       : untestable("–", "a lock has none");
  const bool is_call = maker->producer.call;
  if (!is_call && !(maker->producer.receive && maker->consumer.send))
    return proved("one way", "its ends have no verb for the other one");
  const std::string seen = subject.ask([&](Bench& bench) -> std::string {
    AnyLink& link = make(*maker, subject.shape(4));
    cast(
        bench, link,
        [&](AnyEnd& end) {
          put(end, 4, 'a');
          const View reply = end.reply();
          const std::string answer =
              is_call ? std::string(reinterpret_cast<const char*>(reply.data()), reply.size())
                      : take(end, 4);
          if (answer == (is_call ? "aaaa" : "bbbb")) bench.count[0] = 1;
        },
        [&](AnyEnd& end) {
          if (take(end, 4) == "aaaa" && !is_call) put(end, 4, 'b');
        });
    return happens(bench, [&] { return bench.count[0] == 1; }) ? "both ways" : "one way";
  });
  return compare(seen, "both ways", is_call ? "a call, and its reply" : "a message, and an answer");
}

Proof order(const Subject& subject) {
  const LinkMaker* maker = subject.channel();
  if (maker == nullptr) return carries_nothing();
  constexpr int messages = 100;
  const std::size_t size = subject.at_most(8);
  const std::string seen = subject.ask([&](Bench& bench) -> std::string {
    AnyLink& link = make(*maker, subject.shape(size));
    cast(
        bench, link,
        [&](AnyEnd& end) {
          for (int i = 1; i <= messages; ++i) put(end, size, static_cast<char>(i));
        },
        [&](AnyEnd& end) {
          for (int last = 0; last < messages; ++bench.count[1]) {
            const int next = take(end, size).at(0);
            if (next <= last) throw std::logic_error("a message overtook another");
            last = next;
          }
        });
    happens(bench, [&] { return bench.ended_ns[1] != 0; });
    if (const std::string error = first_error(bench); !error.empty()) return error;
    return std::to_string(bench.count[1].load());
  });
  const bool is_kept = seen.find_first_not_of("0123456789") == std::string::npos;
  const bool is_whole = seen == std::to_string(messages);
  const std::string how = fmt::format("{} numbered messages sent, {} received", messages, seen);
  switch (subject.facts().delivery) {
    case Delivery::reliable:
      return is_whole ? proved("kept", how) : contradicted(is_kept ? "some lost" : seen, how);
    case Delivery::lossy:
      return proved(is_kept ? "kept" : "not kept", how);
    case Delivery::newest:
      return is_kept ? proved("kept, with gaps", how) : contradicted(seen, how);
  }
  return contradicted(seen, how);
}

Proof largest(const Subject& subject) {
  const LinkMaker* maker = subject.channel();
  if (maker == nullptr) return carries_nothing();
  constexpr std::size_t enough = 4 << 20;
  constexpr std::size_t too_much = 64 << 20;
  const auto most = subject.row().message_max();
  const bool is_tried = !most || *most <= too_much;
  const std::size_t size = is_tried ? most.value_or(enough) : enough;
  const std::string fits = carries(subject, *maker, size);
  if (fits != "yes") return contradicted("less than " + size_text(size), fits);
  const std::string whole = size_text(size) + " arrived whole";
  if (!most) return proved("no limit", whole);
  if (!is_tried) return untestable(size_text(*most), whole + "; the limit takes too much memory");
  const std::string more = refusal(subject, *maker, size + 1);
  if (more.empty()) return contradicted(size_text(size), "one byte more arrived, too");
  return proved(size_text(size), "one byte more: " + printable(more));
}

Proof holds_messages(const Subject& subject) {
  if (const LinkMaker* maker = subject.channel()) {
    const Held all = held(subject, *maker, subject.at_most(small_size));
    return proved(all.text(fmt::format("{} × {}", all.count, size_text(all.size))),
                  std::string(how_held(subject)));
  }
  if (const LinkMaker* maker = subject.signal()) return holds_notifications(subject, *maker);
  return untestable("–", "a lock holds nothing");
}

Proof holds_bytes(const Subject& subject) {
  const LinkMaker* maker = subject.channel();
  if (maker == nullptr) return carries_nothing();
  const Held all = held(subject, *maker, subject.at_most(page_size));
  const std::string bytes = size_text(all.count * all.size);
  return proved(all.text(fmt::format("{} in {} × {}", bytes, all.count, size_text(all.size))),
                std::string(how_held(subject)));
}

Proof readers(const Subject& subject) {
  const LinkMaker* maker = subject.channel();
  if (maker == nullptr) return untestable("–", "nobody reads it");
  if (subject.facts().peers != Peers::many_to_many)
    return untestable("one", "an object of this transport serves one reader");
  constexpr std::uint64_t messages = 20;
  const std::size_t size = subject.at_most(small_size);
  const std::string seen = subject.ask([&](Bench& bench) -> std::string {
    Shape shape = subject.shape(size);
    shape.consumers = 2;
    AnyLink& link = make(*maker, shape);
    const auto reader = [&](std::size_t place) {
      return Part{false, [&, place](AnyEnd& end) {
                    for (;; ++bench.count[place]) take(end, size);
                  }};
    };
    const Part writer{true, [&](AnyEnd& end) {
                        for (std::uint64_t i = 0; i < messages; ++i) put(end, size, 'x');
                      }};
    cast(bench, link, {writer, reader(1), reader(2)});
    happens(bench, [&] { return bench.count[1] == messages && bench.count[2] == messages; });
    if (const std::string error = first_error(bench); !error.empty()) return error;
    const std::uint64_t got = bench.count[1] + bench.count[2];
    if (got == 2 * messages) return "each to all";
    return got == messages ? std::string("each to one") : fmt::format("{} of {}", got, messages);
  });
  return compare(seen, "each to one", fmt::format("two readers, {} messages", messages));
}

/// The sender changes its buffer after it has sent it, and again while the receiver looks at it.
/// Where it can't go on because it waits for the receiver, the receiver looks all the same.
Proof copies(const Subject& subject) {
  const LinkMaker* maker = subject.channel();
  if (maker == nullptr) return untestable("–", "it carries no payload");
  const std::size_t size = subject.at_most(small_size);
  const std::string seen = subject.ask([&](Bench& bench) -> std::string {
    AnyLink& link = make(*maker, subject.shape(size));
    cast(
        bench, link,
        [&](AnyEnd& end) {
          const Bytes message = end.reserve(size);
          std::memset(message.data(), 'a', size);
          end.commit();
          std::memset(message.data(), 'b', size);
          bench.step[0] = 1;
          await([&] { return bench.step[1] == 1; });
          std::memset(message.data(), 'c', size);
          bench.step[0] = 2;
        },
        [&](AnyEnd& end) {
          await([&] { return bench.step[2] >= 1; });
          const View message = end.peek(size);
          const auto letter = [&] {
            const volatile std::byte* first = message.data();
            return std::to_integer<std::uint64_t>(*first);
          };
          bench.count[0] = letter();
          bench.step[1] = 1;
          await([&] { return bench.step[2] == 2; });
          bench.count[1] = letter();
        });
    for (const std::uint32_t step : {1U, 2U}) {
      happens(bench, [&] { return bench.step[0] == step; });
      bench.step[2] = step;
    }
    happens(bench, [&] { return bench.ended_ns[1] != 0; });
    if (const std::string error = first_error(bench); !error.empty()) return error;
    return {static_cast<char>(bench.count[0].load()), static_cast<char>(bench.count[1].load())};
  });
  const int claimed = subject.facts().copies;
  const std::string number = fmt::format("; whether it is {} can't be seen", claimed);
  const Verdict at_least_one = claimed >= 1 ? Verdict::proved : Verdict::contradicted;
  if (seen.ends_with('c'))
    return compare("0", fmt::format("{}", claimed), "the receiver sees what the sender changes");
  if (seen == "bb")
    return {"", "≥ 1, at the receive", at_least_one,
            "the receiver sees a change before it receives, and none after it" + number};
  if (seen == "aa")
    return {"", "≥ 1, at the send", at_least_one,
            "the receiver sees no change of the sender's buffer" + number};
  return contradicted(seen, fmt::format("claimed is: {}", claimed));
}

Proof atomic(const Subject& subject) {
  const LinkMaker* maker = subject.channel();
  if (maker == nullptr) return carries_nothing();
  if (subject.facts().peers == Peers::one_to_one)
    return untestable("–", "an object of this transport serves one writer");
  const std::size_t small = subject.at_most(page_size);
  const std::size_t large = subject.at_most(16 * page_size);
  const std::string below = mixing(subject, *maker, small, 100);
  std::string seen = fmt::format("{} {}", size_text(small), below);
  std::string above = "whole";
  if (large > small) {
    above = mixing(subject, *maker, large, 20);
    seen += fmt::format(", {} {}", size_text(large), above);
  }
  // More than PIPE_BUF bytes of a stream may be mixed, and may be whole.
  const bool is_stream = subject.facts().boundary == Boundary::stream;
  const bool is_fine = below == "whole" && (above == "whole" || (is_stream && above == "mixed"));
  return {"", seen, is_fine ? Verdict::proved : Verdict::contradicted,
          "two writers at once, each with a letter of its own"};
}

}  // namespace ipcbench
