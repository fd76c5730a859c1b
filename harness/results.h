// results.h: the results file "ipcbench/1", the journal that stands in for it while a plan is
// being executed, and what is read back from either. results/ipcbench-1.schema.json is the format.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "harness/driver.h"
#include "harness/histogram.h"
#include "harness/plan.h"

namespace ipcbench {

using Json = nlohmann::ordered_json;

inline constexpr std::string_view results_schema = "ipcbench/1";
inline constexpr std::string_view journal_schema = "ipcbench-journal/1";
/// Two results files in one document: "old" and "new", measured in pairs (ab.h).
inline constexpr std::string_view ab_schema = "ipcbench-ab/1";

/// A run as it stands in the results file: what was run, what came of it, and its measures with
/// their units in their names. `order` counts from 0 in the order of execution.
Json run_json(const PlannedCell& cell, int repeat, std::size_t order, const Outcome& outcome);
/// A cell that isn't run, as one entry.
Json skipped_json(const PlannedCell& cell);

/// $XDG_STATE_HOME/ipcbench, or ~/.local/state/ipcbench: made where it is missing. Throws
/// UsageError where it can't be.
std::string state_directory();

/// The document: runs in the order of execution, skipped cells after them.
Json results_json(const Json& context, const Plan& plan, const std::vector<Json>& runs,
                  bool complete);

/// One line of JSON. Bytes that aren't UTF-8, as a path may hold, are replaced.
std::string dump(const Json& json, int indent = -1);

/// The document as it stands in a results file: a line for each run.
std::string results_text(const Json& document);

/// Writes a temporary file beside `path` and renames it, so that there is a whole file or none;
/// "-" is stdout. Throws std::system_error.
void write_file(const std::string& path, std::string_view text);
void write_results(const Json& document, const std::string& path);

/// One line per finished run, so that an interrupt, a crash or a full disk loses the run in
/// progress at most. The first line holds the context and the plan.
class Journal {
 public:
  /// Starts a new journal. Throws UsageError where it can't be written.
  Journal(std::string path, const Json& context, const Plan& plan);

  struct Content {
    Json context;
    Plan plan;
    std::vector<Json> runs;
  };
  /// Reads a journal; a last line that was cut short is dropped. Throws UsageError, also where
  /// its runs aren't those of its plan.
  static Content read(const std::string& path);
  /// Goes on with a journal after its last whole line.
  static Journal resume(std::string path);

  const std::string& path() const { return path_; }
  void append(const Json& run);
  /// Notes what is run after the plan's order: the plan that read() returns has it at its end.
  void append_to_plan(const std::vector<PlannedRun>& more);
  void remove() noexcept;

 private:
  Journal() = default;
  std::string path_;
  Fd fd_;
};

/// Whether a number of a run is a measure: their names end in their units.
bool is_measure(std::string_view key);

/// A run that was read back.
struct RunRecord {
  std::string transport;
  std::string scenario;
  std::optional<std::uint64_t> size;
  std::string size_dist;  ///< the name of a mix of sizes, or ""
  std::string placement;
  Manner manner;
  Load load;
  int repeat = 0;
  Status status = Status::failed;
  std::string reason;
  std::map<std::string, double> measures;  ///< every number of the run, by its key
  bool timed_by_batches = false;           ///< its round trip comes from sub-batches' means
  std::optional<Histogram> histogram;
  std::optional<Histogram> second_histogram;
  std::map<std::string, std::string> missing;  ///< why a measure is null
};

/// The key of its cell (PlannedCell::key()).
std::string key_of(const RunRecord& run);

struct ResultsFile {
  std::string path;
  Json context;
  std::vector<RunRecord> runs;
};

/// The runs of a results document. Throws UsageError, which names `path`, where it is malformed.
ResultsFile records_of(const Json& document, const std::string& path);

/// The documents of a results file or a journal (one), of `ab` (OLD's and NEW's), or of a report
/// page (one for each results file that it shows). Throws UsageError: what was seen, what was
/// expected.
std::vector<Json> read_documents(const std::string& path);

/// The same of a file's text; `path` is for messages.
std::vector<Json> documents_of(std::string_view text, const std::string& path);

/// Reads a results file, a journal, or a report page of one results file. Throws UsageError: what
/// was seen, what was expected.
ResultsFile read_results(const std::string& path);
/// The same, and all results files of a report page, with their places in it after its path.
std::vector<ResultsFile> read_all_results(const std::string& path);

}  // namespace ipcbench
