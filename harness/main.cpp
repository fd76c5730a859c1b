// ipcbench: the command line. A sub-command each; what it does stands in commands.h.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <system_error>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "harness/build_info.h"
#include "harness/commands.h"
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
  ipcbench run -f 'flood/.*size:64/' -n             what that would run, and how long)";

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
  ipcbench list                                     what there is, and what fits what
  ipcbench describe posix_mq                        its facts and limits here
  ipcbench probe pipe 'unix_*'                      what these really do, by experiment
  ipcbench calibrate -t pipe,tcp                    the smallest change that shows here
  ipcbench doctor                                   what makes this machine noisy

Exit status: 0 fine; 2 wrong usage or an unreadable file; 3 some runs failed; 77 nothing could
run here; 130 after Ctrl-C, 143 after SIGTERM, with the results so far written.)";

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
  std::string format = "text";
  std::string color = "auto";
  CLI::App* table = app.add_subcommand("table", "Results files as tables");
  table->add_option("file", files, "Results files")->required();
  table->add_option("--format", format, "text, md or csv")->type_name("FORMAT");
  table->add_option("--color", color, "auto, always or never")
      ->type_name("WHEN")
      ->envname("IPCBENCH_COLOR");

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

  CLI::App* doctor = app.add_subcommand("doctor", "What makes this machine noisy; its limits");
  doctor->add_flag("--json", json, "As JSON");
  std::string module;
  std::string manifest_output = "-";
  CLI::App* manifest =
      app.add_subcommand("manifest", "Load a shared module, and write its manifest");
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
  if (table->parsed()) return table_command(files, format, color);
  if (report->parsed()) return report_command(files, page);
  if (plot->parsed()) return plot_command(files, directory, picture_format, charts);
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
