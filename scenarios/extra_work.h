// extra_work.h: makes every message take longer, by as many nanoseconds at each of its two ends as
// IPCBENCH_EXTRA_WORK_NS says: a slower build, for scripts/gate_selftest to find.
//
// Nobody includes it. The target ipcbench_slower compiles some transports with it in front
// (-include), so that the program's own sources, and what is measured of it, know nothing of it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>

#include "scenarios/payload.h"

namespace ipcbench::extra {

/// Work that needs no memory: a cycle or so for each round.
[[gnu::always_inline]] inline void work(std::uint64_t rounds) {
  for (std::uint64_t left = rounds; left != 0; --left) asm volatile("" : "+r"(left));
}

/// How many rounds take as long as was asked for: the fastest of some attempts says how long one
/// takes, because others may use the processor meanwhile.
inline std::uint64_t rounds_from_environment() {
  const char* text = std::getenv("IPCBENCH_EXTRA_WORK_NS");
  const double wanted_ns = text == nullptr ? 0 : std::atof(text);
  if (!(wanted_ns > 0)) return 0;
  constexpr std::uint64_t rounds = 50'000;
  double best_ns = 1e18;
  for (int i = 0; i < 20; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work(rounds);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    best_ns = std::min(best_ns, took.count());
  }
  return static_cast<std::uint64_t>(wanted_ns * rounds / best_ns + 0.5);
}
/// Found when the program starts, and inherited by the ends of its runs.
inline const std::uint64_t rounds = rounds_from_environment();

// payload.h's functions, one by one: a template would not take {data, size} for a message.
[[gnu::always_inline]] inline void write_payload(Bytes message, std::uint64_t sequence) {
  ipcbench::write_payload(message, sequence);
  work(rounds);
}
[[gnu::always_inline]] inline void write_payload(Bytes message, std::uint64_t sequence,
                                                 const Amount& amount) {
  ipcbench::write_payload(message, sequence, amount);
  work(rounds);
}
[[gnu::always_inline]] inline void read_payload(View message, std::uint64_t sequence,
                                                std::size_t expected_size) {
  ipcbench::read_payload(message, sequence, expected_size);
  work(rounds);
}
[[gnu::always_inline]] inline void read_payload(View message, std::uint64_t sequence,
                                                std::size_t expected_size, std::size_t bytes) {
  ipcbench::read_payload(message, sequence, expected_size, bytes);
  work(rounds);
}
[[gnu::always_inline]] inline void read_payload(View message, std::uint64_t sequence,
                                                const Amount& amount) {
  ipcbench::read_payload(message, sequence, amount);
  work(rounds);
}

}  // namespace ipcbench::extra

// What comes after this header calls these in place of payload.h's: the one case of macros, because
// the scenarios mustn't know.
#define write_payload extra::write_payload
#define read_payload extra::read_payload
