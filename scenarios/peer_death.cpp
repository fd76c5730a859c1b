#include "scenarios/peer_death.h"

#include <cstdio>
#include <optional>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "harness/laboratory.h"
#include "harness/stats.h"
#include "scenarios/payload.h"

namespace ipcbench {
namespace {

constexpr std::size_t deaths = 7;
/// So many messages pass before the kill, or as many as do in this time.
constexpr std::uint64_t traffic = 200;
constexpr std::int64_t traffic_ns = 20'000'000;
/// Who hasn't noticed by then won't: nothing but the harness's own pidfd tells.
constexpr std::int64_t patience_ns = 300'000'000;
constexpr std::size_t producer = 0;
constexpr std::size_t consumer = 1;

struct Death {
  std::optional<double> noticed_ns;
  std::string how;  ///< what the survivor's verb threw
  double lost = 0;  ///< sent, and received by nobody
};

/// In a process group of its own: a link, its two ends at work, and the death of one of them.
std::string die(Bench& bench, Runner& runner, const LinkMaker& maker, std::size_t victim) {
  const Params& params = runner.params();
  // It lives as long as this process, which gives its descriptors away first.
  AnyLink& link = *maker.make(runner.shape()).release();
  fork_subject(bench, producer, [&] {
    pin(params.cpus[producer]);
    const auto end = link.producer();
    for (std::uint64_t i = 0;; ++i) {
      write_payload(end->reserve(params.size), i);
      end->commit();
      bench.count[producer].store(i + 1, std::memory_order_release);
    }
  });
  fork_subject(bench, consumer, [&] {
    pin(params.cpus[consumer]);
    const auto end = link.consumer();
    for (std::uint64_t i = 0;; ++i) {
      read_payload(end->peek(params.size), i, params.size);
      end->release();
      bench.count[consumer].store(i + 1, std::memory_order_release);
    }
  });
  let_go_of_descriptors();
  const std::int64_t begin_ns = monotonic_ns();
  const auto is_under_way = [&] {
    for (const std::size_t who : {producer, consumer})
      if (bench.ended_ns[who] != 0) throw std::runtime_error(bench.error[who]);
    return bench.count[consumer] >= traffic ||
           (bench.count[consumer] > 0 && monotonic_ns() - begin_ns > traffic_ns);
  };
  constexpr std::int64_t start_ns = 1'000'000'000;  // opening a link may take a while
  if (!happens(bench, is_under_way, start_ns)) throw std::runtime_error("no message came through");
  const std::int64_t killed_ns = monotonic_ns();
  kill_subject(bench, victim);
  const std::size_t survivor = 1 - victim;
  const bool noticed = happens(
      bench, [&] { return bench.ended_ns[survivor] != 0; }, patience_ns);
  const std::uint64_t sent = bench.count[producer];
  const std::uint64_t got = bench.count[consumer];
  return fmt::format("{} {} {}", noticed ? bench.ended_ns[survivor] - killed_ns : -1,
                     sent > got ? sent - got : 0, bench.error[survivor]);
}

Death witness(Runner& runner, const LinkMaker& maker, std::size_t victim) {
  const std::string answer =
      in_the_lab([&](Bench& bench) { return die(bench, runner, maker, victim); });
  runner.shape().directory->clear();  // of what the dead have left
  long long noticed_ns = 0;
  unsigned long long lost = 0;
  int rest = 0;
  if (std::sscanf(answer.c_str(), "%lld %llu %n", &noticed_ns, &lost, &rest) < 2)
    throw std::logic_error(answer);
  Death death{.noticed_ns = std::nullopt,
              .how = answer.substr(static_cast<std::size_t>(rest)),
              .lost = static_cast<double>(lost)};
  if (noticed_ns >= 0) death.noticed_ns = static_cast<double>(noticed_ns);
  return death;
}

/// Some deaths of one side; a second one that nobody notices is enough.
void tell(End& end, Runner& runner, const LinkMaker& maker, std::size_t victim, const char* name) {
  std::vector<double> noticed_ns;
  std::vector<double> lost;
  std::string how;
  for (std::size_t i = 0; i != deaths && lost.size() < noticed_ns.size() + 2; ++i) {
    end.at(i);
    const Death death = witness(runner, maker, victim);
    lost.push_back(death.lost);
    if (death.noticed_ns) noticed_ns.push_back(*death.noticed_ns);
    if (death.noticed_ns) how = death.how;
  }
  if (noticed_ns.empty())
    end.set_no_value(name, "it never notices; the harness does, by a pidfd");
  else
    end.set_value(name, quantile(noticed_ns, 0.5).value(), how);
  if (victim == consumer) end.set_value("lost_messages", quantile(lost, 0.5).value());
}

}  // namespace

void PeerDeath::run(Runner& runner, const LinkMaker& maker) {
  runner.run({{"witness", Side::producer, [&](End& end) {
                 end.once([&] {
                   tell(end, runner, maker, consumer, "sender_notices_ns");
                   tell(end, runner, maker, producer, "receiver_notices_ns");
                   return std::uint64_t{2};
                 });
               }}});
}

}  // namespace ipcbench
