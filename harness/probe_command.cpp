// ipcbench probe: the facts of transports, proved on this kernel, as text, Markdown or JSON.
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "harness/commands.h"
#include "harness/driver.h"
#include "harness/probe.h"
#include "harness/results.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

struct Probed {
  const Row* row;
  std::string unavailable;
  std::vector<Proof> proofs;  ///< none where it is unavailable
};

std::string_view mark(Verdict verdict) {
  switch (verdict) {
    case Verdict::proved:
      return "✓";
    case Verdict::contradicted:
      return "✗";
    case Verdict::untestable:
      return "·";
  }
  return "?";
}

std::string kernel_text() {
  utsname name{};
  check(::uname(&name), "uname");
  return fmt::format("{} {}", name.sysname, name.release);
}

std::vector<const Row*> rows_of(const std::vector<std::string>& patterns) {
  std::vector<const Row*> rows;
  for (const std::string& pattern : patterns.empty() ? std::vector<std::string>{"*"} : patterns)
    for (const Row* row : match_rows(pattern))
      if (!row->links.empty() && std::find(rows.begin(), rows.end(), row) == rows.end())
        rows.push_back(row);
  return rows;
}

Json to_json(const std::vector<Probed>& all) {
  Json rows = Json::array();
  for (const Probed& one : all) {
    Json row{{"transport", one.row->facts.name},
             {"unavailable", one.unavailable.empty() ? Json(nullptr) : Json(one.unavailable)},
             {"handle", text(one.row->facts.handle)},
             {"facts", Json::array()}};
    for (const Proof& proof : one.proofs)
      row["facts"].push_back({{"fact", proof.fact},
                              {"value", proof.value},
                              {"verdict", text(proof.verdict)},
                              {"how", proof.how}});
    rows.push_back(std::move(row));
  }
  return {
      {"schema", "ipcbench-probe/1"}, {"kernel", kernel_text()}, {"transports", std::move(rows)}};
}

/// A block for each transport, with a line for each fact and how it was found.
std::string as_text(const Probed& one) {
  std::string lines = fmt::format("{}: {}\n", one.row->facts.name, one.row->facts.summary);
  if (!one.unavailable.empty()) return lines + fmt::format("  not here: {}\n", one.unavailable);
  lines += fmt::format("    {:<15} {}\n", "an end holds", text(one.row->facts.handle));
  for (const Proof& proof : one.proofs)
    lines += fmt::format("  {} {:<15} {}  ({})\n", mark(proof.verdict), proof.fact, proof.value,
                         proof.verdict == Verdict::proved
                             ? proof.how
                             : fmt::format("{}: {}", text(proof.verdict), proof.how));
  return lines;
}

/// One table: a row for each transport, a column for each fact.
std::string as_markdown(const std::vector<Probed>& all) {
  Table table{.title = fmt::format("What the mechanisms do, by experiment on {}", kernel_text()),
              .columns = {"transport", "holds a"},
              .rows = {}};
  for (const std::string_view fact : probe_facts()) table.columns.emplace_back(fact);
  for (const Probed& one : all) {
    std::vector<std::string> row{std::string(one.row->facts.name),
                                 std::string(text(one.row->facts.handle))};
    for (const Proof& proof : one.proofs)
      row.push_back(fmt::format("{} {}", mark(proof.verdict), printable(proof.value)));
    if (one.proofs.empty())
      row.resize(table.columns.size(), fmt::format("not here: {}", printable(one.unavailable)));
    table.rows.push_back(std::move(row));
  }
  return render_markdown(table) + "\n✓ proved, ✗ contradicted, · not testable here\n";
}

}  // namespace

int probe_command(const std::vector<std::string>& transports, const std::string& format) {
  if (format != "text" && format != "md" && format != "json")
    throw UsageError(fmt::format("--format '{}': expected text, md or json", printable(format)));
  const std::vector<const Row*> rows = rows_of(transports);
  sweep();
  const RunDirectory directory;
  std::vector<Probed> all;
  bool contradicted = false;
  const bool shows_progress = ::isatty(STDERR_FILENO) == 1;
  for (const Row* row : rows) {
    if (shows_progress)
      fmt::print(stderr, "\r\033[K[{}/{}] {}", all.size() + 1, rows.size(), row->facts.name);
    Probed one{row, row->unavailable(), {}};
    if (one.unavailable.empty()) one.proofs = probe(*row, directory);
    for (const Proof& proof : one.proofs) contradicted |= proof.verdict == Verdict::contradicted;
    if (shows_progress) fmt::print(stderr, "\r\033[K");
    if (format == "text") {
      fmt::print("{}{}", all.empty() ? "" : "\n", as_text(one));
      std::fflush(stdout);
    }
    all.push_back(std::move(one));
  }
  if (format == "md") fmt::print("{}", as_markdown(all));
  if (format == "json") fmt::print("{}\n", dump(to_json(all), 2));
  if (rows.empty())
    throw UsageError("probe: a roofline is no mechanism between processes; expected another one");
  if (contradicted)
    fmt::print(stderr, "ipcbench: a fact that a transport claims was contradicted (✗)\n");
  return contradicted ? exit_failed : exit_ok;
}

}  // namespace ipcbench
