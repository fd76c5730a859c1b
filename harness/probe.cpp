#include "harness/probe.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "harness/clock.h"
#include "harness/driver.h"
#include "harness/laboratory.h"
#include "harness/plan.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t soon_ns = 300 * ms;    // what hasn't happened by then doesn't happen
constexpr std::int64_t sure_ns = 3'000 * ms;  // for what must happen, on a loaded machine

/// One transport under test. All its experiments make a link anew.
class Subject {
 public:
  Subject(const Row& row, const RunDirectory& directory) : row_(row), directory_(directory) {}

  const Facts& facts() const { return row_.facts; }
  const Row& row() const { return row_; }
  const RunDirectory& directory() const { return directory_; }
  std::optional<std::size_t> message_max() const { return row_.message_max(); }
  std::size_t at_most(std::size_t size) const {
    return std::min(size, message_max().value_or(size));
  }

  /// The first of its families in which the ends have what is asked for.
  const LinkMaker* maker(bool Verbs::*producer, bool Verbs::*consumer) const {
    for (const LinkMaker& maker : row_.links)
      if (maker.producer.*producer && maker.consumer.*consumer) return &maker;
    return nullptr;
  }
  const LinkMaker* channel() const { return maker(&Verbs::send, &Verbs::receive); }
  const LinkMaker* signal() const { return maker(&Verbs::notify, &Verbs::wait); }
  const LinkMaker* lock() const { return maker(&Verbs::lock, &Verbs::lock); }

  Shape shape(std::size_t size) const {
    Shape shape;
    shape.size = size;
    shape.directory = &directory_;
    shape.variant = row_.variant;
    return shape;
  }
  /// A link that is never taken apart: its process is ended, and the directory cleared.
  static AnyLink& make(const LinkMaker& maker, const Shape& shape) {
    return *maker.make(shape).release();
  }

  /// An experiment whose leftovers are cleared away.
  std::optional<std::string> ask(const std::function<std::string(Bench&)>& experiment,
                                 std::int64_t deadline_ns = 5'000 * ms) const {
    auto answer = in_the_lab(experiment, deadline_ns);
    directory_.clear();
    return answer;
  }

 private:
  const Row& row_;
  const RunDirectory& directory_;
};

void put(AnyEnd& end, std::size_t size, char letter) {
  const Bytes message = end.reserve(size);
  std::memset(message.data(), letter, size);
  end.commit();
}

std::string take(AnyEnd& end, std::size_t size) {
  const View message = end.peek(size);
  std::string text(reinterpret_cast<const char*>(message.data()), message.size());
  end.release();
  return text;
}

Proof untestable(std::string_view fact, std::string value, std::string why) {
  return {fact, std::move(value), Verdict::untestable, std::move(why)};
}

Proof compare(std::string_view fact, std::string seen, std::string_view claimed, std::string how) {
  const Verdict verdict = seen == claimed ? Verdict::proved : Verdict::contradicted;
  if (verdict == Verdict::contradicted) how += fmt::format("; claimed is: {}", claimed);
  return {fact, std::move(seen), verdict, std::move(how)};
}

std::string after_text(std::int64_t from_ns, std::int64_t to_ns) {
  return "after " + duration_text(static_cast<double>(std::max<std::int64_t>(0, to_ns - from_ns)));
}

/// Two messages sent, and what one receive gives.
Proof boundary(const Subject& subject) {
  const std::string_view claimed = text(subject.facts().boundary);
  const LinkMaker* maker = subject.channel();
  if (maker == nullptr)
    return {"boundary", std::string(claimed), Verdict::proved, "no verb for bytes"};
  const std::size_t small = subject.at_most(3);
  const std::size_t large = subject.at_most(5);
  const bool as_stream = subject.facts().boundary == Boundary::stream;
  const auto answer = subject.ask([&](Bench& bench) -> std::string {
    AnyLink& link = Subject::make(*maker, subject.shape(small + large));
    fork_subject(bench, 0, [&] {
      const auto end = link.producer();
      put(*end, small, 'a');
      put(*end, large, 'b');
      put(*end, large, 'c');
      while (true) ::pause();
    });
    fork_subject(bench, 1, [&] {
      const auto end = link.consumer();
      std::string got = take(*end, small + large);
      if (!as_stream) got += "|" + take(*end, small + large);
      // A part of a message: only a stream has the rest left.
      if (as_stream) got += "|" + take(*end, 1) + take(*end, large - 1);
      std::strncpy(bench.error[2], got.c_str(), sizeof bench.error[2] - 1);
    });
    within(sure_ns, [&] { return bench.ended_ns[1] != 0; });
    return bench.error[1][0] != '\0' ? std::string("error: ") + bench.error[1] : bench.error[2];
  });
  const std::string a(small, 'a');
  const std::string b(large, 'b');
  const std::string c(large, 'c');
  const std::string got = answer.value_or("");
  std::string_view seen = "?";
  if (got == a + "|" + b) seen = text(Boundary::message);
  if (got == a + b + "|" + c) seen = text(Boundary::stream);
  return compare("boundary", std::string(seen), claimed,
                 fmt::format("{} and {} bytes sent; received '{}'", small, large, printable(got)));
}

Proof direction(const Subject& subject) {
  if (const LinkMaker* maker = subject.channel()) {
    const bool both = maker->producer.receive && maker->consumer.send;
    if (!both)
      return {"direction", "one way", Verdict::proved, "its ends have no verb for the other"};
    const auto answer = subject.ask([&](Bench& bench) -> std::string {
      AnyLink& link = Subject::make(*maker, subject.shape(4));
      fork_subject(bench, 0, [&] {
        const auto end = link.producer();
        put(*end, 4, 'a');
        if (take(*end, 4) == "bbbb") bench.count[0] = 1;
      });
      fork_subject(bench, 1, [&] {
        const auto end = link.consumer();
        if (take(*end, 4) == "aaaa") put(*end, 4, 'b');
        while (true) ::pause();
      });
      return within(sure_ns, [&] { return bench.count[0] == 1; }) ? "both ways" : "one way";
    });
    return compare("direction", answer.value_or("?"), "both ways",
                   "a message there, an answer back");
  }
  if (subject.signal() != nullptr)
    return {"direction", "one way", Verdict::proved, "one end notifies, the other waits"};
  return untestable("direction", "–", "a lock has none");
}

Proof order(const Subject& subject) {
  const LinkMaker* maker = subject.channel();
  if (maker == nullptr) return untestable("order", "–", "it carries no messages");
  constexpr int messages = 100;
  const std::size_t size = subject.at_most(8);
  const auto answer = subject.ask([&](Bench& bench) -> std::string {
    AnyLink& link = Subject::make(*maker, subject.shape(size));
    fork_subject(bench, 0, [&] {
      const auto end = link.producer();
      for (int i = 1; i <= messages; ++i) put(*end, size, static_cast<char>(i));
      while (true) ::pause();
    });
    fork_subject(bench, 1, [&] {
      const auto end = link.consumer();
      for (int last = 0; last < messages;) {
        const int next = take(*end, size).at(0);
        if (next <= last) throw std::runtime_error("a message overtook another");
        last = next;
        ++bench.count[1];
      }
    });
    within(sure_ns, [&] { return bench.ended_ns[1] != 0; });
    if (bench.error[1][0] != '\0') return bench.error[1];
    return bench.count[1] == messages
               ? std::string("kept")
               : fmt::format("kept; {} of {} seen", bench.count[1].load(), messages);
  });
  const bool kept = answer && answer->starts_with("kept");
  return {"order", answer.value_or("?"), kept ? Verdict::proved : Verdict::contradicted,
          fmt::format("{} numbered messages", messages)};
}

/// Whether one message of this size arrives whole: "yes", or why not.
std::string carries(const Subject& subject, const LinkMaker& maker, std::size_t size) {
  const auto answer = subject.ask([&](Bench& bench) -> std::string {
    AnyLink& link = Subject::make(maker, subject.shape(size));
    fork_subject(bench, 0, [&] {
      const auto end = link.producer();
      put(*end, size, 'x');
      while (true) ::pause();
    });
    fork_subject(bench, 1, [&] {
      const auto end = link.consumer();
      const std::string got = take(*end, size);
      if (got != std::string(size, 'x'))
        throw std::runtime_error(fmt::format("{} bytes arrived", got.size()));
    });
    within(sure_ns, [&] { return bench.ended_ns[1] != 0 || bench.ended_ns[0] != 0; });
    for (const int who : {0, 1})
      if (bench.error[who][0] != '\0') return bench.error[who];
    return bench.ended_ns[1] != 0 ? "yes" : "nothing arrived";
  });
  return answer.value_or("nothing arrived");
}

Proof largest(const Subject& subject) {
  const LinkMaker* maker = subject.channel();
  if (maker == nullptr) return untestable("largest", "–", "it carries no messages");
  const auto most = subject.message_max();
  const std::size_t size = most.value_or(4 << 20);
  const std::string fits = carries(subject, *maker, size);
  if (fits != "yes")
    return {"largest", "less than " + size_text(size), Verdict::contradicted, fits};
  if (!most) return {"largest", "no limit", Verdict::proved, size_text(size) + " arrived whole"};
  const std::string more = carries(subject, *maker, size + 1);
  return {"largest", size_text(size), more == "yes" ? Verdict::contradicted : Verdict::proved,
          fmt::format("one byte more: {}", more == "yes" ? "arrived too" : printable(more))};
}

/// How many messages of a size are taken while nobody receives; nothing where it takes them all.
std::optional<std::uint64_t> held(const Subject& subject, const LinkMaker& maker,
                                  std::size_t size) {
  constexpr std::uint64_t enough = 300'000;
  const auto answer = subject.ask([&](Bench& bench) -> std::string {
    AnyLink& link = Subject::make(maker, subject.shape(size));
    fork_subject(bench, 1, [&] {
      const auto end = link.consumer();
      while (true) ::pause();
    });
    fork_subject(bench, 0, [&] {
      const auto end = link.producer();
      while (bench.count[0] < enough) {
        put(*end, size, 'x');
        ++bench.count[0];
      }
    });
    std::uint64_t before = 0;
    std::int64_t since_ns = monotonic_ns();
    within(sure_ns, [&] {
      const std::uint64_t now = bench.count[0];
      if (now != before) since_ns = monotonic_ns();
      before = now;
      return bench.ended_ns[0] != 0 || monotonic_ns() - since_ns > 100 * ms;
    });
    return std::to_string(bench.count[0].load());
  });
  const std::uint64_t count = answer && !answer->starts_with("error") ? std::stoull(*answer) : 0;
  return count < enough ? std::optional(count) : std::nullopt;
}

std::string held_text(const std::optional<std::uint64_t>& count, std::size_t size) {
  return count ? fmt::format("{} × {}", *count, size_text(size)) : "takes all";
}

Proof holds(const Subject& subject) {
  if (const LinkMaker* maker = subject.channel()) {
    const std::size_t small = subject.at_most(64);
    const std::size_t large = subject.at_most(4096);
    std::string seen = held_text(held(subject, *maker, small), small);
    if (large > small && seen != "takes all")
      seen += ", " + held_text(held(subject, *maker, large), large);
    return {"holds", seen, Verdict::proved,
            "messages sent until the sender stood still, nobody receiving"};
  }
  const LinkMaker* maker = subject.signal();
  if (maker == nullptr) return untestable("holds", "–", "a lock holds nothing");
  constexpr std::uint64_t notifications = 5;
  const auto answer = subject.ask([&](Bench& bench) -> std::string {
    AnyLink& link = Subject::make(*maker, subject.shape(0));
    fork_subject(bench, 0, [&] {
      const auto end = link.producer();
      while (bench.count[0] < notifications) {
        end->notify();
        ++bench.count[0];
      }
    });
    fork_subject(bench, 1, [&] {
      const auto end = link.consumer();
      while (bench.is_ready[1] == 0) ::sched_yield();
      while (true) {
        end->wait();
        ++bench.count[1];
      }
    });
    const bool all_sent = within(soon_ns, [&] { return bench.count[0] == notifications; });
    bench.is_ready[1] = 1;
    within(soon_ns, [&] { return bench.count[1] == notifications; });
    if (!all_sent) return "nothing: notify waits for the waiter";
    if (bench.count[1] == notifications) return "counts them";
    return bench.count[1] == 1 ? "one: they coalesce" : fmt::format("{}", bench.count[1].load());
  });
  return {"holds", answer.value_or("?"), Verdict::proved, "five notifications, then five waits"};
}

Proof readers(const Subject& subject) {
  const LinkMaker* maker = subject.channel();
  if (maker == nullptr) return untestable("readers", "–", "nobody reads it");
  if (subject.facts().peers != Peers::many_to_many)
    return untestable("readers", "one", "the object serves one reader");
  constexpr std::uint64_t messages = 20;
  const std::size_t size = subject.at_most(64);
  const auto answer = subject.ask([&](Bench& bench) -> std::string {
    Shape shape = subject.shape(size);
    shape.consumers = 2;
    AnyLink& link = Subject::make(*maker, shape);
    for (const std::size_t who : {1, 2})
      fork_subject(bench, who, [&, who] {
        const auto end = link.consumer();
        bench.is_ready[who] = 1;
        while (true) {
          take(*end, size);
          ++bench.count[who];
        }
      });
    fork_subject(bench, 0, [&] {
      const auto end = link.producer();
      within(sure_ns, [&] { return bench.is_ready[1] + bench.is_ready[2] == 2; });
      for (std::uint64_t i = 0; i < messages; ++i) put(*end, size, 'x');
      bench.is_ready[0] = 1;
      while (true) ::pause();
    });
    const auto got = [&] { return bench.count[1] + bench.count[2]; };
    within(sure_ns, [&] { return bench.is_ready[0] != 0 && got() >= messages; });
    within(50 * ms, [&] { return got() > messages; });
    if (got() == messages) return "each to one";
    return got() == 2 * messages ? "each to all" : fmt::format("{} of {}", got(), messages);
  });
  return compare("readers", answer.value_or("?"), "each to one", "two readers, 20 messages");
}

/// The sender changes its buffer after it has sent it, and again when the receiver looks at it.
Proof copies(const Subject& subject) {
  const LinkMaker* maker = subject.channel();
  const int claimed = subject.facts().copies;
  if (maker == nullptr) return untestable("copies", "–", "it carries no payload");
  const std::size_t size = subject.at_most(64);
  const auto answer = subject.ask([&](Bench& bench) -> std::string {
    AnyLink& link = Subject::make(*maker, subject.shape(size));
    fork_subject(bench, 0, [&] {
      const auto end = link.producer();
      const Bytes message = end->reserve(size);
      std::memset(message.data(), 'a', size);
      end->commit();
      std::memset(message.data(), 'b', size);
      bench.is_ready[0] = 1;
      while (bench.is_ready[1] == 0) ::sched_yield();
      std::memset(message.data(), 'c', size);
      bench.is_ready[0] = 2;
      while (true) ::pause();
    });
    fork_subject(bench, 1, [&] {
      const auto end = link.consumer();
      within(soon_ns, [&] { return bench.is_ready[0] == 1; });
      const View message = end->peek(size);
      const auto letter = [&] {
        return std::to_integer<std::uint64_t>(
            *const_cast<const volatile std::byte*>(message.data()));
      };
      bench.count[0] = letter();
      bench.is_ready[1] = 1;
      within(soon_ns, [&] { return bench.is_ready[0] == 2; });
      bench.count[1] = letter();
    });
    within(sure_ns, [&] { return bench.ended_ns[1] != 0; });
    if (bench.error[1][0] != '\0') return std::string("error: ") + bench.error[1];
    return {static_cast<char>(bench.count[0].load()), static_cast<char>(bench.count[1].load())};
  });
  const std::string seen = answer.value_or("?");
  if (seen == "bc")
    return {"copies", "0", claimed == 0 ? Verdict::proved : Verdict::contradicted,
            "what the sender changes later, the receiver sees"};
  if (seen == "bb")
    return {"copies", fmt::format("{}", claimed),
            claimed == 1 ? Verdict::proved : Verdict::contradicted,
            "taken at the receive: a change before it is seen, one after it isn't"};
  if (seen == "aa")
    return {"copies", fmt::format("{}", claimed),
            claimed >= 1 ? Verdict::proved : Verdict::contradicted,
            "at least one: the receiver sees no change of the sender's buffer"};
  return {"copies", seen, Verdict::contradicted, fmt::format("claimed is {}", claimed)};
}

Proof found_by(const Subject& subject) {
  const std::string naming(text(subject.facts().naming));
  if (subject.facts().naming == Naming::inherited)
    return untestable("found by", naming, "it has no name that another process could try");
  std::size_t scenario = 0;
  while (subject.row().cells.at(scenario) == nullptr) ++scenario;
  Params params;
  params.size = subject.at_most(64);
  params.count = 100;
  params.warmup_ns = 0;
  params.timeout_ns = 5'000 * ms;
  params.manner.start = Start::exec;
  Interrupts interrupts;
  const Outcome outcome = execute(subject.row(), scenario, params, subject.directory(), interrupts);
  if (outcome.status == Status::failed)
    return {"found by", naming, Verdict::contradicted, outcome.reason};
  return {"found by", naming, Verdict::proved, "two programs met by it, and exchanged messages"};
}

/// Whether a file with the transport's data lies in the directory.
bool left_a_file(const RunDirectory& directory) {
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name.find(':') == std::string::npos &&
        name.find(".note") == std::string::npos && entry.file_size() > 0)
      return true;
  }
  return false;
}

/// A message is sent, all processes die, and another one looks for it.
std::string life_of_a_message(const Subject& subject, const LinkMaker& maker) {
  const std::size_t size = subject.at_most(8);
  subject.directory().keep_names(true);
  in_the_lab([&](Bench& bench) -> std::string {
    AnyLink& link = Subject::make(maker, subject.shape(size));
    fork_subject(bench, 1, [&] {
      const auto end = link.consumer();
      while (true) ::pause();
    });
    fork_subject(bench, 0, [&] {
      const auto end = link.producer();
      put(*end, size, 'x');
      bench.is_ready[0] = 1;
      while (true) ::pause();
    });
    within(soon_ns, [&] { return bench.is_ready[0] == 1; });
    return "";
  });
  const bool has_file = left_a_file(subject.directory());
  const auto answer = in_the_lab(
      [&](Bench&) -> std::string {
        const RunDirectory directory(RunDirectory::Join{}, subject.directory().path(), false);
        Shape shape = subject.shape(size);
        shape.directory = &directory;
        AnyLink& link = Subject::make(maker, shape);
        return take(*link.consumer(), size);
      },
      soon_ns);
  subject.directory().keep_names(false);
  subject.directory().clear();
  if (answer != std::string(size, 'x')) return std::string(text(Persistence::process));
  return std::string(text(has_file ? Persistence::filesystem : Persistence::kernel));
}

Proof lives(const Subject& subject) {
  const std::string_view claimed = text(subject.facts().persistence);
  const LinkMaker* maker = subject.channel();
  if (subject.facts().naming == Naming::inherited || subject.facts().naming == Naming::pid)
    return compare("lives", std::string(text(Persistence::process)), claimed,
                   "without its processes there is no way to it");
  if (maker == nullptr)
    return untestable("lives", std::string(claimed),
                      "it keeps no message that could be looked for");
  return compare(
      "lives", life_of_a_message(subject, *maker), claimed,
      "a message was sent, all its processes were killed, another process looked for it");
}

/// One side is killed while the other one waits in `body`, which counts what it has done.
std::string survive(const Subject& subject, const LinkMaker& maker, bool kill_producer,
                    const std::function<void(AnyEnd&, Bench&)>& survivor,
                    const std::function<void(AnyEnd&)>& victim) {
  const auto answer = subject.ask([&](Bench& bench) -> std::string {
    AnyLink& link = Subject::make(maker, subject.shape(subject.at_most(64)));
    const auto body = [&](bool is_producer) {
      return [&, is_producer] {
        const auto end = is_producer ? link.producer() : link.consumer();
        const std::size_t index = is_producer ? 0 : 1;
        if (is_producer == kill_producer) {
          victim(*end);
          bench.is_ready[index] = 1;
          while (true) ::pause();
        }
        bench.is_ready[index] = 1;
        within(sure_ns, [&] { return bench.is_ready[1 - index] == 1; });
        survivor(*end, bench);
      };
    };
    const pid_t producer = fork_subject(bench, 0, body(true));
    const pid_t consumer = fork_subject(bench, 1, body(false));
    let_go_of_descriptors();
    if (!within(sure_ns, [&] { return bench.is_ready[0] + bench.is_ready[1] == 2; }))
      return "never met";
    within(20 * ms, [&] { return false; });  // the survivor gets into its call
    bench.is_ready[3] = 1;
    const std::int64_t killed_ns = monotonic_ns();
    ::kill(kill_producer ? producer : consumer, SIGKILL);
    const std::size_t index = kill_producer ? 1 : 0;
    if (!within(soon_ns, [&] { return bench.ended_ns[index] != 0; })) return "nothing";
    const std::string_view error = bench.error[index];
    return fmt::format("{} {}", error.empty() ? "returns" : error,
                       after_text(killed_ns, bench.ended_ns[index]));
  });
  return answer.value_or("?");
}

constexpr std::string_view survivor_how = "the other side was killed; 0.3 s were waited";

Proof reader_survives(const Subject& subject) {
  const auto idle = [](AnyEnd&) {};
  std::string seen;
  if (const LinkMaker* maker = subject.channel()) {
    const std::size_t size = subject.at_most(64);
    seen = survive(
        subject, *maker, true, [&](AnyEnd& end, Bench&) { take(end, size); }, idle);
  } else if (const LinkMaker* signal = subject.signal()) {
    seen = survive(
        subject, *signal, true, [](AnyEnd& end, Bench&) { end.wait(); }, idle);
  } else if (const LinkMaker* lock = subject.lock()) {
    seen = survive(
        subject, *lock, true, [](AnyEnd& end, Bench&) { end.lock(); },
        [](AnyEnd& end) { end.lock(); });
    if (seen.starts_with("returns")) seen.replace(0, 7, "gets the lock");
  } else {
    return untestable("survivor reads", "–", "no end waits");
  }
  return {"survivor reads", seen, Verdict::proved, std::string(survivor_how)};
}

Proof sender_survives(const Subject& subject) {
  const LinkMaker* maker = subject.channel();
  if (maker == nullptr) return untestable("survivor sends", "–", "it sends no messages");
  const std::size_t size = subject.at_most(64);
  const std::string seen = survive(
      subject, *maker, false,
      [&](AnyEnd& end, Bench& bench) {
        while (bench.is_ready[3] == 0) ::sched_yield();
        within(10 * ms, [] { return false; });  // the kill has arrived
        for (int i = 0; i < 100'000; ++i) put(end, size, 'x');
      },
      [](AnyEnd&) {});
  return {"survivor sends",
          seen.starts_with("returns") ? "goes on"
          : seen == "nothing"         ? "blocks"
                                      : seen,
          Verdict::proved, std::string(survivor_how)};
}

Proof epoll(const Subject& subject) {
  const bool claimed = subject.facts().pollable;
  if (!claimed && subject.facts().handle == Handle::fd)
    return untestable("epoll", "no", "its descriptor isn't one that epoll takes");
  if (!claimed) return {"epoll", "no", Verdict::proved, "it holds no descriptor"};
  const LinkMaker* maker = subject.channel() != nullptr ? subject.channel() : subject.signal();
  if (maker == nullptr) return untestable("epoll", "yes", "nothing waits");
  const bool is_channel = maker->consumer.receive;
  const std::size_t size = subject.at_most(8);
  const auto answer = subject.ask([&](Bench& bench) -> std::string {
    Shape shape = subject.shape(size);
    shape.waiting = Waiting::poll;
    AnyLink& link = Subject::make(*maker, shape);
    fork_subject(bench, 0, [&] {
      const auto end = link.producer();
      within(sure_ns, [&] { return bench.is_ready[1] == 1; });
      within(50 * ms, [] { return false; });
      is_channel ? put(*end, size, 'x') : end->notify();
      while (true) ::pause();
    });
    fork_subject(bench, 1, [&] {
      const auto end = link.consumer();
      bench.is_ready[1] = 1;
      const auto cpu_ns = [] {
        timespec time;
        ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return static_cast<std::uint64_t>(time.tv_sec * 1'000'000'000 + time.tv_nsec);
      };
      const std::uint64_t before = cpu_ns();
      is_channel ? void(take(*end, size)) : end->wait();
      bench.count[1] = cpu_ns() - before;
    });
    if (!within(sure_ns, [&] { return bench.ended_ns[1] != 0; })) return "no";
    if (bench.error[1][0] != '\0') return bench.error[1];
    return bench.count[1] < 20 * ms ? "yes" : "no: it never slept";
  });
  return compare("epoll", answer.value_or("?"), "yes",
                 "a non-blocking end slept in epoll_wait until a message came 50 ms later");
}

/// Two producers write blocks of their own letter; whether every block arrives whole.
std::string mixing(const Subject& subject, const LinkMaker& maker, std::size_t size, int blocks) {
  const auto answer = subject.ask([&](Bench& bench) -> std::string {
    Shape shape = subject.shape(size);
    shape.producers = 2;
    AnyLink& link = Subject::make(maker, shape);
    for (const std::size_t who : {0, 2})
      fork_subject(bench, who, [&, who] {
        const auto end = link.producer();
        for (int i = 0; i < blocks; ++i) put(*end, size, who == 0 ? 'a' : 'b');
        while (true) ::pause();
      });
    fork_subject(bench, 1, [&] {
      const auto end = link.consumer();
      for (int i = 0; i < 2 * blocks; ++i) {
        const std::string block = take(*end, size);
        if (block.find_first_not_of(block[0]) != std::string::npos) ++bench.count[1];
      }
    });
    if (!within(sure_ns, [&] { return bench.ended_ns[1] != 0; })) return "?";
    if (bench.error[1][0] != '\0') return bench.error[1];
    return bench.count[1] == 0 ? "whole" : "mixed";
  });
  return answer.value_or("?");
}

Proof atomicity(const Subject& subject) {
  const LinkMaker* maker = subject.channel();
  if (maker == nullptr) return untestable("atomic", "–", "it carries no messages");
  if (subject.facts().peers == Peers::one_to_one)
    return untestable("atomic", "–", "the object serves one writer");
  const std::size_t small = subject.at_most(4096);
  const std::string up_to = mixing(subject, *maker, small, 200);
  std::string seen = fmt::format("{} {}", size_text(small), up_to);
  if (subject.facts().boundary == Boundary::stream)
    seen += fmt::format(", {} {}", size_text(65536), mixing(subject, *maker, 65536, 50));
  return {"atomic", seen, up_to == "whole" ? Verdict::proved : Verdict::contradicted,
          "two writers at once, each with a letter of its own"};
}

struct Experiment {
  std::string_view fact;
  Proof (*conduct)(const Subject&);
};

constexpr Experiment experiments[] = {{"found by", found_by},
                                      {"boundary", boundary},
                                      {"direction", direction},
                                      {"order", order},
                                      {"lives", lives},
                                      {"largest", largest},
                                      {"holds", holds},
                                      {"readers", readers},
                                      {"copies", copies},
                                      {"atomic", atomicity},
                                      {"epoll", epoll},
                                      {"survivor reads", reader_survives},
                                      {"survivor sends", sender_survives}};

}  // namespace

std::string_view text(Verdict verdict) {
  switch (verdict) {
    case Verdict::proved:
      return "proved";
    case Verdict::contradicted:
      return "contradicted";
    case Verdict::untestable:
      return "not testable here";
  }
  return "?";
}

std::vector<std::string_view> probe_facts() {
  std::vector<std::string_view> facts;
  for (const Experiment& experiment : experiments) facts.push_back(experiment.fact);
  return facts;
}

std::vector<Proof> probe(const Row& row, const RunDirectory& directory) {
  const Subject subject(row, directory);
  std::vector<Proof> proofs;
  for (const Experiment& experiment : experiments) proofs.push_back(experiment.conduct(subject));
  return proofs;
}

}  // namespace ipcbench
