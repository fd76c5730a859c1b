// contend: processes take and leave one lock.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "harness/row.h"
#include "harness/run.h"

namespace ipcbench {

struct Contend {
  static constexpr ScenarioFacts facts{
      .name = "contend",
      .summary = "lock: processes take and leave it, as fast as they can",
      .needs = "a lock",
      .sized = false,
      .only_forks = false,
      .axes = {"hold", "crowd"},
      .latency = "hand_over",
      .second_latency = "wait",
      .rate = "acquisitions",
      .rivals = "holder_",
      .crowd_max = 2};

  template <Lock T>
  static void run(Runner& runner) {
    T link(runner.shape());
    auto& guarded = runner.scratch<Guarded>();
    std::vector<EndPlan> ends;
    for (std::size_t i = 0; i != static_cast<std::size_t>(runner.params().load.crowd); ++i) {
      const bool is_first_side = i % 2 == 0;
      ends.push_back({fmt::format("holder_{}", i + 1),
                      is_first_side ? Side::producer : Side::consumer,
                      [&link, &guarded, is_first_side, i](End& end) {
                        if (is_first_side) {
                          auto mine = link.producer();
                          hold(end, mine, guarded, i);
                        } else {
                          auto mine = link.consumer();
                          hold(end, mine, guarded, i);
                        }
                      }});
    }
    runner.run(ends);
  }

 private:
  static constexpr std::size_t holders_max = 64;
  static constexpr std::uint64_t timed_acquisitions = 4000;

  /// What the lock guards. Nothing in it is atomic: a lock that doesn't exclude loses counts.
  struct Guarded {
    volatile std::uint64_t total;
    volatile std::uint64_t taken[holders_max];
    volatile std::uint64_t last_holder;  ///< from 1; 0: nobody yet
    volatile std::uint64_t released;     ///< the clock, when it was left
    volatile std::uint64_t longest_wait_ns;
    volatile std::uint64_t is_over;
  };

  static void hold(End& end, auto& lock, Guarded& guarded, std::size_t who) {
    const std::uint64_t own = take_turns(end, lock, guarded, who);
    end.meet();
    end.with_clock([&](auto clock) { time_turns(end, lock, clock, guarded, who); });
    end.meet();
    std::uint64_t all = 0;
    for (const volatile std::uint64_t& taken : guarded.taken) all += taken;
    if (guarded.taken[who] != own || all != guarded.total)
      throw std::runtime_error("two processes held the lock at once: counts were lost");
    if (who == 0) end.set_value("longest_wait_ns", static_cast<double>(guarded.longest_wait_ns));
  }

  /// They share the acquisitions as the lock lets them: each goes on until the total is reached,
  /// and its own share is its count. Returns its share, the warm-up's included.
  static std::uint64_t take_turns(End& end, auto& lock, Guarded& guarded, std::size_t who) {
    const std::int64_t hold_ns = end.params().load.hold_ns;
    std::uint64_t own = 0;
    std::uint64_t own_before = 0;
    end.measure(
        [&](std::uint64_t first, std::uint64_t count) {
          const std::uint64_t target = first + count;
          std::uint64_t total = 0;
          while (total < target) {
            end.at(own);
            lock.lock();
            total = guarded.total;
            if (total < target) {
              guarded.total = total + 1;
              guarded.taken[who] = guarded.taken[who] + 1;
              ++own;
              if (hold_ns != 0) spend(hold_ns);
            }
            lock.unlock();
          }
          if (!end.is_measuring()) own_before = own;
        },
        true);
    end.set_count(own - own_before);
    return own;
  }

  /// What reading the clock would add to every turn is kept out of the rate: these turns come after
  /// those that are counted, and the lock guards the histograms.
  static void time_turns(End& end, auto& lock, auto clock, Guarded& guarded, std::size_t who) {
    const std::int64_t hold_ns = end.params().load.hold_ns;
    const std::int64_t stop_ns = monotonic_ns() + end.params().min_time_ns;
    std::uint64_t timed = 0;
    bool is_over = false;
    while (!is_over) {
      const std::uint64_t asked = clock.now();
      lock.lock();
      const std::uint64_t got = clock.now();
      is_over = guarded.is_over != 0;
      if (!is_over) {
        const std::uint64_t waited_ns = clock.elapsed_ns(asked, got);
        end.second_histogram().record(waited_ns);
        guarded.longest_wait_ns = std::max<std::uint64_t>(+guarded.longest_wait_ns, waited_ns);
        if (guarded.last_holder != 0 && guarded.last_holder != who + 1 && got > guarded.released)
          end.histogram().record(clock.elapsed_ns(guarded.released, got));
        if (hold_ns != 0) spend(hold_ns);
        if (++timed == timed_acquisitions || monotonic_ns() > stop_ns) guarded.is_over = 1;
        guarded.last_holder = who + 1;
        guarded.released = clock.now();
      }
      lock.unlock();
    }
  }

  static void spend(std::int64_t ns) {
    const std::int64_t end_ns = monotonic_ns() + ns;
    while (monotonic_ns() < end_ns) {
    }
  }
};

}  // namespace ipcbench
