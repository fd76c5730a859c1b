// build.h: a build of ipcbench, this one or another, used by its public command line: the one thing
// that builds of different ages have in common. Every run is a process of its own, which costs some
// tens of milliseconds and needs no protocol. A build of a plug-in is this program with that
// module.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/driver.h"
#include "harness/name.h"
#include "harness/options.h"
#include "harness/plan.h"
#include "harness/results.h"

namespace ipcbench {

/// The program itself failed: it isn't there, isn't ipcbench, crashed, hung, or refused its command
/// line. A run that fails inside of a program that works is an ordinary result.
struct BuildError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// An interrupt arrived while a program was running.
struct Interrupted {};

class Build {
 public:
  /// `name` is what messages call it: "OLD". The path is a program's, or a shared module's (*.so).
  /// The directory is for what its runs keep meanwhile. Throws UsageError where there is no such
  /// program or module.
  Build(std::string name, const std::string& path, const RunDirectory& directory,
        Interrupts& interrupts);

  const std::string& name() const { return name_; }
  /// As it was found, absolute.
  const std::string& path() const { return path_; }
  bool is_plugin() const { return words_.size() > 1; }

  /// What it would run for these flags of `run`. Throws BuildError.
  Plan plan(const std::vector<std::string>& flags) const;

  /// A run of one cell, as a results document with one run in it. Throws BuildError, Interrupted.
  Json run(const Plan& plan, const PlannedCell& cell,
           const std::map<std::string, std::string>& environment = {}) const;

  /// The same by `serve` and `connect`: this build produces, and the other one consumes. Throws
  /// BuildError, also where the two don't understand each other, and Interrupted.
  Json run_with(const Build& consumer, const Plan& plan, const PlannedCell& cell) const;

  /// What came of a command of it.
  struct Output {
    int status = 0;  ///< 128 + n: signal n ended it
    bool is_late = false;
    std::string out;
    std::string err;
  };
  /// Runs it to its end, or for so many seconds. Throws Interrupted.
  Output execute(const std::vector<std::string>& arguments,
                 const std::map<std::string, std::string>& environment, double deadline_s) const;

 private:
  class Child;
  Json document_of(const Output& output, const PlannedCell& cell, double deadline_s) const;

  std::string name_;
  std::string path_;
  std::vector<std::string> words_;  ///< that begin its command lines
  const RunDirectory& directory_;
  Interrupts& interrupts_;
};

/// The flags that make `run` execute this cell once and nothing else.
std::vector<std::string> flags_of(const Plan& plan, const PlannedCell& cell);

/// Why `serve` and `connect` can't run a cell of a plan with --start exec, or "".
std::string why_not_mixed(const PlannedCell& cell);

/// This program's own path.
std::string own_path();

}  // namespace ipcbench
