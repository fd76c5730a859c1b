// The sub-commands that look at this machine and the program: list, describe, doctor, sweep.
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/commands.h"
#include "harness/doctor.h"
#include "harness/machine.h"
#include "harness/manifest.h"
#include "harness/modules.h"
#include "harness/name.h"
#include "harness/results.h"
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
  if (row.facts.standard.empty())  // a module that isn't there: its facts are with it
    for (auto& [fact, value] : json.items())
      if (fact != "name" && fact != "summary") value = nullptr;
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

/// "a", "b" …: what stands for a scenario in a line of at most 100 columns.
char letter_of(std::size_t scenario) {
  return static_cast<char>('a' + scenario);
}

/// The beginning of the text, in so many columns.
std::string clipped(std::string_view text, std::size_t columns) {
  if (width_of(text) <= columns) return std::string(text);
  std::string kept;
  for (const char c : text) {
    const bool begins_character = (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    if (begins_character && width_of(kept) + 1 >= columns) break;
    kept += c;
  }
  return kept + "…";
}

/// Of the terminal, or as many as a page has.
std::size_t columns_of_stdout() {
  constexpr std::size_t usual = 100;
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  return known ? std::max<std::size_t>(usual, size.ws_col) : usual;
}

/// The words, in lines that begin alike.
std::string wrapped(const std::string& beginning, const std::vector<std::string>& words,
                    std::size_t columns) {
  std::string text;
  std::string line = beginning;
  for (const std::string& word : words) {
    if (width_of(line) + 1 + width_of(word) > columns && line != beginning) {
      text += line + "\n";
      line = std::string(width_of(beginning), ' ');
    }
    line += " " + word;
  }
  return text + line + "\n";
}

/// The names of the transports that aren't available, by the reason.
using Unavailable = std::map<std::string, std::vector<std::string>>;

void print_unavailable(const Unavailable& not_here, std::size_t columns) {
  for (const auto& [why, rows] : not_here) {
    std::istringstream reason(why + ":");
    std::vector<std::string> words{std::istream_iterator<std::string>(reason), {}};
    for (const std::string& name : rows)
      words.push_back(fmt::format("{}{}", name, name == rows.back() ? "" : ","));
    fmt::print("{}", wrapped("*  not here:", words, columns));
  }
}

void print_list() {
  const std::size_t columns = columns_of_stdout();
  std::size_t name_width = 9;
  for (const Row& row : all_rows()) name_width = std::max(name_width, row.facts.name.size() + 1);
  const std::size_t marks_width = std::max<std::size_t>(9, all_scenarios().size());
  constexpr std::size_t limit_width = 8;
  fmt::print("{:<{}}  {:<{}}  {:>{}}  what it is\n", "transport", name_width, "scenarios",
             marks_width, "largest", limit_width);
  Unavailable not_here;  // asked once: some rows try it in a process of its own
  for (const Row& row : all_rows()) {
    std::string marks;
    for (std::size_t i = 0; i < row.cells.size(); ++i)
      marks += row.cells[i] == nullptr ? "·" : std::string(1, letter_of(i));
    const std::string why_not = row.unavailable();
    if (!why_not.empty()) not_here[why_not].emplace_back(row.facts.name);
    const std::string name = fmt::format("{}{}", row.facts.name, why_not.empty() ? "" : "*");
    const std::string limit = limit_text(row);
    const auto padding = [](std::size_t width, std::size_t used) {
      return std::string(width - std::min(width, used), ' ');
    };
    const std::size_t before =
        name_width + marks_width + std::max(limit_width, width_of(limit)) + 6;
    fmt::print("{:<{}}  {}{}  {}{}  {}\n", name, name_width, marks,
               padding(marks_width, all_scenarios().size()), padding(limit_width, width_of(limit)),
               limit, clipped(row.facts.summary, columns - std::min(columns, before)));
  }
  fmt::print("\n");
  for (std::size_t i = 0; i < all_scenarios().size(); ++i)
    fmt::print("{}\n", clipped(fmt::format("{}  {:<10}  {}; needs {}", letter_of(i),
                                           all_scenarios()[i].name, all_scenarios()[i].summary,
                                           all_scenarios()[i].needs),
                               columns));
  fmt::print("·  doesn't fit: 'ipcbench describe TRANSPORT' says why\n");
  print_unavailable(not_here, columns);
}

}  // namespace

int list_command(bool json) {
  if (json) {
    Json all = Json::array();
    for (const Row& row : all_rows()) all.push_back(facts_json(row));
    fmt::print("{}\n", dump(all, 2));
    return exit_ok;
  }
  print_list();
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
    if (facts.standard.empty()) continue;  // a module that isn't there: its facts are with it
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
    if (!facts.carrier.empty()) fmt::print("  carried by       {}\n", facts.carrier);
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
  constexpr unsigned loading_s = 60;  // a module may hang while it is loaded
  static const std::string hangs = fmt::format(
      "ipcbench: {}: is still being loaded after {} s; expected a module that loads at once\n",
      printable(module), loading_s);
  struct sigaction action {};
  action.sa_handler = [](int) {
    [[maybe_unused]] const ssize_t told = ::write(STDERR_FILENO, hangs.data(), hangs.size());
    ::_exit(exit_failed);
  };
  ::sigaction(SIGALRM, &action, nullptr);
  ::alarm(loading_s);
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

}  // namespace ipcbench
