// What single parts of the harness cost: to be read beside the times that it reports, not to be
// taken off them, because parts overlap with each other and with the mechanism.
#include <cstring>
#include <memory>

#include <benchmark/benchmark.h>

#include "harness/clock.h"
#include "harness/histogram.h"
#include "harness/run.h"
#include "harness/transport.h"
#include "scenarios/payload.h"

namespace {

using namespace ipcbench;

void empty_loop(benchmark::State& state) {
  for (auto iteration : state) benchmark::DoNotOptimize(iteration);
}
BENCHMARK(empty_loop);

template <class Clock>
void clock_read(benchmark::State& state) {
  const TickRate rate = measure_tick_rate();
  if (std::is_same_v<Clock, TscClock> && !rate.usable())
    return state.SkipWithError("the time-stamp counter isn't usable here");
  const Clock clock(rate);
  for (auto iteration : state) benchmark::DoNotOptimize(clock.now());
}
BENCHMARK(clock_read<TscClock>);
BENCHMARK(clock_read<MonotonicClock>);

void histogram_record(benchmark::State& state) {
  const auto histogram = std::make_unique<Histogram>();
  std::uint64_t value = 1;
  for (auto iteration : state) {
    histogram->record(value);
    value = (value * 5 + 1) & 0xffff;  // spread over many bins, as round trips are
  }
  benchmark::DoNotOptimize(histogram->count());
}
BENCHMARK(histogram_record);

void progress_store(benchmark::State& state) {
  const auto control = std::make_unique<ControlBlock>();
  const Params params;
  End end(*control, 0, params);
  std::uint64_t message = 0;
  for (auto iteration : state) {
    end.at(++message);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(progress_store);

void sequence_write(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const auto buffer = std::make_unique<std::byte[]>(size);
  std::uint64_t sequence = 0;
  for (auto iteration : state) {
    write_payload({buffer.get(), size}, ++sequence);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(sequence_write)->Arg(8)->Arg(64)->Arg(4096);

void sequence_check(benchmark::State& state) {
  auto size = static_cast<std::size_t>(state.range(0));
  const auto buffer = std::make_unique<std::byte[]>(size);
  write_payload({buffer.get(), size}, 7);
  for (auto iteration : state) {
    benchmark::DoNotOptimize(size);
    read_payload({buffer.get(), size}, 7, size);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(sequence_check)->Arg(8)->Arg(64)->Arg(4096);

/// An end that copies within its own process, written as send and recv.
struct CopyingEnd {
  std::byte* message;
  void send(View from) { std::memcpy(message, from.data(), from.size()); }
  std::size_t recv(Bytes to) {
    std::memcpy(to.data(), message, to.size());
    return to.size();
  }
};

/// The same two copies without the harness between.
void bare_send_recv(benchmark::State& state) {
  auto size = static_cast<std::size_t>(state.range(0));
  const auto message = std::make_unique<std::byte[]>(size);
  const auto out = std::make_unique<std::byte[]>(size);
  const auto in = std::make_unique<std::byte[]>(size);
  CopyingEnd end{message.get()};
  for (auto iteration : state) {
    benchmark::DoNotOptimize(size);
    end.send({out.get(), size});
    benchmark::ClobberMemory();
    benchmark::DoNotOptimize(end.recv({in.get(), size}));
  }
}
BENCHMARK(bare_send_recv)->Arg(64)->Arg(4096);

/// What lifting send and recv to reserve/commit and peek/release adds is the difference.
void lifted_send_recv(benchmark::State& state) {
  auto size = static_cast<std::size_t>(state.range(0));
  const auto message = std::make_unique<std::byte[]>(size);
  Lent<CopyingEnd, Boundary::stream> link({message.get()}, size);
  for (auto iteration : state) {
    benchmark::DoNotOptimize(size);
    benchmark::DoNotOptimize(link.reserve(size).data());
    link.commit();
    benchmark::ClobberMemory();
    benchmark::DoNotOptimize(link.peek(size).data());
    link.release();
  }
}
BENCHMARK(lifted_send_recv)->Arg(64)->Arg(4096);

}  // namespace

BENCHMARK_MAIN();
