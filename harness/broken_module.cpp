// For tests: a module that hangs, or crashes, as its NAME says: in the runner that uses it, or,
// where IPCBENCH_BROKEN_AT_LOAD names it, while it is loaded. One of another name is sound, carries
// nothing, and has a launcher; IPCBENCH_BROKEN_END is the end of it that crashes, or "launcher".
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/daemon.h"
#include "harness/row.h"
#include "harness/run.h"

namespace ipcbench {
namespace {

constexpr std::string_view name = IPCBENCH_BROKEN_NAME;

[[noreturn]] void break_down() {
  if (name == "crashing") ::raise(SIGSEGV);
  if (name == "hanging") std::fputs("hangs from here on\n", stderr);
  while (name == "hanging") ::pause();
  ::abort();
}

std::string_view broken_end() {
  const char* const end = ::getenv("IPCBENCH_BROKEN_END");
  return end == nullptr ? "" : end;
}

void carry_nothing(End& end) {
  if (broken_end() == "producer") ::raise(SIGSEGV);
  end.measure(
      [&](std::uint64_t first, std::uint64_t count) {
        for (std::uint64_t i = first; i != first + count; ++i) end.histogram().record(1000);
      },
      end.index() == 0);
}

void run_once(Runner& runner) {
  if (name == "hanging" || name == "crashing") break_down();
  runner.run({{"producer", Side::producer, carry_nothing},
              {"consumer", Side::consumer,
               [](End& end) { end.measure([](std::uint64_t, std::uint64_t) {}, false); }}});
}

/// Like mpirun, it ends when both have ended, or one has failed.
std::shared_ptr<const void> launch(const Shape& shape, const Programs& programs) {
  const bool is_sound = broken_end() != "launcher";
  std::vector<std::string> words{
      "bash", "-c",
      is_sound ? "\"${@:1:5}\" & \"${@:6:5}\" & wait -n && wait -n" : "echo out of order; exit 5",
      "bash"};
  for (const std::vector<std::string>& program : programs.commands)
    words.insert(words.end(), program.begin(), program.end());
  return std::make_shared<Daemon>(*shape.directory, words, programs.are_there);
}

[[gnu::constructor]] void start() {
  const char* const broken = ::getenv("IPCBENCH_BROKEN_AT_LOAD");
  if (broken != nullptr && name == broken) break_down();
}

}  // namespace

std::vector<Row> IPCBENCH_BROKEN_ROWS() {
  Row row{.facts = {.name = name,
                    .summary = "for tests alone",
                    .family = Family::messaging,
                    .naming = Naming::inherited,
                    .handle = Handle::library,
                    .boundary = Boundary::message,
                    .persistence = Persistence::process,
                    .delivery = Delivery::reliable,
                    .peers = Peers::one_to_one,
                    .pollable = false,
                    .copies = 2,
                    .standard = "library"},
          .variant = nullptr,
          .unavailable = [] { return ""; },
          .message_max = [] { return std::nullopt; },
          .unfit = [](const Shape&) { return std::string(); },
          .cells = {},
          .links = {}};
  row.cells.resize(all_scenarios().size());
  row.cells.front() = run_once;
  row.launch = launch;
  return {row};
}

}  // namespace ipcbench
