#include "scenarios/paced.h"

#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "scenarios/payload.h"

namespace ipcbench {
namespace {

constexpr double messages_min = 100;
constexpr double messages_max = 4'000'000;
/// So long before a message is due the producer wakes, if it slept.
constexpr std::int64_t vigil_ns = 150'000;

/// When messages are due, in ns after the start. Every repeat has the same arrivals, so that
/// repeats differ by the machine alone.
class Timetable {
 public:
  explicit Timetable(const Load& load)
      : period_ns_(1e9 / static_cast<double>(load.rate_per_s)),
        is_poisson_(load.arrivals == static_cast<std::int64_t>(ArrivalLaw::poisson)) {}

  std::uint64_t next() {
    const double due_ns = due_ns_;
    due_ns_ += is_poisson_ ? -period_ns_ * std::log(1 - uniform()) : period_ns_;
    return static_cast<std::uint64_t>(due_ns);
  }

 private:
  /// 53 random bits as a number below 1: the standard's distributions differ between libraries.
  double uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

  double period_ns_;
  bool is_poisson_;
  double due_ns_ = 0;
  std::mt19937_64 random_{1};
};

/// What the consumer must know of the producer's clock, in shared memory. It looks there when all
/// messages are through.
class Log {
 public:
  explicit Log(std::size_t messages) : memory_((1 + messages) * sizeof(std::uint64_t)) {}
  std::uint64_t& start() { return words()[0]; }
  std::uint64_t& sent(std::size_t message) { return words()[1 + message]; }

 private:
  std::uint64_t* words() { return reinterpret_cast<std::uint64_t*>(memory_.data()); }
  Mapping memory_;
};

class Producer {
 public:
  Producer(End& end, AnyEnd& link, bool shares_core)
      : end_(end), link_(link), amount_(end.params()), shares_core_(shares_core) {
    ::prctl(PR_SET_TIMERSLACK, 1);
  }

  /// Sends messages `first` to `first + count - 1`. What is late is sent at once: none is left out.
  std::uint64_t send(auto clock, std::uint64_t first, std::uint64_t count, Log& log) {
    Timetable timetable(end_.params().load);
    const std::uint64_t start = clock.now();
    log.start() = start;
    for (std::uint64_t i = 0; i != count; ++i) {
      const std::uint64_t due_ns = timetable.next();
      await(clock, start, due_ns);
      end_.at(first + i);
      log.sent(i) = clock.now();
      if (end_.params().mixed_count == 0)
        write_payload(link_.reserve(amount_.size), first + i, amount_);
      else
        write_payload(link_.reserve(end_.params().size_of(first + i)), first + i);
      link_.commit();
    }
    return count;
  }

 private:
  /// Sleeps through long waits and watches the clock for the rest, so that a message isn't late by
  /// what it takes to wake. Where the consumer needs this core, it gets it.
  void await(auto clock, std::uint64_t start, std::uint64_t due_ns) const {
    while (true) {
      const auto left_ns = static_cast<std::int64_t>(due_ns) -
                           static_cast<std::int64_t>(clock.elapsed_ns(start, clock.now()));
      if (left_ns <= 0) return;
      if (left_ns > 2 * vigil_ns) {
        const std::int64_t nap_ns = left_ns - vigil_ns;
        const timespec nap{nap_ns / 1'000'000'000, nap_ns % 1'000'000'000};
        ::nanosleep(&nap, nullptr);
      } else if (shares_core_) {
        ::sched_yield();
      }
    }
  }

  End& end_;
  AnyEnd& link_;
  Amount amount_;
  bool shares_core_;
};

/// Receives messages from `first` on, and says when each had come.
std::uint64_t receive(End& end, AnyEnd& link, auto clock, std::uint64_t first,
                      std::vector<std::uint64_t>& got) {
  const Amount amount(end.params());
  for (std::uint64_t i = 0; i != got.size(); ++i) {
    end.at(first + i);
    const std::size_t size = end.params().size_of(first + i);
    if (end.params().mixed_count == 0)
      read_payload(link.peek(size), first + i, amount);
    else
      read_payload(link.peek(size), first + i, size);
    link.release();
    got[i] = clock.now();
  }
  return got.size();
}

void tell_latencies(End& end, auto clock, const std::vector<std::uint64_t>& got, Log& log) {
  Timetable timetable(end.params().load);
  for (std::size_t i = 0; i != got.size(); ++i) {
    const std::uint64_t after_start_ns = clock.elapsed_ns(log.start(), got[i]);
    const std::uint64_t due_ns = timetable.next();
    end.histogram().record(after_start_ns > due_ns ? after_start_ns - due_ns : 0);
    end.second_histogram().record(got[i] > log.sent(i) ? clock.elapsed_ns(log.sent(i), got[i]) : 0);
  }
  end.set_value("offered_per_s", static_cast<double>(end.params().load.rate_per_s));
}

}  // namespace

void Paced::run(Runner& runner, const LinkMaker& maker) {
  const Params& params = runner.params();
  if (static_cast<double>(params.count) > messages_max)
    throw std::runtime_error(
        fmt::format("--count {}: paced keeps a clock reading of each message, "
                    "of {:.0f} at most",
                    params.count, messages_max));
  const double per_ns = static_cast<double>(params.load.rate_per_s) / 1e9;
  const auto count = static_cast<std::uint64_t>(
      params.count != 0 ? static_cast<double>(params.count)
                        : std::clamp(static_cast<double>(params.min_time_ns) * per_ns, messages_min,
                                     messages_max));
  const auto warmup = static_cast<std::uint64_t>(
      std::clamp(static_cast<double>(params.warmup_ns) * per_ns, 10.0, messages_max));
  Log log(std::max(count, warmup));
  const Shape shape = runner.shape();
  const std::unique_ptr<AnyLink> link = maker.make(shape);
  runner.run({{"producer", Side::producer,
               [&](End& end) {
                 const std::unique_ptr<AnyEnd> mine = link->producer();
                 Producer producer(end, *mine, shape.shares_core);
                 end.with_clock([&](auto clock) {
                   end.enter(Phase::warming_up);
                   end.meet();
                   producer.send(clock, 0, warmup, log);
                   end.once([&] { return producer.send(clock, warmup, count, log); });
                 });
                 end.meet();
               }},
              {"consumer", Side::consumer, [&](End& end) {
                 const std::unique_ptr<AnyEnd> mine = link->consumer();
                 std::vector<std::uint64_t> got(warmup);
                 end.with_clock([&](auto clock) {
                   end.enter(Phase::warming_up);
                   end.meet();
                   receive(end, *mine, clock, 0, got);
                   got.assign(count, 0);  // so that its pages are there
                   end.once([&] { return receive(end, *mine, clock, warmup, got); });
                   end.meet();
                   tell_latencies(end, clock, got, log);
                 });
               }}});
}

}  // namespace ipcbench
