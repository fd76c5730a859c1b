// The sub-commands that look and don't measure: list, describe, doctor, sweep, table.
#include <unistd.h>

#include <array>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/commands.h"
#include "harness/doctor.h"
#include "harness/machine.h"
#include "harness/manifest.h"
#include "harness/modules.h"
#include "harness/name.h"
#include "harness/results.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

std::string limit_text(const Row& row) {
  if (row.facts.boundary == Boundary::none) return "–";
  const std::optional<std::size_t> most = row.message_max();
  return most ? size_text(*most) : "none";
}

Json facts_json(const Row& row) {
  const std::string why_not = row.unavailable();
  Json json = to_json(row.facts);
  json["message_max"] = nullptr;
  if (const auto most = row.message_max(); most && row.facts.boundary != Boundary::none)
    json["message_max"] = *most;
  json["library"] = row.module == nullptr ? Json(nullptr) : Json(row.module->library);
  json["settings"] = row.settings;
  json["available"] = why_not.empty();
  json["reason"] = why_not.empty() ? Json(nullptr) : Json(why_not);
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    const std::string why = misfit(row, i, {});
    json["scenarios"][std::string(all_scenarios()[i].name)] = {
        {"fits", why.empty()}, {"reason", why.empty() ? Json(nullptr) : Json(why)}};
  }
  return json;
}

}  // namespace

int list_command(bool json) {
  if (json) {
    Json all = Json::array();
    for (const Row& row : all_rows()) all.push_back(facts_json(row));
    fmt::print("{}\n", dump(all, 2));
    return exit_ok;
  }
  std::size_t name_width = 9;
  for (const Row& row : all_rows()) name_width = std::max(name_width, row.facts.name.size());
  fmt::print("{:<{}}", "transport", name_width);
  for (const ScenarioFacts& scenario : all_scenarios()) fmt::print("  {}", scenario.name);
  fmt::print("  {:>11}  {}\n", "message max", "what it is");
  for (const Row& row : all_rows()) {
    fmt::print("{:<{}}", row.facts.name, name_width);
    for (std::size_t i = 0; i < row.cells.size(); ++i)
      fmt::print("  {:^{}}", row.cells[i] == nullptr ? "·" : "yes", all_scenarios()[i].name.size());
    const std::string limit = limit_text(row);
    fmt::print("  {}{}  {}", std::string(11 - std::min<std::size_t>(11, width_of(limit)), ' '),
               limit, row.facts.summary);
    const std::string why_not = row.unavailable();
    fmt::print("{}\n", why_not.empty() ? "" : fmt::format("  (not here: {})", why_not));
  }
  fmt::print("\n·  doesn't fit:");
  for (const ScenarioFacts& scenario : all_scenarios())
    fmt::print(" {} needs {};", scenario.name, scenario.needs);
  fmt::print(" see 'ipcbench describe TRANSPORT'\n");
  return exit_ok;
}

int describe_command(const std::string& transport, bool json) {
  const std::vector<const Row*> rows = match_rows(transport);
  if (json) {
    Json all = Json::array();
    for (const Row* row : rows) all.push_back(facts_json(*row));
    fmt::print("{}\n", dump(rows.size() == 1 ? all[0] : all, 2));
    return exit_ok;
  }
  for (const Row* row : rows) {
    const Facts& facts = row->facts;
    const std::string why_not = row->unavailable();
    fmt::print("{}: {}\n", facts.name, facts.summary);
    fmt::print("  here             {}\n",
               why_not.empty() ? "available" : "unavailable: " + why_not);
    fmt::print("  family           {}\n", text(facts.family));
    fmt::print("  found by         {}\n", text(facts.naming));
    fmt::print("  an end holds     {}\n", text(facts.handle));
    fmt::print("  boundary         {}\n", text(facts.boundary));
    fmt::print("  persistence      {}\n", text(facts.persistence));
    fmt::print("  delivery         {}\n", text(facts.delivery));
    fmt::print("  peers            {}\n", text(facts.peers));
    fmt::print("  epoll            {}\n", facts.pollable ? "can wait for it" : "can't wait for it");
    fmt::print("  copies           {}\n", facts.copies);
    fmt::print("  standard         {}\n", facts.standard);
    if (row->module != nullptr) {
      fmt::print("  library          {}\n", row->module->library);
      fmt::print("  module           {}\n", row->module->path);
    }
    if (!row->settings.empty()) fmt::print("  settings         {}\n", row->settings);
    fmt::print("  largest message  {}\n", limit_text(*row));
    for (std::size_t i = 0; i < row->cells.size(); ++i) {
      const std::string why = misfit(*row, i, {});
      fmt::print("  {:<16} {}\n", all_scenarios()[i].name, why.empty() ? "fits" : "no: " + why);
    }
    if (row != rows.back()) fmt::print("\n");
  }
  return exit_ok;
}

int doctor_command(bool json) {
  const Topology topology;
  const TickRate rate = measure_tick_rate();
  const nlohmann::json machine = machine_record(topology, rate, measure_clock_cost(rate));
  const std::vector<Finding> findings = diagnose(machine, take_readings());
  if (json) {
    const Json document{{"machine", Json(machine)}, {"findings", Json(to_json(findings))}};
    fmt::print("{}\n", dump(document, 2));
    return exit_ok;
  }
  static constexpr std::array words{"good", "note", "warning"};
  for (const Finding& finding : findings) {
    fmt::print("{:<8} {}: {}\n", words.at(static_cast<std::size_t>(finding.severity)),
               finding.subject, finding.seen);
    if (finding.severity == Severity::good) continue;
    if (!finding.matters.empty()) fmt::print("         {}\n", finding.matters);
    if (!finding.remedy.empty()) fmt::print("         → {}\n", finding.remedy);
  }
  return exit_ok;
}

int manifest_command(const std::string& module, const std::string& output) {
  ::alarm(60);  // it may hang while it is loaded
  const std::string manifest = read_manifest(module);
  ::alarm(0);
  if (output == "-") {
    fmt::print("{}", manifest);
    return exit_ok;
  }
  std::ofstream(output, std::ios::binary) << manifest << std::flush;
  if (std::ifstream(output).peek() != '{') fail("write", output);
  return exit_ok;
}

int sweep_command() {
  const std::vector<std::string> removed = sweep();
  for (const std::string& object : removed) fmt::print("removed {}\n", object);
  if (removed.empty()) fmt::print("nothing was left behind\n");
  return exit_ok;
}

int table_command(const std::vector<std::string>& files, const std::string& format,
                  const std::string& color) {
  TableFormat table_format = TableFormat::text;
  if (format == "md")
    table_format = TableFormat::markdown;
  else if (format == "csv")
    table_format = TableFormat::csv;
  else if (format != "text")
    throw UsageError(fmt::format("--format '{}': expected text, md or csv", printable(format)));
  const bool bold = wants_color(color, STDOUT_FILENO);
  std::vector<ResultsFile> results;
  for (const std::string& file : files)
    for (ResultsFile& read : read_all_results(file)) results.push_back(std::move(read));
  fmt::print("{}", render(results, table_format, bold));
  return exit_ok;
}

}  // namespace ipcbench
