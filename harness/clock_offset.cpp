#include "harness/clock_offset.h"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

namespace ipcbench {
namespace {

constexpr std::size_t processors_max = 8;
constexpr int exchanges = 500;

std::vector<int> allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return processors;
  for (int cpu = 0; cpu < CPU_SETSIZE && processors.size() < processors_max; ++cpu)
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) processors.push_back(cpu);
  return processors;
}

void pin_thread(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
}

struct alignas(64) Line {
  std::atomic<std::uint64_t> value{0};
};

/// Waits for the other thread's number `round`; lets others run where it takes long.
void await(const std::atomic<std::uint64_t>& value, std::uint64_t round) {
  for (int spins = 0; value.load(std::memory_order_acquire) < round; ++spins)
    if (spins > 10'000) std::this_thread::yield();
}

/// One asks, the other one reads its clock and answers. The fastest exchange says most.
template <class Clock>
ClockOffset compare(TickRate rate, int first, int second) {
  Line question;
  Line answer;
  std::atomic<std::uint64_t> there{0};
  const Clock clock(rate);
  std::thread other([&] {
    pin_thread(second);
    for (std::uint64_t round = 1; round <= exchanges; ++round) {
      await(question.value, round);
      there.store(clock.now(), std::memory_order_relaxed);
      answer.value.store(round, std::memory_order_release);
    }
  });
  ClockOffset best{.offset_ns = 0, .uncertainty_ns = std::numeric_limits<double>::max()};
  std::thread asker([&] {
    pin_thread(first);
    for (std::uint64_t round = 1; round <= exchanges; ++round) {
      const std::uint64_t asked = clock.now();
      question.value.store(round, std::memory_order_release);
      await(answer.value, round);
      const std::uint64_t answered = clock.now();
      const std::uint64_t read = there.load(std::memory_order_relaxed);
      const double half_ns = static_cast<double>(clock.elapsed_ns(asked, answered)) / 2;
      if (half_ns >= best.uncertainty_ns) continue;
      const double until_ns = read >= asked ? static_cast<double>(clock.elapsed_ns(asked, read))
                                            : -static_cast<double>(clock.elapsed_ns(read, asked));
      best.offset_ns = until_ns - half_ns;
      best.uncertainty_ns = half_ns;
    }
  });
  asker.join();
  other.join();
  return best;
}

}  // namespace

ClockOffset measure_clock_offset(TickRate rate) {
  const std::vector<int> processors = allowed_processors();
  ClockOffset worst;
  for (std::size_t i = 1; i < processors.size(); ++i) {
    const ClockOffset offset = rate.usable()
                                   ? compare<TscClock>(rate, processors[0], processors[i])
                                   : compare<MonotonicClock>(rate, processors[0], processors[i]);
    if (i == 1 || std::abs(offset.offset_ns) > std::abs(worst.offset_ns)) worst = offset;
    worst.processors = static_cast<int>(i) + 1;
  }
  return worst;
}

}  // namespace ipcbench
