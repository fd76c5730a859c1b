// pair.h: pairs of unrelated processes that meet by name: `ipcbench serve` and `ipcbench connect`,
// and the programs that `run --start exec` and `--start launch` make of the ends.
//
//   serve:    directory NAME ── control block in it ── fork: makes the link, plays the consumer
//   connect:  finds both ── fork: finds the link by its names, plays the producer ── results
//
// Each of the two commands watches its own end and the other command's by pidfd, so that neither
// waits for somebody who is gone, even where the mechanism itself would wait for ever.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace ipcbench {

/// The flags of `serve` and `connect`.
struct PairOptions {
  std::string transport;
  std::string name;
  std::string scenario;
  std::string size = "64";
  std::string waiting = "block";
  std::string depth = "64";
  std::string count = "0";
  std::string warmup = "20ms";
  std::string min_time = "1s";
  std::string timeout = "1min";
  std::string cpu;
  std::string output;
  bool json = false;
};

void add_serve_options(CLI::App& command, PairOptions& options);
void add_connect_options(CLI::App& command, PairOptions& options);

/// Makes the link under its name, waits for a `connect`, plays the consumer once.
int serve_command(const PairOptions& options);

/// Finds what `serve` has made, plays the producer, and prints the results.
int connect_command(const PairOptions& options, const std::vector<std::string>& command_line);

/// `ipcbench end CONTROL DIRECTORY INDEX`: an end of `run --start exec` or `--start launch`. Nobody
/// types it.
int end_command(const std::vector<std::string>& arguments);

}  // namespace ipcbench
