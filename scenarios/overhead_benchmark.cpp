// overhead_benchmark: what the harness itself costs a message: clocks, histogram, progress,
// payload, and the buffer that it lends to transports that copy. Nanoseconds per iteration; the
// empty loop is what the measuring of each costs.
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include <benchmark/benchmark.h>

#include "harness/clock.h"
#include "harness/histogram.h"
#include "harness/run.h"
#include "scenarios/links.h"
#include "scenarios/payload.h"

namespace ipcbench {
namespace {

void empty_loop(benchmark::State& state) {
  std::uint64_t sequence = 0;
  for (auto _ : state) benchmark::DoNotOptimize(++sequence);
}
BENCHMARK(empty_loop);

template <class Clock>
void read_clock(benchmark::State& state) {
  const Clock clock(TickRate{});
  for (auto _ : state) benchmark::DoNotOptimize(clock.now());
}
BENCHMARK(read_clock<TscClock>);
BENCHMARK(read_clock<MonotonicClock>);

/// What a latency scenario does for each message besides sending it.
template <class Clock>
void read_clock_and_record(benchmark::State& state) {
  const Clock clock(measure_tick_rate());
  const auto histogram = std::make_unique<Histogram>();
  std::uint64_t before = clock.now();
  for (auto _ : state) {
    const std::uint64_t now = clock.now();
    histogram->record(clock.elapsed_ns(before, now));
    before = now;
  }
  benchmark::DoNotOptimize(histogram->count());
}
BENCHMARK(read_clock_and_record<TscClock>);
BENCHMARK(read_clock_and_record<MonotonicClock>);

/// Values spread over `range` nanoseconds, so that the bins lie on different cache lines.
void record_in_histogram(benchmark::State& state) {
  const auto range = static_cast<std::uint64_t>(state.range(0));
  std::array<std::uint64_t, 1024> values;
  for (std::size_t i = 0; i != values.size(); ++i) values[i] = payload_word(i) % range;
  const auto histogram = std::make_unique<Histogram>();
  std::size_t i = 0;
  for (auto _ : state) histogram->record(values[i++ % values.size()]);
  benchmark::DoNotOptimize(histogram->count());
}
BENCHMARK(record_in_histogram)->Arg(200)->Arg(100'000);

void note_progress(benchmark::State& state) {
  const auto control = std::make_unique<ControlBlock>();
  const Params params;
  End end(*control, 0, params);
  std::uint64_t message = 0;
  for (auto _ : state) {
    end.at(++message);
    benchmark::ClobberMemory();
  }
  benchmark::DoNotOptimize(end.other_at());
}
BENCHMARK(note_progress);

void write_message(benchmark::State& state) {
  std::vector<std::byte> message(static_cast<std::size_t>(state.range(0)));
  std::uint64_t sequence = 0;
  for (auto _ : state) {
    write_payload(message, ++sequence);
    benchmark::DoNotOptimize(message.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(write_message)->Arg(64)->Arg(4096);

void read_message(benchmark::State& state) {
  std::vector<std::byte> message(static_cast<std::size_t>(state.range(0)));
  std::uint64_t sequence = 7;
  write_payload(message, sequence);
  for (auto _ : state) {
    benchmark::DoNotOptimize(sequence);
    benchmark::ClobberMemory();
    read_payload(message, sequence, message.size());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(read_message)->Arg(64)->Arg(4096);

/// The least that a copying transport can do: it takes a message in and gives it out again.
struct MemoryEnd {
  std::vector<std::byte> memory;
  void send(View message) { std::memcpy(memory.data(), message.data(), message.size()); }
  std::size_t recv(Bytes buffer) {
    std::memcpy(buffer.data(), memory.data(), buffer.size());
    return buffer.size();
  }
};

template <Boundary boundary>
void lend_buffers(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  Lent<MemoryEnd, boundary> link(MemoryEnd{std::vector<std::byte>(size)}, size);
  for (auto _ : state) {
    benchmark::DoNotOptimize(link.reserve(size).data());
    benchmark::ClobberMemory();
    link.commit();
    benchmark::DoNotOptimize(link.peek(size).data());
    benchmark::ClobberMemory();
    link.release();
  }
}
BENCHMARK(lend_buffers<Boundary::stream>)->Arg(64)->Arg(4096);
BENCHMARK(lend_buffers<Boundary::message>)->Arg(64)->Arg(4096);

/// The same copies without the harness between.
void copy_by_hand(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  std::vector<std::byte> out(size);
  std::vector<std::byte> in(size);
  MemoryEnd end{std::vector<std::byte>(size)};
  for (auto _ : state) {
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
    end.send(out);
    end.recv(in);
    benchmark::DoNotOptimize(in.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(copy_by_hand)->Arg(64)->Arg(4096);

}  // namespace
}  // namespace ipcbench

BENCHMARK_MAIN();
