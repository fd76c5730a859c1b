// What outlives the processes that used it: messages, names; and what a survivor sees.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/clock.h"
#include "harness/experiments.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

namespace fs = std::filesystem;

bool is_note(const std::string& file) {
  return file.find(".note") != std::string::npos;
}

/// "shm:name": what it is to people.
std::string kind_of(const std::string& note) {
  const std::string kind = note.substr(0, note.find(':'));
  if (kind == "shm") return "POSIX shared memory";
  if (kind == "mq") return "POSIX queue";
  if (kind == "sem") return "POSIX semaphore";
  if (kind == "sysv_msg") return "System V queue";
  if (kind == "sysv_shm") return "System V memory";
  if (kind == "sysv_sem") return "System V semaphores";
  return kind;
}

/// Removes what lies in the directory, and says what it was.
std::set<std::string> clear_away(const RunDirectory& directory) {
  std::set<std::string> kinds;
  for (const auto& entry : fs::directory_iterator(directory.path())) {
    const std::string file = entry.path().filename().string();
    if (file.find(':') != std::string::npos || is_note(file)) continue;
    kinds.insert(entry.is_fifo() ? "FIFO" : entry.is_socket() ? "socket" : "file");
  }
  for (const std::string& object : directory.clear())
    if (!object.starts_with('/')) kinds.insert(kind_of(object));
  return kinds;
}

/// Both ends are opened, one plays its part, and all die.
void live_and_die(const Subject& subject, const LinkMaker& maker,
                  const std::function<void(AnyEnd&)>& producer) {
  in_the_lab([&](Bench& bench) -> std::string {
    AnyLink& link = make(maker, subject.shape(subject.at_most(8)));
    cast(bench, link, producer, [](AnyEnd&) {});
    happens(bench, [&] { return bench.ended_ns[0] != 0; });
    return "";
  });
}

/// Whether another process, which finds the link by its names, gets what it asks for.
bool is_there(const Subject& subject, const LinkMaker& maker,
              const std::function<bool(AnyEnd&)>& ask) {
  const std::string answer = in_the_lab([&](Bench& bench) -> std::string {
    fork_subject(bench, 1, [&] {
      const RunDirectory directory(RunDirectory::Join{}, subject.directory().path(), false);
      Shape shape = subject.shape(subject.at_most(8));
      shape.directory = &directory;
      AnyLink& link = make(maker, shape);
      if (ask(*link.consumer())) bench.count[1] = 1;
    });
    return happens(bench, [&] { return bench.ended_ns[1] != 0; }) && bench.count[1] == 1 ? "yes"
                                                                                         : "no";
  });
  return answer == "yes";
}

/// Where what is there still must be kept.
std::string_view keeper(const RunDirectory& directory) {
  for (const auto& entry : fs::directory_iterator(directory.path())) {
    const std::string file = entry.path().filename().string();
    if (entry.is_regular_file() && file.find(':') == std::string::npos && !is_note(file))
      return text(Persistence::filesystem);
  }
  return text(Persistence::kernel);
}

/// How long a message lives that nobody takes.
std::string life_of_message(const Subject& subject, const LinkMaker& maker) {
  const KeptNames kept(subject.directory());
  const std::size_t size = subject.at_most(8);
  live_and_die(subject, maker, [&](AnyEnd& end) { put(end, size, 'x'); });
  const std::string_view where = keeper(subject.directory());
  const bool is_found = is_there(
      subject, maker, [&](AnyEnd& end) { return take(end, size) == std::string(size, 'x'); });
  return std::string(is_found ? where : text(Persistence::process));
}

/// How long a notification lives that nobody waits for: "?" where a wait is over without one, too.
std::string life_of_notification(const Subject& subject, const LinkMaker& maker) {
  const auto waits = [](AnyEnd& end) {
    end.wait();
    return true;
  };
  std::string_view where;
  {
    const KeptNames kept(subject.directory());
    live_and_die(subject, maker, [](AnyEnd&) {});
    where = keeper(subject.directory());
    if (is_there(subject, maker, waits)) return "?";
  }
  const KeptNames kept(subject.directory());
  live_and_die(subject, maker, [](AnyEnd& end) { end.notify(); });
  return std::string(is_there(subject, maker, waits) ? where : text(Persistence::process));
}

/// One side is killed when it has played its part; what the other one sees. `told` is called in
/// the survivor when it knows of the death.
struct Death {
  bool of_producer;
  std::function<void(AnyEnd&)> victim;
  /// Waits in the mechanism while the other one dies, or, if `is_told`, begins afterwards.
  std::function<void(AnyEnd&, Bench&)> survivor;
  bool is_told = false;
};

/// What came of it: "" where nothing did, for `quiet_ns`.
struct Survival {
  std::string sign;   ///< "EOF", "EPIPE", "returns"; "nothing"
  std::string after;  ///< "1.2 ms"
  std::string words;  ///< the error in full
  std::uint64_t sent = 0;
  bool knows = false;  ///< a lock knew of the death
};

Survival survive(const Subject& subject, const LinkMaker& maker, const Death& death) {
  constexpr std::int64_t quiet_ns = 300'000'000;
  const std::string answer = subject.ask([&](Bench& bench) -> std::string {
    AnyLink& link = make(maker, subject.shape(subject.at_most(64)));
    const std::size_t victim = death.of_producer ? 0 : 1;
    const std::size_t survivor = 1 - victim;
    const auto die = [&](AnyEnd& end) {
      death.victim(end);
      bench.step[victim] = 1;
    };
    const auto go_on = [&](AnyEnd& end) {
      await([&] { return bench.step[victim] == 1 && (!death.is_told || bench.step[3] == 1); });
      death.survivor(end, bench);
    };
    cast(bench, link,
         {{true, death.of_producer ? std::function(die) : go_on},
          {false, death.of_producer ? std::function(go_on) : die}});
    happens(bench, [&] { return bench.step[victim] == 1; });
    happens(
        bench, [] { return false; }, 20'000'000);  // the survivor gets into its call
    std::int64_t since_ns = monotonic_ns();
    kill_subject(bench, victim);
    if (death.is_told) since_ns = monotonic_ns();
    bench.step[3] = 1;
    const bool ended = happens(
        bench, [&] { return bench.ended_ns[survivor] != 0; }, quiet_ns);
    const std::int64_t after_ns = std::max<std::int64_t>(0, bench.ended_ns[survivor] - since_ns);
    const std::string_view sign = bench.sign[survivor];
    return fmt::format("{}\n{}\n{}\n{}\n{}",
                       !ended         ? "nothing"
                       : sign.empty() ? "returns"
                                      : sign,
                       duration_text(static_cast<double>(after_ns)), bench.count[survivor].load(),
                       bench.step[2].load(), bench.error[survivor]);
  });
  std::vector<std::string> lines;
  for (std::size_t at = 0; lines.size() < 4; at = answer.find('\n', at) + 1)
    lines.push_back(answer.substr(at, answer.find('\n', at) - at));
  return {.sign = lines[0],
          .after = lines[1],
          .words = answer.substr(lines[0].size() + lines[1].size() + lines[2].size() +
                                 lines[3].size() + 4),
          .sent = parse_number(lines[2], "messages", 0, 1'000'000),
          .knows = lines[3] == "1"};
}

std::string waiting_text(const Survival& survival) {
  return survival.sign == "nothing" ? "nothing" : survival.sign + " after " + survival.after;
}

std::string how_survived(std::string how, const Survival& survival) {
  if (!survival.words.empty()) how += ": " + survival.words;
  if (survival.sign == "nothing") how += "; 0.3 s were waited";
  return how;
}

Survival lock_survives(const Subject& subject, const LinkMaker& maker) {
  Survival survival = survive(subject, maker,
                              {.of_producer = true,
                               .victim = [](AnyEnd& end) { end.lock(); },
                               .survivor =
                                   [](AnyEnd& end, Bench& bench) {
                                     end.lock();
                                     if (end.knows_of_death()) bench.step[2] = 1;
                                   }});
  if (survival.sign == "returns")
    survival.sign = survival.knows ? "EOWNERDEAD, has the lock" : "has the lock";
  return survival;
}

}  // namespace

Proof lives(const Subject& subject) {
  const Facts& facts = subject.facts();
  const std::string claimed(text(facts.persistence));
  const bool has_no_name = facts.naming == Naming::inherited || facts.naming == Naming::pid;
  if (has_no_name && facts.persistence == Persistence::process)
    return proved(claimed, "without its processes there is no way to it");
  if (const LinkMaker* maker = subject.channel())
    return compare(life_of_message(subject, *maker), claimed,
                   "a message was sent, all its processes were killed, another one looked for it");
  if (const LinkMaker* maker = subject.signal()) {
    const std::string seen = life_of_notification(subject, *maker);
    if (seen == "?") return untestable(claimed, "without a notification a wait is over, too");
    return compare(seen, claimed,
                   "it was notified, all its processes were killed, another one waited");
  }
  return untestable(claimed, "a lock has nothing to be looked for");
}

Proof name_left(const Subject& subject) {
  const KeptNames kept(subject.directory());
  live_and_die(subject, subject.row().links.front(), [](AnyEnd&) {});
  const std::set<std::string> left = clear_away(subject.directory());
  return proved(left.empty() ? "none" : fmt::format("{}", fmt::join(left, ", ")),
                "its processes were killed; what was there afterwards");
}

Proof survivor_waits(const Subject& subject) {
  const auto nothing = [](AnyEnd&) {};
  if (const LinkMaker* maker = subject.channel()) {
    const std::size_t size = subject.at_most(64);
    const Survival survival =
        survive(subject, *maker,
                {.of_producer = true, .victim = nothing, .survivor = [&](AnyEnd& end, Bench&) {
                   take(end, size);
                 }});
    return proved(waiting_text(survival),
                  how_survived("the sender was killed while it was waited for", survival));
  }
  std::vector<std::string> seen;
  std::vector<std::string> how;
  const LinkMaker* signal = subject.signal();
  const LinkMaker* lock = subject.lock();
  if (signal != nullptr) {
    const Survival survival =
        survive(subject, *signal,
                {.of_producer = true, .victim = nothing, .survivor = [](AnyEnd& end, Bench&) {
                   end.wait();
                 }});
    seen.push_back((lock != nullptr ? "wait: " : "") + waiting_text(survival));
    how.push_back(how_survived("who would notify was killed", survival));
  }
  if (lock != nullptr) {
    const Survival survival = lock_survives(subject, *lock);
    seen.push_back((signal != nullptr ? "lock: " : "") + waiting_text(survival));
    how.push_back(how_survived("the holder of the lock was killed", survival));
  }
  return proved(fmt::format("{}", fmt::join(seen, "; ")), fmt::format("{}", fmt::join(how, "; ")));
}

Proof survivor_sends(const Subject& subject) {
  const LinkMaker* maker = subject.channel();
  if (maker == nullptr) return untestable("–", "it sends no messages");
  constexpr std::uint64_t enough = 100'000;
  const std::size_t size = subject.at_most(64);
  const Survival survival = survive(subject, *maker,
                                    {.of_producer = false,
                                     .victim = [](AnyEnd&) {},
                                     .survivor =
                                         [&](AnyEnd& end, Bench& bench) {
                                           for (; bench.count[0] < enough; ++bench.count[0])
                                             put(end, size, 'x');
                                         },
                                     .is_told = true});
  if (survival.sign == "returns")
    return proved("goes on", fmt::format("{} messages were sent to nobody", enough));
  if (survival.sign == "nothing")
    return proved(
        survival.sent == 0 ? std::string("blocks") : fmt::format("blocks after {}", survival.sent),
        how_survived("the receiver was killed; so many were sent", survival));
  return proved(
      fmt::format("{} at message {}", survival.sign, survival.sent + 1),
      how_survived(fmt::format("the receiver was killed; {} after the first send", survival.after),
                   survival));
}

}  // namespace ipcbench
