// For tests: a module that hangs, or crashes, as its NAME says: in the runner that uses it, or,
// where IPCBENCH_BROKEN_AT_LOAD names it, while it is loaded. One of another name is sound, and
// carries nothing.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <string_view>

#include "harness/row.h"
#include "harness/run.h"

namespace ipcbench {
namespace {

constexpr std::string_view name = IPCBENCH_BROKEN_NAME;

[[noreturn]] void break_down() {
  if (name == "crashing") ::raise(SIGSEGV);
  while (name == "hanging") ::pause();
  ::abort();
}

void carry_nothing(End& end) {
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
  return {row};
}

}  // namespace ipcbench
