// ipcbench reproduce: runs a results file's plan here, and says whether it holds.
#include <fmt/format.h>

#include "harness/commands.h"
#include "harness/reproduce.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

constexpr std::size_t reversals_max = 20;  // of them are told one by one

/// Runs the plan and keeps the results. Nothing where the run came to no end; `status` has its exit
/// status.
std::optional<ResultsFile> measure(const ReproduceRequest& request, RunOptions options,
                                   const std::vector<std::string>& command_line, int& status) {
  options.from = request.there;
  options.shows_table = false;
  if (options.output.empty()) options.output = default_output();
  if (options.output == "-" || options.json)
    throw UsageError(
        "reproduce: stdout is for the comparison; expected -o FILE, and --format for the "
        "comparison");
  status = run_command(options, command_line);
  if (options.dry_run || (status != exit_ok && status != exit_failed)) return std::nullopt;
  return read_results(options.output);
}

void print(const Reproduction& reproduction, const ResultsFile& there, const ResultsFile& here,
           TableFormat format) {
  const char* bullet = format == TableFormat::markdown ? "- " : "";
  for (const Table& table : reproduction_tables(reproduction))
    fmt::print("{}", render(table, format, false));
  std::size_t told = 0;
  for (const Ranking& ranking : reproduction.rankings)
    for (const std::string& reversal : ranking.reversals)
      if (told++ < reversals_max) fmt::print("{}{}\n", bullet, reversal);
  if (told > reversals_max) fmt::print("{}… and {} more\n", bullet, told - reversals_max);
  fmt::print("{}there: {}\n", bullet, provenance(there.context));
  fmt::print("{}here:  {}\n", bullet, provenance(here.context));
  if (reproduction.rankings.empty())
    fmt::print("{}no transports to rank in both\n", bullet);
  else if (reproduction.reversed() + reproduction.same() == 0)
    fmt::print("{}undecided: no two transports are apart on both; more repeats would tell\n",
               bullet);
  else if (reproduction.holds())
    fmt::print(
        "{}the ranking holds: no two transports that are apart on both have changed places\n",
        bullet);
  else
    fmt::print("{}the ranking does not hold: {} pairs that are apart on both have changed places\n",
               bullet, reproduction.reversed());
}

}  // namespace

int reproduce_command(const ReproduceRequest& request, const RunOptions& options,
                      const std::vector<std::string>& command_line) {
  if (request.format != "text" && request.format != "md" && request.format != "json")
    throw UsageError(
        fmt::format("--format '{}': expected text, md or json", printable(request.format)));
  const ResultsFile there = read_results(request.there);
  int status = exit_ok;
  const std::optional<ResultsFile> here = request.here.empty()
                                              ? measure(request, options, command_line, status)
                                              : std::optional(read_results(request.here));
  if (!here) return status;
  const Reproduction reproduction = reproduce(there, *here);
  if (request.format == "json")
    fmt::print("{}\n", dump(reproduction_json(reproduction), 2));
  else
    print(reproduction, there, *here, parse_table_format(request.format));
  return reproduction.holds() ? status : exit_regressed;
}

}  // namespace ipcbench
