// ipcbench: the command line. A sub-command each; what it does stands in commands.h.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <system_error>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "harness/ab_command.h"
#include "harness/baseline.h"
#include "harness/build_info.h"
#include "harness/commands.h"
#include "harness/compare_command.h"
#include "harness/modules.h"
#include "harness/pair.h"
#include "harness/text.h"

namespace {

using namespace ipcbench;

constexpr const char* run_examples = R"(Measures, and prints the table.

Examples:
  ipcbench run --suite quick                        a first comparison of everything
  ipcbench run -t pipe,tcp -S flood -s 64,4KiB      two transports, one scenario, two sizes
  ipcbench run -t 'shm_*' --pin 2,3 -r 20 -o x.json on CPUs of your choice, kept in x.json
  ipcbench run --resume -o x.json                   goes on with it after an interrupt
  ipcbench run -t 'unix_*' --precision 3%           as long as it takes for ±3 %, or --budget
  ipcbench run -f 'flood/.*size:64/' -n             what that would run, and how long
  ipcbench run --from x.json -o y.json              the plan of a results file or a page, again)";

constexpr const char* calibrate_examples =
    R"(Measures every cell against itself, in pairs of runs, and keeps the smallest change that so many
pairs find on this machine in four of five cases, for `compare`.

Examples:
  ipcbench calibrate -t pipe,tcp -S ping_pong      20 pairs of each cell
  ipcbench calibrate --suite quick -n              how long everything would take)";

constexpr const char* examples =
    R"(Compares mechanisms of inter-process communication on this machine.

Examples:
  ipcbench run --suite quick                        a first comparison of everything, 20 seconds
  ipcbench run -t pipe,tcp,shm_posix -s 64,4KiB     only these, the default scenarios
  ipcbench run -t 'unix_*' -S ping_pong --placement same-core -r 20 -o unix.json
  ipcbench serve fifo --name demo                   in one terminal, and in another
  ipcbench connect --name demo                      the same between unrelated processes
  ipcbench table unix.json --format md              a results file as a table
  ipcbench report unix.json -o unix.html            as a page with charts, which holds the file
  ipcbench plot unix.json -o charts --format png    its charts as pictures
  ipcbench ab build-main/ipcbench build/ipcbench    whether a change made it slower: the gate
  ipcbench compare main.json unix.json              the same of two files
  ipcbench choose --size 4KiB --p99 50us --need boundary      which of them to use here
  ipcbench table unix.json --columns size --value p99         one measure, by any two axes
  ipcbench export unix.json --format gbench         for other programs
  ipcbench reproduce theirs.json                    whether somebody's ranking holds here
  ipcbench history results/                         what has changed over time
  ipcbench list                                     what there is, and what fits what
  ipcbench describe posix_mq                        its facts and limits here
  ipcbench probe pipe 'unix_*'                      what these really do, by experiment
  ipcbench calibrate -t pipe,tcp                    the smallest change that shows here
  ipcbench doctor                                   what makes this machine noisy

Exit status: 0 fine; 1 it got worse (ab, compare, history) or does not hold (reproduce); 2 wrong
usage or an unreadable file; 3 some runs failed; 4 with --strict, something is inconclusive; 77 nothing
could run here, or nothing qualifies (choose); 130 after Ctrl-C, 143 after SIGTERM, with the results
so far written.)";

std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n') c = ' ';
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

/// CLI11 alone says neither what was meant nor exits with 2.
int report_wrong_usage(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  std::string hint = "; 'ipcbench --help' shows what there is";
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands({})) commands.push_back(command->get_name());
  int first = 1;
  while (first < argc && std::string_view(argv[first]) == "--plugin") first += 2;
  const bool names_no_command =
      first < argc && std::find(commands.begin(), commands.end(), argv[first]) == commands.end();
  if (names_no_command) {
    fmt::print(stderr, "ipcbench: no sub-command '{}'{}{}\n", printable(argv[first]),
               suggestion(argv[first], commands), hint);
    return exit_usage;
  }
  for (const CLI::App* command : app.get_subcommands()) {
    hint = fmt::format("; 'ipcbench {} --help' shows what it takes", command->get_name());
    std::vector<std::string> flags;
    for (const CLI::Option* option : command->get_options())
      for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    std::string meant;  // one is enough, however many are wrong
    for (const std::string& extra : command->remaining())
      if (extra.starts_with("-") && meant.empty())
        meant = suggestion(extra.substr(0, extra.find('=')), flags);
    hint = meant + hint;
  }
  fmt::print(stderr, "ipcbench: {}{}\n", printable(one_line(error.what()), 300), hint);
  return exit_usage;
}

void add_format(CLI::App& command, std::string& format, const char* help) {
  command.add_option("--format", format, help)->type_name("FORMAT");
}

void add_color(CLI::App& command, std::string& color) {
  command.add_option("--color", color, "auto, always or never")
      ->type_name("WHEN")
      ->envname("IPCBENCH_COLOR");
}

void add_table_options(CLI::App& table, std::vector<std::string>& files, TableRequest& request) {
  table.add_option("file", files, "Results files")->required();
  add_format(table, request.format, "text, md, csv, latex or json");
  table.add_option("--rows", request.rows, "Axes of the rows: transport, scenario, size …")
      ->type_name("LIST");
  table.add_option("--columns", request.columns, "Axes of the columns: file, size, placement …")
      ->type_name("LIST");
  table.add_option("--value", request.value, "The measure: p50, p99, messages_per_s …")
      ->type_name("NAME");
  table.add_option("--sort", request.sort, "By the column of that title, the best first")
      ->type_name("TITLE");
  table.add_flag("--reverse", request.is_reversed, "The worst first");
  table
      .add_option("--reference", request.reference, "Numbers as times that row's; or best, carrier")
      ->type_name("ROW");
  table.add_option("-f,--filter", request.filter, "Only cells whose key matches")
      ->type_name("REGEX");
  add_color(table, request.color);
}

void add_choose_options(CLI::App& choose, std::vector<std::string>& files, ChooseRequest& request) {
  choose.add_option("file", files, "Results files; the newest kept one if none is given");
  choose.add_option("-s,--size", request.size, "Size of the messages: 64, 4KiB … (64)")
      ->type_name("SIZE");
  choose.add_option("--rate", request.rate, "Messages a second that must come through: 100k …")
      ->type_name("RATE");
  choose.add_option("--p50", request.p50, "Longest median round trip: 50us …")->type_name("TIME");
  choose.add_option("--p99", request.p99, "Longest 99th percentile: 50us …")->type_name("TIME");
  choose
      .add_option("--need", request.needs, "boundary, unrelated, many-producers, survives-crash …")
      ->type_name("LIST");
  choose
      .add_option("--cpu", request.cpu, "low: no end spins while it waits; or the most per message")
      ->type_name("low|TIME");
  choose
      .add_option("--placement", request.placement, "same-core, cross-core …; all that there are")
      ->type_name("LIST");
  choose.add_flag("--measure", request.measures, "Measure what fits now, in place of a kept file");
  add_format(choose, request.format, "text, md or json");
  add_color(choose, request.color);
}

void add_history_options(CLI::App& history, std::vector<std::string>& files,
                         HistoryRequest& request) {
  history.add_option("file", files, "Directories of results files, or files")->required();
  history.add_option("--metric", request.metric, "A measure; the quiet time of an operation")
      ->type_name("NAME");
  history.add_option("-f,--filter", request.filter, "Only cells whose key matches")
      ->type_name("REGEX");
  history.add_option("--margin", request.margin, "The smallest change that counts (5%)")
      ->type_name("N%");
  history.add_option("--seed", request.seed, "Seed of the permutations (1)")->type_name("N");
  history.add_flag("--all", request.shows_all, "Show cells that haven't changed, too");
  history.add_option("--page", request.page, "Write a page for a browser, too")->type_name("FILE");
  add_format(history, request.format, "text, md or json");
}

int dispatch(int argc, char** argv) {
  CLI::App app(examples, "ipcbench");
  app.require_subcommand(1);
  app.set_version_flag("--version", fmt::format("ipcbench {} ({})", build_version, build_commit));

  bool json = false;
  RunOptions run_options;
  CLI::App* run = app.add_subcommand("run", "Measure, and print the table");
  add_run_options(*run, run_options);

  RunOptions calibrate_options;
  CLI::App* calibrate = app.add_subcommand("calibrate", "Find the smallest change to be seen here");
  add_run_options(*calibrate, calibrate_options);

  PairOptions pair;
  CLI::App* serve = app.add_subcommand("serve", "Make a link under a name, for connect");
  add_serve_options(*serve, pair);
  CLI::App* connect = app.add_subcommand("connect", "Find what serve has made, and measure");
  add_connect_options(*connect, pair);
  std::vector<std::string> end_arguments;
  CLI::App* end = app.add_subcommand("end", "")->group("");
  end->add_option("arguments", end_arguments);

  CLI::App* list = app.add_subcommand("list", "Transports and scenarios, and what fits what");
  list->add_flag("--json", json, "As JSON");

  std::string transport;
  CLI::App* describe = app.add_subcommand("describe", "The facts and limits of a transport");
  describe->add_option("transport", transport, "Its name; a glob or a stem shows several")
      ->required();
  describe->add_flag("--json", json, "As JSON");

  std::vector<std::string> probed;
  std::string probe_format = "text";
  CLI::App* probe = app.add_subcommand("probe", "Prove the facts of transports on this kernel");
  probe->add_option("transport", probed, "Names or globs; all if none is given");
  probe->add_option("--format", probe_format, "text, md or json")->type_name("FORMAT");

  std::vector<std::string> files;
  TableRequest table_request;
  CLI::App* table = app.add_subcommand("table", "Results files as tables");
  add_table_options(*table, files, table_request);

  std::string page = "report.html";
  CLI::App* report = app.add_subcommand("report", "Results files as one page for a browser");
  report->add_option("file", files, "Results files")->required();
  report->add_option("-o,--output", page, "The page; - is stdout; report.html if none is given")
      ->type_name("FILE");

  std::string directory = ".";
  std::string picture_format = "svg";
  std::string charts;
  CLI::App* plot = app.add_subcommand("plot", "Results files as pictures, one for each chart");
  plot->add_option("file", files, "Results files")->required();
  plot->add_option("-o,--output", directory, "Directory for the pictures")->type_name("DIR");
  plot->add_option("--format", picture_format, "svg, png or pdf")->type_name("FORMAT");
  plot->add_option("--chart", charts, "Only these charts, such as heat_map,percentiles")
      ->type_name("LIST");

  ChooseRequest choose_request;
  CLI::App* choose = app.add_subcommand("choose", "Rank what was measured by what you need");
  add_choose_options(*choose, files, choose_request);

  std::string export_format;
  std::string export_filter;
  std::string export_output = "-";
  CLI::App* exported = app.add_subcommand("export", "Results files in other programs' formats");
  exported->add_option("file", files, "Results files")->required();
  exported->add_option("--format", export_format, "gbench, bmf, gha, hgrm, csv or md")
      ->type_name("FORMAT")
      ->required();
  exported->add_option("-o,--output", export_output, "A file; a directory for hgrm; - is stdout")
      ->type_name("FILE");
  exported->add_option("-f,--filter", export_filter, "Only cells whose key matches")
      ->type_name("REGEX");

  ReproduceRequest reproduce_request;
  RunOptions reproduce_options;
  CLI::App* reproduce =
      app.add_subcommand("reproduce", "Run a results file's plan here, and say whether it holds");
  reproduce->add_option("results", reproduce_request.there, "The results file")->required();
  reproduce->add_option("--here", reproduce_request.here, "These results, in place of measuring")
      ->type_name("FILE");
  add_format(*reproduce, reproduce_request.format, "text, md or json");
  add_run_options(*reproduce, reproduce_options);

  HistoryRequest history_request;
  CLI::App* history = app.add_subcommand("history", "Results files over time: what has changed");
  add_history_options(*history, files, history_request);

  CompareFlags compare_flags;
  CLI::App* compare = app.add_subcommand("compare", "What is slower, faster or the same in NEW");
  add_compare_options(*compare, compare_flags);

  AbFlags ab_flags;
  CLI::App* ab = app.add_subcommand("ab", "Two builds of ipcbench against each other, in pairs");
  add_ab_options(*ab, ab_flags);

  std::string baseline_action = "list";
  std::string baseline_name;
  CLI::App* baseline = app.add_subcommand("baseline", "Results that were kept under names");
  baseline->add_option("action", baseline_action, "list, or remove NAME");
  baseline->add_option("name", baseline_name, "Of the baseline to remove");

  CLI::App* doctor = app.add_subcommand("doctor", "What makes this machine noisy; its limits");
  doctor->add_flag("--json", json, "As JSON");
  std::string module;
  std::string manifest_output = "-";
  CLI::App* manifest =
      app.add_subcommand("manifest",
                         "Load a shared module, and write its manifest; 3: it can't be loaded, or "
                         "hangs for a minute");
  manifest->add_option("module", module, "A shared object with transports")->required();
  manifest->add_option("-o,--output", manifest_output, "The manifest; - is stdout")
      ->type_name("FILE");
  CLI::App* sweep = app.add_subcommand("sweep", "Remove what killed runs left behind");

  std::vector<std::string> plugins;
  for (CLI::App* command : {&app, run, calibrate, serve, connect, list, describe, probe})
    command->add_option("--plugin", plugins, "A shared module with more transports")
        ->type_name("FILE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {               // --help, --version
    if (run->parsed()) run->description(run_examples);  // the list of sub-commands has one line
    if (calibrate->parsed()) calibrate->description(calibrate_examples);
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return report_wrong_usage(app, error, argc, argv);
  }
  name_plugins(plugins);
  if (run->parsed()) return run_command(run_options, {argv, argv + argc});
  if (calibrate->parsed()) return calibrate_command(calibrate_options, {argv, argv + argc});
  if (serve->parsed()) return serve_command(pair);
  if (connect->parsed()) return connect_command(pair, {argv, argv + argc});
  if (end->parsed()) return end_command(end_arguments);
  if (list->parsed()) return list_command(json);
  if (describe->parsed()) return describe_command(transport, json);
  if (probe->parsed()) return probe_command(probed, probe_format);
  if (table->parsed()) return table_command(files, table_request);
  if (choose->parsed()) return choose_command(files, choose_request, {argv, argv + argc});
  if (reproduce->parsed())
    return reproduce_command(reproduce_request, reproduce_options, {argv, argv + argc});
  if (history->parsed()) return history_command(files, history_request);
  if (exported->parsed()) return export_command(files, export_format, export_filter, export_output);
  if (report->parsed()) return report_command(files, page);
  if (plot->parsed()) return plot_command(files, directory, picture_format, charts);
  if (compare->parsed()) return compare_command(compare_flags);
  if (baseline->parsed()) return baseline_command(baseline_action, baseline_name);
  if (ab->parsed()) return ab_command(ab_flags, {argv, argv + argc});
  if (doctor->parsed()) return doctor_command(json);
  if (manifest->parsed()) return manifest_command(module, manifest_output);
  if (sweep->parsed()) return sweep_command();
  return exit_usage;
}

/// What was printed must have arrived: a full disk is no success.
void flush_stdout() {
  errno = 0;
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    throw std::system_error(errno == 0 ? EIO : errno, std::generic_category(), "stdout");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int status = dispatch(argc, argv);
    flush_stdout();
    return status;
  } catch (const UsageError& error) {
    fmt::print(stderr, "ipcbench: {}\n", error.what());
    return exit_usage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "ipcbench: {}\n", printable(error.what(), 400));
    return exit_failed;
  }
}
