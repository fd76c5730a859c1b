// How processes find an object, what they hold of it, and whether epoll can wait for that.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "harness/driver.h"
#include "harness/experiments.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

namespace fs = std::filesystem;

const LinkMaker& any_maker(const Subject& subject) {
  return subject.row().links.front();
}

/// What lies there while two ends are open: "a path", "POSIX shm", "note" …
std::set<std::string> names_in_use(const Subject& subject) {
  const KeptNames kept(subject.directory());
  std::set<std::string> kinds;
  const std::string answer = in_the_lab([&](Bench& bench) -> std::string {
    AnyLink& link = make(any_maker(subject), subject.shape(subject.at_most(64)));
    const auto idle = [](AnyEnd&) {};
    cast(bench, link, idle, idle);
    std::string lines;
    for (const auto& entry : fs::directory_iterator(subject.directory().path())) {
      const std::string file = entry.path().filename().string();
      const std::size_t colon = file.find(':');
      lines += colon != std::string::npos                ? file.substr(0, colon)
               : file.find(".note") != std::string::npos ? "note"
                                                         : "path";
      lines += ' ';
    }
    if (read_text("/proc/net/unix").find("@ipcbench-" + subject.directory().token()) !=
        std::string::npos)
      lines += "abstract ";
    return lines;
  });
  for (std::size_t at = 0; at < answer.size();) {
    const std::size_t end = answer.find(' ', at);
    kinds.insert(answer.substr(at, end - at));
    at = end + 1;
  }
  return kinds;
}

/// Which of these kinds of names a way of naming takes.
std::set<std::string> names_for(Naming naming) {
  switch (naming) {
    case Naming::inherited:
      return {};
    case Naming::pathname:
      return {"path", "shm", "mq", "sem", "note"};  // a pty's path is the kernel's, and noted
    case Naming::abstract:
      return {"abstract"};
    case Naming::key:
      return {"sysv_msg", "sysv_shm", "sysv_sem"};
    case Naming::port:
    case Naming::pid:
      return {"note", "shm"};  // numbers that one end learns and tells the other
  }
  return {};
}

/// The descriptors of the calling process.
std::set<int> descriptors() {
  std::set<int> fds;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd"))
    fds.insert(std::stoi(entry.path().filename().string()));
  std::erase_if(fds, [](int fd) { return ::fcntl(fd, F_GETFD) == -1; });  // the iterator's own
  return fds;
}

/// Those that weren't there before.
std::vector<int> new_descriptors(const std::set<int>& before) {
  const std::set<int> now = descriptors();
  std::vector<int> fds;
  std::set_difference(now.begin(), now.end(), before.begin(), before.end(),
                      std::back_inserter(fds));
  return fds;
}

/// How many mappings of the calling process are shared.
std::size_t shared_mappings() {
  std::size_t count = 0;
  const std::string maps = read_text("/proc/self/maps");
  for (std::size_t at = 0; at < maps.size(); at = std::min(maps.find('\n', at), maps.size()) + 1)
    if (const std::size_t mode = maps.find(' ', at); mode != std::string::npos)
      count += maps.substr(mode + 1, 4).ends_with('s') ? 1U : 0U;
  return count;
}

/// What the ends have that they hadn't before there was a link.
struct Holdings {
  std::uint64_t descriptors = 0;
  std::uint64_t mappings = 0;
  std::uint64_t pollable = 0;  ///< descriptors that epoll takes
};

std::uint64_t count_pollable(const std::vector<int>& fds) {
  const Fd epoll(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  epoll_event interest{};
  interest.events = EPOLLIN;
  return static_cast<std::uint64_t>(std::count_if(fds.begin(), fds.end(), [&](int fd) {
    return ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &interest) == 0;
  }));
}

Holdings holdings(const Subject& subject) {
  const std::string numbers = subject.ask([&](Bench& bench) -> std::string {
    const std::set<int> before = descriptors();
    const std::size_t mappings = shared_mappings();
    AnyLink& link = make(any_maker(subject), subject.shape(subject.at_most(64)));
    const auto look = [&](AnyEnd&) {
      const std::vector<int> fds = new_descriptors(before);
      bench.count[2] += fds.size();
      bench.count[3] += count_pollable(fds);
      bench.step[2] += static_cast<std::uint32_t>(shared_mappings() - mappings);
    };
    cast(bench, link, look, look);
    happens(bench, [&] { return bench.ended_ns[0] != 0 && bench.ended_ns[1] != 0; });
    return fmt::format("{} {} {}", bench.count[2].load(), bench.step[2].load(),
                       bench.count[3].load());
  });
  Holdings held;
  const int read = std::sscanf(numbers.c_str(), "%lu %lu %lu", &held.descriptors, &held.mappings,
                               &held.pollable);
  if (read != 3) throw std::runtime_error("no answer from its ends");
  return held;
}

/// Whether the process sleeps in epoll_wait(2). Throws Undecided where nothing tells.
bool is_in_epoll(pid_t pid) {
  const std::string call = read_text(fmt::format("/proc/{}/syscall", pid));
  if (call.empty()) throw Undecided("/proc/PID/syscall can't be read");
  for (const long number : {
#ifdef SYS_epoll_wait
           long{SYS_epoll_wait},
#endif
           long{SYS_epoll_pwait}})
    if (call.starts_with(fmt::format("{} ", number))) return true;
  return false;
}

/// A non-blocking end waits for a message that comes once it stands still.
std::string sleeps_in_epoll(Bench& bench, const Subject& subject, const LinkMaker& maker) {
  const bool is_channel = maker.consumer.receive;
  const std::size_t size = subject.at_most(8);
  Shape shape = subject.shape(size);
  shape.waiting = Waiting::poll;
  AnyLink& link = make(maker, shape);
  cast(
      bench, link,
      [&](AnyEnd& end) {
        await([&] { return bench.step[2] == 1; });
        is_channel ? put(end, size, 'x') : end.notify();
      },
      [&](AnyEnd& end) { is_channel ? void(take(end, size)) : end.wait(); });
  happens(bench, [] { return false; });
  const bool is_asleep = is_in_epoll(bench.pid[1]);
  bench.step[2] = 1;
  if (!happens(bench, [&] { return bench.ended_ns[1] != 0; })) return "no: it never woke";
  if (const std::string error = first_error(bench); !error.empty()) return error;
  return is_asleep ? "yes" : "no: it waits in another call";
}

}  // namespace

Proof name(const Subject& subject) {
  const Naming naming = subject.facts().naming;
  const std::string claimed(text(naming));
  const std::set<std::string> seen = names_in_use(subject);
  std::string how = "seen while it is in use:";
  for (const std::string& kind : seen) how += " " + kind;
  if (seen.empty()) how += " nothing";
  if (naming == Naming::inherited)
    return seen.empty() ? proved(claimed, "it makes no name")
                        : untestable(claimed, "a part of it has a name; " + how);
  // Beside what the processes tell each other of it.
  const bool is_unseen = seen.empty() || seen == std::set<std::string>{"note"};
  if ((seen.empty() && subject.facts().family == Family::kernel) ||
      (is_unseen && naming == Naming::key))
    return untestable(claimed, "only the kernel module knows its names");
  const std::set<std::string> fitting = names_for(naming);
  const bool fits = std::any_of(seen.begin(), seen.end(),
                                [&](const std::string& kind) { return fitting.contains(kind); });
  const bool is_number = naming == Naming::port || naming == Naming::pid;
  if (is_number && seen.empty())
    return untestable(claimed, "both ends derive the number from the name of their run");
  return fits ? proved(claimed, how) : contradicted(claimed, how);
}

Proof unrelated(const Subject& subject) {
  if (subject.facts().naming == Naming::inherited)
    return untestable("no", "it has no name that another program could try");
  std::size_t scenario = 0;
  while (subject.row().cells.at(scenario) == nullptr) ++scenario;
  Params params;
  params.size = subject.at_most(64);
  params.count = 20;
  params.warmup_ns = 0;
  params.timeout_ns = 30'000'000'000;
  params.manner.start = Start::exec;
  Interrupts interrupts;
  const Outcome outcome = execute(subject.row(), scenario, params, subject.directory(), interrupts);
  if (outcome.reason.starts_with("not done after")) throw Undecided(outcome.reason);
  if (outcome.status == Status::failed) return contradicted("no", outcome.reason);
  return proved("yes", "two programs met by its name, and exchanged messages");
}

Proof handle(const Subject& subject) {
  const Handle claimed = subject.facts().handle;
  const std::string value(text(claimed));
  const Holdings held = holdings(subject);
  const std::string how = fmt::format("its ends have {} descriptors and {} shared mappings",
                                      held.descriptors, held.mappings);
  switch (claimed) {
    case Handle::fd:
      return held.descriptors != 0 ? proved(value, how) : contradicted(value, how);
    case Handle::memory:
      return held.mappings != 0 ? proved(value, how) : contradicted(value, how);
    case Handle::library:
      return untestable(value, how + ", which the library makes");
    case Handle::id:
    case Handle::none:
      if (held.descriptors == 0 && held.mappings == 0) return proved(value, how);
      return untestable(value, how + ", for what goes with it");
  }
  return untestable(value, how);
}

Proof epoll(const Subject& subject) {
  if (!subject.facts().pollable) {
    const Holdings held = holdings(subject);
    if (held.descriptors == 0) return proved("no", "its ends hold no descriptor");
    if (held.pollable == 0) return proved("no", "epoll_ctl(2) refuses its descriptors");
    return untestable("no", "epoll takes a descriptor of it, but it waits in another call");
  }
  const LinkMaker* maker = subject.channel() != nullptr ? subject.channel() : subject.signal();
  if (maker == nullptr) return untestable("yes", "no end of it waits");
  const std::string seen =
      subject.ask([&](Bench& bench) { return sleeps_in_epoll(bench, subject, *maker); });
  return compare(seen, "yes", "a non-blocking end slept in epoll_wait(2) until a message came");
}

}  // namespace ipcbench
