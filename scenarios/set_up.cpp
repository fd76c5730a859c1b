#include "scenarios/set_up.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "harness/futex.h"
#include "harness/stats.h"
#include "scenarios/payload.h"

namespace ipcbench {
namespace {

/// So many at least, that a median has ten values beyond it.
constexpr std::size_t lives_min = 24;
constexpr std::size_t lives_max = 2000;

/// What the two processes of one life tell the one that made their link. Times are of
/// CLOCK_MONOTONIC.
struct Life {
  std::atomic<std::uint32_t> ready;
  std::atomic<std::uint32_t> go;
  std::atomic<std::uint32_t> open;  ///< ends that are connected
  std::atomic<std::uint32_t> over;  ///< ends that are done with the message
  std::int64_t connect_ns[2];
  std::int64_t first_sent;
  std::int64_t first_got;
  std::int64_t close_ns[2];
  char error[2][200];
};

constexpr std::size_t producer = 0;

/// One use of the link: a message, a notification, or the lock taken and left.
void use(AnyEnd& end, std::size_t who, std::size_t size, Life& life) {
  const Verbs verbs = end.verbs();
  if (verbs.lock) {
    if (who == producer) life.first_sent = monotonic_ns();
    end.lock();
    end.unlock();
    if (who == producer) life.first_got = monotonic_ns();
  } else if (who == producer) {
    life.first_sent = monotonic_ns();
    if (!verbs.send) return end.notify();
    write_payload(end.reserve(size), 1);
    end.commit();
  } else {
    if (verbs.receive) {
      read_payload(end.peek(size), 1, size);
      end.release();
    } else {
      end.wait();
    }
    life.first_got = monotonic_ns();
  }
}

/// Waits until both have come here.
void meet(std::atomic<std::uint32_t>& here) {
  if (here.fetch_add(1) + 1 == 2) futex_wake(here, 2);
  for (std::uint32_t seen = here.load(); seen < 2; seen = here.load()) futex_wait(here, seen);
}

void live(AnyLink& link, std::size_t who, std::size_t size, Life& life) {
  life.ready.fetch_add(1);
  while (life.go.load() == 0) futex_wait(life.go, 0);
  const std::int64_t begin = monotonic_ns();
  std::unique_ptr<AnyEnd> end = who == producer ? link.producer() : link.consumer();
  life.connect_ns[who] = monotonic_ns() - begin;
  meet(life.open);
  use(*end, who, size, life);
  meet(life.over);  // some ends take what was sent with them
  const std::int64_t done = monotonic_ns();
  end.reset();
  life.close_ns[who] = monotonic_ns() - done;
}

pid_t fork_end(AnyLink& link, std::size_t who, const Params& params, Life& life) {
  const pid_t parent = ::getpid();
  const pid_t pid = check(::fork(), "fork");
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  try {
    pin(params.cpus[who]);
    live(link, who, params.size, life);
  } catch (const std::exception& error) {
    std::strncpy(life.error[who], error.what(), sizeof life.error[who] - 1);
    ::_exit(1);
  }
  ::_exit(0);
}

/// Waits for both. When one fails, the other, which may wait for it, is killed.
void reap(std::array<pid_t, 2> pids, const Life& life) {
  bool failed = false;
  for (int left = 2; left > 0; --left) {
    int status = 0;
    const pid_t pid = check(retry([&] { return ::wait(&status); }), "wait");
    if (status == 0 || failed) continue;
    failed = true;
    for (const pid_t other : pids)
      if (other != pid) ::kill(other, SIGKILL);
  }
  if (!failed) return;
  for (const char* error : life.error)
    if (*error != '\0') throw std::runtime_error(error);
  throw std::runtime_error("a process of the link was killed");
}

struct Times {
  std::vector<double> create_ns;
  std::vector<double> connect_ns;
  std::vector<double> first_message_ns;
  std::vector<double> tear_down_ns;
};

void live_once(Runner& runner, const LinkMaker& maker, End& end, Life& life, Times& times) {
  new (&life) Life{};
  const std::int64_t begin = monotonic_ns();
  std::unique_ptr<AnyLink> link = maker.make(runner.shape());
  const std::int64_t create_ns = monotonic_ns() - begin;
  const std::array<pid_t, 2> pids{fork_end(*link, 0, runner.params(), life),
                                  fork_end(*link, 1, runner.params(), life)};
  while (life.ready.load() < 2) ::sched_yield();
  life.go.store(1);
  futex_wake(life.go, 2);
  reap(pids, life);
  const std::int64_t done = monotonic_ns();
  link.reset();
  const std::int64_t remove_ns = monotonic_ns() - done;
  const std::int64_t connect_ns = std::max(life.connect_ns[0], life.connect_ns[1]);
  const std::int64_t first_ns = life.first_got - life.first_sent;
  times.create_ns.push_back(static_cast<double>(create_ns));
  times.connect_ns.push_back(static_cast<double>(connect_ns));
  times.first_message_ns.push_back(static_cast<double>(first_ns));
  times.tear_down_ns.push_back(
      static_cast<double>(remove_ns + std::max(life.close_ns[0], life.close_ns[1])));
  end.histogram().record(static_cast<std::uint64_t>(create_ns + connect_ns + first_ns));
}

}  // namespace

void SetUp::run(Runner& runner, const LinkMaker& maker) {
  const Mapping memory(sizeof(Life));
  auto& life = *new (memory.data()) Life{};
  runner.run({{"founder", Side::producer, [&](End& end) {
                 const Params& params = runner.params();
                 Times warm_up;
                 live_once(runner, maker, end, life, warm_up);
                 end.histogram().clear();
                 Times times;
                 end.once([&] {
                   const std::int64_t stop = monotonic_ns() + params.min_time_ns;
                   const std::size_t least = params.count != 0 ? params.count : lives_min;
                   const std::size_t most = params.count != 0 ? params.count : lives_max;
                   std::uint64_t lives = 0;
                   while (lives < least || (lives < most && monotonic_ns() < stop)) {
                     end.at(lives);
                     live_once(runner, maker, end, life, times);
                     ++lives;
                   }
                   return lives;
                 });
                 const auto tell = [&](const char* name, const std::vector<double>& values) {
                   end.set_value(name, quantile(values, 0.5).value());
                 };
                 tell("create_ns", times.create_ns);
                 tell("connect_ns", times.connect_ns);
                 tell("first_message_ns", times.first_message_ns);
                 tell("tear_down_ns", times.tear_down_ns);
               }}});
}

}  // namespace ipcbench
