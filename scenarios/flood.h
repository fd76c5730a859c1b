// flood: messages one way, as fast as the channel takes them: throughput and bandwidth.
#pragma once

#include "harness/row.h"
#include "harness/run.h"
#include "scenarios/links.h"
#include "scenarios/payload.h"

namespace ipcbench {

struct Flood {
  static constexpr ScenarioFacts facts{
      .name = "flood",
      .summary = "throughput: messages one way, as fast as the channel takes them",
      .needs = "a channel",
      .sized = true};

  template <Channel T>
  static void run(Runner& runner) {
    T link(runner.shape());
    runner.note_depth(link);
    const std::size_t size = runner.params().size;
    runner.run({{"producer",
                 [&](End& end) {
                   auto mine = lend<T>(link.producer(), runner.shape());
                   end.measure(
                       [&](std::uint64_t first, std::uint64_t count) {
                         for (std::uint64_t i = first; i != first + count; ++i) {
                           end.at(i);
                           write_payload(mine.reserve(size), i);
                           mine.commit();
                         }
                       },
                       false);
                 }},
                {"consumer", [&](End& end) {
                   auto mine = lend<T>(link.consumer(), runner.shape());
                   end.measure(
                       [&](std::uint64_t first, std::uint64_t count) {
                         for (std::uint64_t i = first; i != first + count; ++i) {
                           end.at(i);
                           read_payload(mine.peek(size), i, size);
                           mine.release();
                         }
                       },
                       true);
                 }}});
  }

  template <LonelyChannel T>
  static void run(Runner& runner) {
    T link(runner.shape());
    const std::size_t size = runner.params().size;
    runner.run({{"producer", [&](End& end) {
                   auto mine = lend<T>(link.alone(), runner.shape());
                   end.measure(
                       [&](std::uint64_t first, std::uint64_t count) {
                         for (std::uint64_t i = first; i != first + count; ++i) {
                           end.at(i);
                           write_payload(mine.reserve(size), i);
                           mine.commit();
                           read_payload(mine.peek(size), i, size);
                           mine.release();
                         }
                       },
                       true);
                 }}});
  }
};

}  // namespace ipcbench
