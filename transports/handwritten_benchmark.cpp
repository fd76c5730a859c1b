// handwritten_benchmark: what the harness adds to a mechanism: cells of the table beside loops of
// the same system calls that are written by hand, in fresh processes, in alternating order.
//
// The loops by hand use nothing of transports/, of the scenarios, or of the harness's ends. They
// write and check every word of every message, as the cells do, and read the clock once a
// sub-batch. Printed are ratios, cell ÷ by hand, of the quiet-time estimate (the first quartile of
// the sub-batches): the median over pairs with its 95 % interval, and whether the interval lies
// within the target. It is a report: it exits with 1 only if something could not run.
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "harness/driver.h"
#include "harness/plan.h"
#include "harness/stats.h"

namespace ipcbench {
namespace {

constexpr std::size_t batches_max = ControlBlock::batches_max;
constexpr std::size_t size_max = 4096;
constexpr std::size_t words_max = size_max / 8;

/// What both sides of a comparison do.
struct Plan {
  std::size_t size = 64;
  std::size_t depth = 0;
  std::uint64_t warmup = 0;  ///< messages
  std::uint64_t batch = 0;   ///< messages of a sub-batch
  std::uint64_t batch_count = 0;
  std::array<int, 2> cpus{};
};

/// Nanoseconds per message.
struct Timing {
  double q25 = 0;
  double mean = 0;
};

Timing timing(std::span<const std::uint64_t> batch_ns, std::uint64_t batch, double mean) {
  const std::vector<double> times(batch_ns.begin(), batch_ns.end());
  return {quantile(times, 0.25).value_or(0) / static_cast<double>(batch), mean};
}

// ---- By hand: two processes, and what they share ------------------------------------------------

struct Shared {
  alignas(64) std::atomic<std::uint32_t> arrived;
  alignas(64) std::uint64_t elapsed_ns[2];
  std::uint64_t batch_ns[batches_max];
};

[[noreturn, gnu::cold, gnu::noinline]] void die(const char* what) {
  std::perror(what);
  ::_exit(1);
}

void meet(Shared& shared, std::uint32_t everybody) {
  shared.arrived.fetch_add(1);
  while (shared.arrived.load() < everybody) ::sched_yield();
}

template <class Loop>
void time_loop(Shared& shared, int side, bool is_timekeeper, const Plan& plan, Loop loop) {
  meet(shared, 2);
  loop(0, plan.warmup);
  meet(shared, 4);
  std::uint64_t first = plan.warmup;
  const std::int64_t start_ns = monotonic_ns();
  std::int64_t before_ns = start_ns;
  for (std::uint64_t i = 0; i != plan.batch_count; ++i) {
    loop(first, plan.batch);
    first += plan.batch;
    const std::int64_t now_ns = monotonic_ns();
    if (is_timekeeper) shared.batch_ns[i] = static_cast<std::uint64_t>(now_ns - before_ns);
    before_ns = now_ns;
  }
  shared.elapsed_ns[side] = static_cast<std::uint64_t>(before_ns - start_ns);
}

/// Forks two processes that run `body(shared, side)`, pinned, and waits for both.
template <class Body>
Timing time_pair(const Plan& plan, Body body) {
  const Mapping memory(sizeof(Shared));
  auto& shared = *new (memory.data()) Shared{};
  std::array<pid_t, 2> pids{};
  for (int side = 0; side < 2; ++side) {
    pids[side] = check(::fork(), "fork");
    if (pids[side] != 0) continue;
    ::alarm(20);  // the deadline: SIGALRM ends it
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<std::size_t>(plan.cpus[side]), &cpus);
    if (::sched_setaffinity(0, sizeof cpus, &cpus) != 0) die("sched_setaffinity");
    body(shared, side);
    ::_exit(0);
  }
  bool failed = false;
  for (const pid_t pid : pids) {
    int status = 0;
    retry([&] { return ::waitpid(pid, &status, 0); });
    failed = failed || status != 0;
  }
  if (failed) throw std::runtime_error("the loop by hand failed");
  const auto elapsed_ns = static_cast<double>(std::max(shared.elapsed_ns[0], shared.elapsed_ns[1]));
  return timing({shared.batch_ns, plan.batch_count}, plan.batch,
                elapsed_ns / static_cast<double>(plan.batch * plan.batch_count));
}

// ---- By hand: payload and mechanisms ------------------------------------------------------------

void fill(std::uint64_t* words, std::size_t size, std::uint64_t sequence) {
  const std::uint64_t word = sequence * 0x9E3779B97F4A7C15;
  for (std::size_t i = 0; i < size / 8; ++i) words[i] = word;
}

void verify(const std::uint64_t* words, std::size_t size, std::uint64_t sequence) {
  const std::uint64_t word = sequence * 0x9E3779B97F4A7C15;
  std::uint64_t difference = 0;
  for (std::size_t i = 0; i < size / 8; ++i) difference |= words[i] ^ word;
  if (difference != 0) [[unlikely]]
    die("a message arrived with other content");
}

struct PipeByHand {
  std::size_t size;
  int there[2];
  int back[2];

  struct End {
    std::size_t size;
    int in;
    int out;
    alignas(64) std::uint64_t words[words_max];

    void send(std::uint64_t sequence) {
      fill(words, size, sequence);
      if (::write(out, words, size) != static_cast<ssize_t>(size)) die("write");
    }
    void receive(std::uint64_t sequence) {
      if (::read(in, words, size) != static_cast<ssize_t>(size)) die("read");
      verify(words, size, sequence);
    }
  };

  explicit PipeByHand(const Plan& plan) : size(plan.size) {
    check(::pipe2(there, O_CLOEXEC), "pipe2");
    check(::pipe2(back, O_CLOEXEC), "pipe2");
  }
  ~PipeByHand() {
    for (const int fd : {there[0], there[1], back[0], back[1]}) ::close(fd);
  }
  End end(int side) const {
    return {size, side == 0 ? back[0] : there[0], side == 0 ? there[1] : back[1], {}};
  }
};

struct UnixStreamByHand {
  std::size_t size;
  int sockets[2];

  struct End {
    std::size_t size;
    int socket;
    alignas(64) std::uint64_t words[words_max];

    void send(std::uint64_t sequence) {
      fill(words, size, sequence);
      if (::send(socket, words, size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) die("send");
    }
    void receive(std::uint64_t sequence) {
      if (::recv(socket, words, size, MSG_WAITALL) != static_cast<ssize_t>(size)) die("recv");
      verify(words, size, sequence);
    }
  };

  explicit UnixStreamByHand(const Plan& plan) : size(plan.size) {
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), "socketpair");
  }
  ~UnixStreamByHand() {
    for (const int fd : sockets) ::close(fd);
  }
  End end(int side) const { return {size, sockets[side], {}}; }
};

struct PosixMqByHand {
  std::size_t size;
  mqd_t there;
  mqd_t back;

  struct End {
    std::size_t size;
    mqd_t in;
    mqd_t out;
    alignas(64) std::uint64_t words[words_max];

    void send(std::uint64_t sequence) {
      fill(words, size, sequence);
      if (::mq_send(out, reinterpret_cast<char*>(words), size, 0) != 0) die("mq_send");
    }
    void receive(std::uint64_t sequence) {
      if (::mq_receive(in, reinterpret_cast<char*>(words), size, nullptr) !=
          static_cast<ssize_t>(size))
        die("mq_receive");
      verify(words, size, sequence);
    }
  };

  explicit PosixMqByHand(const Plan& plan) : size(plan.size), there(open(plan)), back(open(plan)) {}
  ~PosixMqByHand() {
    ::mq_close(there);
    ::mq_close(back);
  }
  static mqd_t open(const Plan& plan) {
    const std::string name = fmt::format("/ipcbench-by-hand-{}", ::getpid());
    mq_attr attributes{};
    attributes.mq_maxmsg = static_cast<long>(plan.depth);
    attributes.mq_msgsize = static_cast<long>(plan.size);
    const mqd_t queue =
        check(::mq_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes),
              "mq_open", name);
    ::mq_unlink(name.c_str());
    return queue;
  }
  End end(int side) const { return {size, side == 0 ? back : there, side == 0 ? there : back, {}}; }
};

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

struct ShmPosixByHand {
  // A slot is a message and, behind it, its stamp: the message's size above its number.
  using Stamp = std::atomic<std::uint64_t>;
  struct Ring {
    std::atomic<std::uint32_t>* released = nullptr;
    char* slots = nullptr;
    std::uint32_t number = 0;
    std::uint32_t index = 0;
    std::uint32_t released_seen = 0;
  };
  std::size_t size;
  std::size_t stride;
  std::uint32_t depth;
  Mapping there_memory;
  Mapping back_memory;

  struct End {
    std::size_t size;
    std::size_t stride;
    std::uint32_t depth;
    Ring in;
    Ring out;

    void send(std::uint64_t sequence) {
      while (out.number - out.released_seen == depth) [[unlikely]] {
          out.released_seen = out.released->load(std::memory_order_acquire);
          if (out.number - out.released_seen == depth) relax();
        }
      char* slot = out.slots + out.index * stride;
      fill(reinterpret_cast<std::uint64_t*>(slot), size, sequence);
      reinterpret_cast<Stamp*>(slot + size)
          ->store(size << 32 | ++out.number, std::memory_order_release);
      if (++out.index == depth) out.index = 0;
    }
    void receive(std::uint64_t sequence) {
      const char* slot = in.slots + in.index * stride;
      const auto* stamp = reinterpret_cast<const Stamp*>(slot + size);
      const std::uint64_t awaited = size << 32 | (in.number + 1);
      __builtin_prefetch(slot);
      while (stamp->load(std::memory_order_acquire) != awaited) {
        relax();
        __builtin_prefetch(slot);
      }
      verify(reinterpret_cast<const std::uint64_t*>(slot), size, sequence);
      if (++in.index == depth) in.index = 0;
      in.released->store(++in.number, std::memory_order_release);
    }
  };

  explicit ShmPosixByHand(const Plan& plan)
      : size(plan.size),
        stride((plan.size + sizeof(Stamp) + 127) / 128 * 128),
        depth(static_cast<std::uint32_t>(plan.depth)),
        there_memory(open()),
        back_memory(open()) {}
  Mapping open() const {
    const std::string name = fmt::format("/ipcbench-by-hand-{}", ::getpid());
    const Fd fd(check(::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600),
                      "shm_open", name));
    ::shm_unlink(name.c_str());
    const std::size_t bytes = 128 + depth * stride;
    check(::ftruncate(fd.get(), static_cast<off_t>(bytes)), "ftruncate", name);
    return Mapping(bytes, fd.get());
  }
  static Ring ring(const Mapping& memory) {
    auto* start = reinterpret_cast<char*>(memory.data());
    return {.released = reinterpret_cast<std::atomic<std::uint32_t>*>(start), .slots = start + 128};
  }
  End end(int side) const {
    return {size, stride, depth, ring(side == 0 ? back_memory : there_memory),
            ring(side == 0 ? there_memory : back_memory)};
  }
};

template <class Mechanism>
Timing ping_pong_by_hand(const Plan& plan) {
  const Mechanism mechanism(plan);
  return time_pair(plan, [&](Shared& shared, int side) {
    auto end = mechanism.end(side);
    if (side == 0)
      time_loop(shared, side, true, plan, [&](std::uint64_t first, std::uint64_t count) {
        for (std::uint64_t i = first; i != first + count; ++i) {
          end.send(i);
          end.receive(i);
        }
      });
    else
      time_loop(shared, side, false, plan, [&](std::uint64_t first, std::uint64_t count) {
        for (std::uint64_t i = first; i != first + count; ++i) {
          end.receive(i);
          end.send(i);
        }
      });
  });
}

template <class Mechanism>
Timing flood_by_hand(const Plan& plan) {
  const Mechanism mechanism(plan);
  return time_pair(plan, [&](Shared& shared, int side) {
    auto end = mechanism.end(side);
    if (side == 0)
      time_loop(shared, side, false, plan, [&](std::uint64_t first, std::uint64_t count) {
        for (std::uint64_t i = first; i != first + count; ++i) end.send(i);
      });
    else
      time_loop(shared, side, true, plan, [&](std::uint64_t first, std::uint64_t count) {
        for (std::uint64_t i = first; i != first + count; ++i) end.receive(i);
      });
  });
}

/// The bounce of a cache line: each side spins on the other's counter, each in its own line.
Timing bounce_by_hand(const Plan& plan) {
  struct alignas(128) Line {
    std::atomic<std::uint64_t> number;
  };
  const Mapping memory(2 * sizeof(Line));
  auto* lines = new (memory.data()) Line[2]{};
  return time_pair(plan, [&](Shared& shared, int side) {
    std::atomic<std::uint64_t>& mine = lines[side].number;
    const std::atomic<std::uint64_t>& other = lines[1 - side].number;
    const auto await = [&](std::uint64_t number) {
      while (other.load(std::memory_order_acquire) != number) relax();
    };
    time_loop(shared, side, side == 0, plan, [&](std::uint64_t first, std::uint64_t count) {
      for (std::uint64_t i = first + 1; i != first + count + 1; ++i) {
        if (side == 1) await(i);
        mine.store(i, std::memory_order_release);
        if (side == 0) await(i);
      }
    });
  });
}

// ---- The cells, and the comparison --------------------------------------------------------------

/// What executing cells takes.
struct Bench {
  RunDirectory directory;
  Interrupts interrupts;
  TickRate tick_rate = measure_tick_rate();
};

struct Options {
  int pairs = 30;
  std::size_t size = 64;
  std::vector<int> cpus{0, 1};
  std::string filter;
};

/// One line of the report: a cell, what it is held against, and the ratio that is hoped for.
struct Case {
  std::string name;
  std::string_view transport;
  std::string_view scenario;
  std::size_t size;
  bool shares_core;
  Timing (*by_hand)(const Plan&);  ///< null: against the memcpy cell, as a ratio of bandwidths
  std::string_view target;
  double low;
  double high;
};

std::vector<Case> all_cases(std::size_t size) {
  std::vector<Case> cases;
  const auto add = [&]<class Mechanism>(std::type_identity<Mechanism>, std::string_view transport,
                                        bool shares_core) {
    for (const bool floods : {false, true})
      cases.push_back(
          {.name = fmt::format("{} {}", transport, floods ? "flood" : "ping_pong"),
           .transport = transport,
           .scenario = floods ? "flood" : "ping_pong",
           .size = size,
           .shares_core = shares_core,
           .by_hand = floods ? &flood_by_hand<Mechanism> : &ping_pong_by_hand<Mechanism>,
           .target = "3 %",
           .low = 0.97,
           .high = 1.03});
  };
  add(std::type_identity<PipeByHand>(), "pipe", true);
  add(std::type_identity<UnixStreamByHand>(), "unix_stream", true);
  add(std::type_identity<PosixMqByHand>(), "posix_mq", true);
  add(std::type_identity<ShmPosixByHand>(), "shm_posix.spin", false);
  for (const std::size_t bounced : {8, 64})
    cases.push_back({.name = "bounce",
                     .transport = "shm_posix.spin",
                     .scenario = "ping_pong",
                     .size = bounced,
                     .shares_core = false,
                     .by_hand = &bounce_by_hand,
                     .target = "15 %",
                     .low = 0,
                     .high = 1.15});
  cases.push_back({.name = "roofline",
                   .transport = "shm_posix.spin",
                   .scenario = "flood",
                   .size = std::size_t{1} << 20,
                   .shares_core = false,
                   .by_hand = nullptr,
                   .target = "80 %",
                   .low = 0.8,
                   .high = std::numeric_limits<double>::infinity()});
  return cases;
}

Outcome run_cell(Bench& bench, std::string_view transport, std::string_view scenario,
                 const Plan& plan) {
  Params params;
  params.size = plan.size;
  params.cpus = plan.cpus;
  params.count = plan.batch * plan.batch_count;
  params.tick_rate = bench.tick_rate;
  Outcome outcome = execute(*find_row(transport), find_scenario(scenario).value(), params,
                            bench.directory, bench.interrupts);
  // A suspect run stays in: both sides of a pair meet the same machine.
  if (outcome.status == Status::failed) throw std::runtime_error(outcome.reason);
  return outcome;
}

Timing timing(const Outcome& outcome) {
  return timing(outcome.batch_ns, outcome.batch_messages,
                static_cast<double>(outcome.elapsed_ns) / static_cast<double>(outcome.count));
}

/// Both sides get the count that the cell's own calibration finds, and about as much warm-up.
Plan calibrate(Bench& bench, const Case& one, const Options& options) {
  const int alone = options.cpus[1];
  Plan plan;
  plan.size = one.size;
  plan.cpus = {one.shares_core ? alone : options.cpus[0], options.cpus[1]};
  const Outcome outcome = run_cell(bench, one.transport, one.scenario, plan);
  plan.depth = outcome.depth.value_or(0);
  plan.batch = outcome.batch_messages;
  plan.batch_count = outcome.batch_ns.size();
  const double warmup = 20e6 / timing(outcome).mean;  // 20 ms of messages
  plan.warmup = std::max<std::uint64_t>(100, static_cast<std::uint64_t>(warmup));
  return plan;
}

std::string_view verdict(const Estimate& ratio, const Case& one) {
  if (ratio.low >= one.low && ratio.high <= one.high) return "within";
  if (ratio.high < one.low || ratio.low > one.high) return "beyond";
  return "inconclusive";
}

void compare(Bench& bench, const Case& one, const Options& options) {
  const Plan plan = calibrate(bench, one, options);
  const auto reference = [&] {
    return one.by_hand != nullptr ? one.by_hand(plan)
                                  : timing(run_cell(bench, "memcpy", one.scenario, plan));
  };
  std::vector<double> q25_ratios;
  std::vector<double> mean_ratios;
  std::vector<double> reference_ns;
  for (int pair = 0; pair < options.pairs; ++pair) {
    Timing hand;
    if (pair % 2 == 1) hand = reference();
    const Timing cell = timing(run_cell(bench, one.transport, one.scenario, plan));
    if (pair % 2 == 0) hand = reference();
    const bool inverse = one.by_hand == nullptr;  // bandwidths
    q25_ratios.push_back(inverse ? hand.q25 / cell.q25 : cell.q25 / hand.q25);
    mean_ratios.push_back(inverse ? hand.mean / cell.mean : cell.mean / hand.mean);
    reference_ns.push_back(hand.q25);
  }
  const Estimate q25 = estimate_median(q25_ratios).value();
  const Estimate mean = estimate_median(mean_ratios).value();
  fmt::print("{:<26} {:>8} {:>11.1f}   {:.3f} [{:.3f}, {:.3f}]   {:.3f} [{:.3f}, {:.3f}]   {} {}\n",
             one.name, one.size, quantile(reference_ns, 0.5).value(), q25.median, q25.low, q25.high,
             mean.median, mean.low, mean.high, verdict(q25, one), one.target);
  std::fflush(stdout);
}

int run(const Options& options) {
  sweep();
  Bench bench;
  fmt::print("{:<26} {:>8} {:>11}   {:<22}   {:<22}   {}\n", "case", "size", "reference",
             "ratio of q25", "ratio of means", "target");
  int failures = 0;
  for (const Case& one : all_cases(options.size)) {
    if (one.name.find(options.filter) == std::string::npos) continue;
    try {
      compare(bench, one, options);
    } catch (const std::exception& error) {
      fmt::print("{:<26} {:>8} failed: {}\n", one.name, one.size, error.what());
      ++failures;
    }
    if (bench.interrupts.arrived() != 0) return 128 + bench.interrupts.arrived();
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace ipcbench

int main(int argc, char** argv) {
  ipcbench::Options options;
  CLI::App app("Cells of the table beside loops of the same system calls, written by hand.");
  app.add_option("--pairs", options.pairs, "Pairs of runs for each case")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--size", options.size, "Bytes of a message, a multiple of 8")
      ->check(CLI::Range(std::size_t{8}, ipcbench::size_max))
      ->capture_default_str();
  app.add_option("--cpus", options.cpus, "Two processors; what shares a core is on the second")
      ->delimiter(',')
      ->expected(2)
      ->capture_default_str();
  app.add_option("--filter", options.filter, "Only cases whose name has this in it");
  CLI11_PARSE(app, argc, argv);
  if (options.size % 8 != 0) {
    fmt::print(stderr, "--size {}: not a multiple of 8\n", options.size);
    return 2;
  }
  try {
    return ipcbench::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "handwritten_benchmark: {}\n", error.what());
    return 1;
  }
}
