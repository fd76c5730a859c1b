// For modules_test.cpp: a module that hangs, or crashes, as its NAME says: in the runner that uses
// it, or, where IPCBENCH_BROKEN_AT_LOAD names it, while it is loaded.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <string_view>

#include "harness/row.h"

namespace ipcbench {
namespace {

constexpr std::string_view name = IPCBENCH_BROKEN_NAME;

[[noreturn]] void break_down() {
  if (name == "crashing") ::raise(SIGSEGV);
  while (true) ::pause();
}

[[gnu::constructor]] void start() {
  const char* const broken = ::getenv("IPCBENCH_BROKEN_AT_LOAD");
  if (broken != nullptr && name == broken) break_down();
}

}  // namespace

std::vector<Row> IPCBENCH_BROKEN_ROWS() {
  Row row{.facts = {.name = name,
                    .summary = "breaks down, for a test",
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
  row.cells.front() = [](Runner&) { break_down(); };
  return {row};
}

}  // namespace ipcbench
