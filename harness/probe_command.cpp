// ipcbench probe: the facts of transports, proved on this kernel, as text, Markdown or JSON.
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "harness/commands.h"
#include "harness/probe.h"
#include "harness/results.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

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
  if (rows.empty())
    throw UsageError("probe: a roofline is no mechanism between processes; expected another one");
  return rows;
}

Json to_json(const Probed& one) {
  Json row{{"transport", one.row->facts.name},
           {"unavailable", one.unavailable.empty() ? Json(nullptr) : Json(one.unavailable)},
           {"facts", Json::array()}};
  for (const Proof& proof : one.proofs)
    row["facts"].push_back({{"fact", proof.fact},
                            {"value", proof.value},
                            {"verdict", text(proof.verdict)},
                            {"how", proof.how}});
  return row;
}

/// A block for each transport, with a line for each fact and how it was found.
std::string as_text(const Probed& one) {
  std::string lines = fmt::format("{}: {}\n", one.row->facts.name, one.row->facts.summary);
  if (!one.unavailable.empty()) return lines + fmt::format("  not here: {}\n", one.unavailable);
  for (const Proof& proof : one.proofs)
    lines += fmt::format("  {} {:<15} {}  ({})\n", mark(proof.verdict), proof.fact, proof.value,
                         proof.verdict == Verdict::proved
                             ? proof.how
                             : fmt::format("{}: {}", text(proof.verdict), proof.how));
  return lines;
}

std::size_t count(const std::vector<Probed>& all, Verdict verdict) {
  std::size_t number = 0;
  for (const Probed& one : all)
    for (const Proof& proof : one.proofs) number += proof.verdict == verdict ? 1U : 0U;
  return number;
}

std::string count_text(const std::vector<Probed>& all) {
  const auto missing = std::count_if(all.begin(), all.end(),
                                     [](const Probed& one) { return !one.unavailable.empty(); });
  return fmt::format(
      "{} transports, {} of them not here: {} facts proved, {} contradicted, {} not testable here",
      all.size(), missing, count(all, Verdict::proved), count(all, Verdict::contradicted),
      count(all, Verdict::untestable));
}

/// One table: a row for each transport, a column for each fact.
std::string as_markdown(const std::vector<Probed>& all) {
  Table table{.title = fmt::format("What the mechanisms do, by experiment on {}", kernel_text()),
              .columns = {"transport"},
              .rows = {}};
  for (const std::string_view fact : probe_facts()) table.columns.emplace_back(fact);
  for (const Probed& one : all) {
    std::vector<std::string> row{std::string(one.row->facts.name)};
    for (const Proof& proof : one.proofs)
      row.push_back(fmt::format("{} {}", mark(proof.verdict), printable(proof.value)));
    if (one.proofs.empty())
      row.resize(table.columns.size(), fmt::format("not here: {}", printable(one.unavailable)));
    table.rows.push_back(std::move(row));
  }
  return fmt::format("{}\n✓ proved, ✗ contradicted, · not testable here. {}.\n",
                     render_markdown(table), count_text(all));
}

std::string as_json(const std::vector<Probed>& all) {
  Json rows = Json::array();
  for (const Probed& one : all) rows.push_back(to_json(one));
  return dump(
      {{"schema", "ipcbench-probe/1"}, {"kernel", kernel_text()}, {"transports", std::move(rows)}},
      2);
}

}  // namespace

int probe_command(const std::vector<std::string>& transports, const std::string& format) {
  if (format != "text" && format != "md" && format != "json")
    throw UsageError(fmt::format("--format '{}': expected text, md or json", printable(format)));
  return probe_rows(rows_of(transports), format);
}

int probe_rows(const std::vector<const Row*>& rows, const std::string& format) {
  sweep();
  bool is_first = true;
  const ProbeResult result = probe_all(rows, [&](const Probed& one) {
    if (format != "text") return;
    fmt::print("{}{}", std::exchange(is_first, false) ? "" : "\n", as_text(one));
    std::fflush(stdout);
  });
  if (result.signal != 0) {
    sweep();
    fmt::print(stderr, "ipcbench: interrupted by {}\n", signal_text(result.signal));
    return 128 + result.signal;
  }
  if (format == "text") fmt::print("\n{}\n", count_text(result.all));
  if (format == "md") fmt::print("{}", as_markdown(result.all));
  if (format == "json") fmt::print("{}\n", as_json(result.all));
  if (count(result.all, Verdict::contradicted) == 0) return exit_ok;
  fmt::print(stderr, "ipcbench: a fact that a transport claims was contradicted (✗)\n");
  return exit_failed;
}

}  // namespace ipcbench
