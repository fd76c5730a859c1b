#include "scenarios/mixed.h"

#include "scenarios/payload.h"

namespace ipcbench::mixed {
namespace {

void send(AnyEnd& link, const Params& params, std::uint64_t number) {
  write_payload(link.reserve(params.size_of(number)), number);
  link.commit();
}

void receive(AnyEnd& link, const Params& params, std::uint64_t number) {
  const std::size_t size = params.size_of(number);
  read_payload(link.peek(size), number, size);
  link.release();
}

}  // namespace

void ping_pong(Runner& runner, const LinkMaker& maker) {
  const Params& params = runner.params();
  const bool is_duplex = maker.producer.receive && maker.consumer.send;
  const std::unique_ptr<AnyLink> there = maker.make(runner.shape());
  const std::unique_ptr<AnyLink> back = is_duplex ? nullptr : maker.make(runner.shape());
  runner.run({{"producer", Side::producer,
               [&](End& end) {
                 const auto out = there->producer();
                 const auto other = is_duplex ? nullptr : back->consumer();
                 AnyEnd& in = is_duplex ? *out : *other;
                 end.with_clock([&](auto clock) {
                   end.measure(
                       [&](std::uint64_t first, std::uint64_t count) {
                         std::uint64_t sent = clock.now();
                         for (std::uint64_t i = first; i != first + count; ++i) {
                           end.at(i);
                           send(*out, params, i);
                           receive(in, params, i);
                           const std::uint64_t now = clock.now();
                           end.histogram().record(clock.elapsed_ns(sent, now));
                           sent = now;
                         }
                       },
                       true);
                 });
               }},
              {"consumer", Side::consumer, [&](End& end) {
                 const auto in = there->consumer();
                 const auto other = is_duplex ? nullptr : back->producer();
                 AnyEnd& out = is_duplex ? *in : *other;
                 end.measure(
                     [&](std::uint64_t first, std::uint64_t count) {
                       for (std::uint64_t i = first; i != first + count; ++i) {
                         end.at(i);
                         receive(*in, params, i);
                         send(out, params, i);
                       }
                     },
                     false);
               }}});
}

void flood(Runner& runner, const LinkMaker& maker) {
  const Params& params = runner.params();
  const std::unique_ptr<AnyLink> link = maker.make(runner.shape());
  runner.run({{"producer", Side::producer,
               [&](End& end) {
                 const auto mine = link->producer();
                 end.measure(
                     [&](std::uint64_t first, std::uint64_t count) {
                       for (std::uint64_t i = first; i != first + count; ++i) {
                         end.at(i);
                         send(*mine, params, i);
                       }
                     },
                     false);
               }},
              {"consumer", Side::consumer, [&](End& end) {
                 const auto mine = link->consumer();
                 end.measure(
                     [&](std::uint64_t first, std::uint64_t count) {
                       for (std::uint64_t i = first; i != first + count; ++i) {
                         end.at(i);
                         receive(*mine, params, i);
                       }
                     },
                     true);
               }}});
}

}  // namespace ipcbench::mixed
