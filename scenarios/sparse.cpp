#include "scenarios/sparse.h"

#include <time.h>

#include <algorithm>

#include "scenarios/payload.h"

namespace ipcbench {
namespace {

/// So many at least, that a median has ten values beyond it.
constexpr std::int64_t messages_min = 24;
constexpr std::int64_t messages_max = 10'000;

void idle(std::int64_t ns) {
  const timespec gap{ns / 1'000'000'000, ns % 1'000'000'000};
  ::nanosleep(&gap, nullptr);
}

void send(AnyEnd& link, std::size_t size, std::uint64_t number) {
  if (!link.verbs().send) return link.notify();
  write_payload(link.reserve(size), number);
  link.commit();
}

void receive(AnyEnd& link, std::size_t size, std::uint64_t number) {
  if (!link.verbs().receive) return link.wait();
  read_payload(link.peek(size), number, size);
  link.release();
}

}  // namespace

void Sparse::run(Runner& runner, const LinkMaker& maker) {
  const Params& params = runner.params();
  const auto count = static_cast<std::uint64_t>(
      params.count != 0
          ? std::min(static_cast<std::int64_t>(params.count), messages_max)
          : std::clamp(params.min_time_ns / params.load.gap_ns, messages_min, messages_max));
  const Mapping memory(count * sizeof(std::uint64_t));
  auto* const sent = reinterpret_cast<std::uint64_t*>(memory.data());
  const std::unique_ptr<AnyLink> link = maker.make(runner.shape());
  const std::size_t size = params.size;
  runner.run({{"producer", Side::producer,
               [&](End& end) {
                 const std::unique_ptr<AnyEnd> mine = link->producer();
                 end.meet();
                 send(*mine, size, count);
                 end.with_clock([&](auto clock) {
                   end.once([&] {
                     for (std::uint64_t i = 0; i != count; ++i) {
                       end.at(i);
                       idle(params.load.gap_ns);
                       // Two signals that nobody has waited for yet may be one.
                       while (end.other_at() < i) idle(10'000);
                       sent[i] = clock.now();
                       send(*mine, size, i);
                     }
                     return count;
                   });
                 });
                 end.meet();
               }},
              {"consumer", Side::consumer, [&](End& end) {
                 const std::unique_ptr<AnyEnd> mine = link->consumer();
                 end.meet();
                 receive(*mine, size, count);
                 std::vector<std::uint64_t> got(count);
                 end.with_clock([&](auto clock) {
                   end.once([&] {
                     for (std::uint64_t i = 0; i != count; ++i) {
                       receive(*mine, size, i);
                       got[i] = clock.now();
                       end.at(i + 1);
                     }
                     return count;
                   });
                   end.meet();
                   for (std::uint64_t i = 0; i != count; ++i)
                     end.histogram().record(got[i] > sent[i] ? clock.elapsed_ns(sent[i], got[i])
                                                             : 0);
                 });
               }}});
}

}  // namespace ipcbench
