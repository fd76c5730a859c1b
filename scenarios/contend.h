// contend: two processes take and leave one lock, as fast as they can.
#pragma once

#include <stdexcept>

#include "harness/row.h"
#include "harness/run.h"

namespace ipcbench {

struct Contend {
  static constexpr ScenarioFacts facts{
      .name = "contend",
      .summary = "lock: two processes take and leave it, as fast as they can",
      .needs = "a lock",
      .sized = false};

  template <Lock T>
  static void run(Runner& runner) {
    T link(runner.shape());
    auto& guarded = runner.scratch<Guarded>();
    runner.run({{"holder_1", Side::producer,
                 [&](End& end) {
                   auto mine = link.producer();
                   take_turns(end, mine, guarded, 0);
                 }},
                {"holder_2", Side::consumer, [&](End& end) {
                   auto mine = link.consumer();
                   take_turns(end, mine, guarded, 1);
                 }}});
  }

 private:
  /// What the lock guards. Nothing in it is atomic: a lock that doesn't exclude loses counts.
  struct Guarded {
    volatile std::uint64_t total;
    volatile std::uint64_t taken[2];
  };

  /// The two share the acquisitions as the lock lets them: each goes on until the total is
  /// reached, and its own share is its count.
  static void take_turns(End& end, auto& lock, Guarded& guarded, std::size_t who) {
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
            }
            lock.unlock();
          }
          if (!end.is_measuring()) own_before = own;
        },
        true);
    end.set_count(own - own_before);
    end.meet();
    if (guarded.taken[who] != own || guarded.taken[0] + guarded.taken[1] != guarded.total)
      throw std::runtime_error("two processes held the lock at once: counts were lost");
  }
};

}  // namespace ipcbench
