#include "harness/results.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <system_error>

#include <fmt/format.h>

#include "harness/page.h"
#include "harness/replan.h"
#include "harness/stats.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

constexpr std::size_t file_size_max = std::size_t{1} << 30;
constexpr int depth_max = 32;                   // of nested lists and objects
constexpr std::size_t name_size_max = 200;      // bytes
constexpr std::size_t reason_size_max = 4'000;  // bytes
constexpr std::uint64_t bin_total_max = std::uint64_t{1} << 48;

/// JSON has no NaN and no infinity: what isn't a finite number is null.
Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}
Json number(std::optional<double> value) {
  return value ? number(*value) : Json(nullptr);
}

template <class Number>
Json or_null(const std::optional<Number>& value) {
  return value ? Json(*value) : Json(nullptr);
}

const ScenarioFacts& facts_of(const PlannedCell& cell) {
  return all_scenarios()[find_scenario(cell.scenario).value()];
}

double messages_of(const PlannedCell& cell, const Outcome& outcome) {
  return facts_of(cell).messages_per_count * static_cast<double>(outcome.count);
}

/// The sub-batches' times per message, round trip or acquisition, in ns.
std::vector<double> batch_means(const Outcome& outcome) {
  std::vector<double> means;
  for (const std::uint64_t batch_ns : outcome.batch_ns)
    means.push_back(static_cast<double>(batch_ns) / static_cast<double>(outcome.batch_messages));
  return means;
}

Json histogram_json(const Histogram& histogram) {
  Json bins = Json::array();
  for (const auto& [index, count] : histogram.sparse()) bins.push_back(Json::array({index, count}));
  return {{"unit", "ns"},
          {"sub_bucket_bits", Histogram::sub_bucket_bits},
          {"value_bits", Histogram::value_bits},
          {"bins", std::move(bins)}};
}

void add_percentiles(Json& run, std::string_view what, const Histogram& histogram) {
  for (const auto& [name, fraction] :
       {std::pair<const char*, double>{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}})
    run[fmt::format("{}_{}_ns", what, name)] = number(histogram.supported_quantile(fraction));
}

void add_round_trip(Json& run, const Outcome& outcome) {
  run["round_trip_source"] = outcome.histogram ? "each" : "sub-batches";
  add_percentiles(run, "round_trip", outcome.histogram.value_or(Histogram{}));
  if (!outcome.histogram)
    run["round_trip_p50_ns"] = number(quantile(batch_means(outcome), 0.5));
  else
    run["histogram"] = histogram_json(*outcome.histogram);
  run["round_trip_mean_ns"] =
      number(static_cast<double>(outcome.elapsed_ns) / static_cast<double>(outcome.count));
}

void add_latencies(Json& run, const ScenarioFacts& scenario, const Outcome& outcome) {
  if (scenario.latency == "round_trip") return add_round_trip(run, outcome);
  if (!scenario.latency.empty()) {
    add_percentiles(run, scenario.latency, outcome.histogram.value_or(Histogram{}));
    if (outcome.histogram) run["histogram"] = histogram_json(*outcome.histogram);
  }
  if (!scenario.second_latency.empty()) {
    add_percentiles(run, scenario.second_latency, outcome.second_histogram.value_or(Histogram{}));
    if (outcome.second_histogram)
      run["second_histogram"] = histogram_json(*outcome.second_histogram);
  }
}

/// Of what arrived.
void add_rates(Json& run, const ScenarioFacts& scenario, const PlannedCell& cell,
               const Outcome& outcome) {
  if (scenario.rate.empty()) return;
  const auto lost = static_cast<double>(outcome.losses.value_or(Losses{}).lost);
  const double per_s =
      (static_cast<double>(outcome.count) - lost) * 1e9 / static_cast<double>(outcome.elapsed_ns);
  run[fmt::format("{}_per_s", scenario.rate)] = number(per_s);
  const double bytes =
      cell.mix.name.empty() ? static_cast<double>(cell.size.value_or(0)) : cell.mix.mean();
  if (scenario.rate == "messages") run["bytes_per_s"] = number(per_s * bytes);
}

void add_values(Json& run, const Outcome& outcome) {
  for (const OwnValue& value : outcome.values) {
    run[value.name] = number(value.number);
    if (!value.note.empty())
      run[std::isnan(value.number) ? "missing" : "notes"][value.name] = value.note;
  }
}

/// Of all ends together: a sum that lacks one of them is no sum.
void add_counters(Json& run, double messages, const Outcome& outcome) {
  for (std::size_t i = 0; i != counter_count; ++i) {
    const auto counter = static_cast<Counter>(i);
    const std::string name = fmt::format("{}_per_message", text(counter));
    double sum = 0;
    std::string why;
    for (const EndOutcome& end : outcome.ends) {
      sum += static_cast<double>(end.counters.value[i]);
      if (why.empty()) why = why_missing(counter, end.counters.error[i]);
    }
    run[name] = why.empty() ? number(sum / messages) : Json(nullptr);
    if (!why.empty()) run["missing"][name] = why;
  }
}

void add_ends(Json& run, const PlannedCell& cell, const Outcome& outcome) {
  const double messages = messages_of(cell, outcome);
  double user_ns = 0;
  double system_ns = 0;
  double voluntary = 0;
  double involuntary = 0;
  Json ends = Json::array();
  for (const EndOutcome& end : outcome.ends) {
    user_ns += static_cast<double>(end.user_ns);
    system_ns += static_cast<double>(end.system_ns);
    voluntary += static_cast<double>(end.voluntary_switches);
    involuntary += static_cast<double>(end.involuntary_switches);
    ends.push_back({{"role", end.role},
                    {"cpu", end.cpu < 0 ? Json(nullptr) : Json(end.cpu)},
                    {"count", end.count},
                    {"elapsed_ns", end.elapsed_ns},
                    {"user_ns", end.user_ns},
                    {"system_ns", end.system_ns},
                    {"threads_ns", end.threads_ns},
                    {"voluntary_switches", end.voluntary_switches},
                    {"involuntary_switches", end.involuntary_switches},
                    {"page_faults", end.page_faults},
                    {"migrations", or_null(end.migrations)},
                    {"kept_waiting_ns", or_null(end.kept_waiting_ns)},
                    {"scheduler", end.is_fifo ? "fifo" : "other"},
                    {"life_user_ns", end.life_user_ns},
                    {"life_system_ns", end.life_system_ns},
                    {"resident_max_bytes", end.resident_max_bytes}});
  }
  const auto daemons_ns = static_cast<double>(outcome.daemons_ns);
  run["cpu_ns_per_message"] = number((user_ns + system_ns + daemons_ns) / messages);
  if (daemons_ns > 0) run["daemons_ns_per_message"] = number(daemons_ns / messages);
  run["user_ns_per_message"] = number(user_ns / messages);
  run["system_ns_per_message"] = number(system_ns / messages);
  run["voluntary_switches_per_message"] = number(voluntary / messages);
  run["involuntary_switches_per_message"] = number(involuntary / messages);
  add_counters(run, messages, outcome);
  run["ends"] = std::move(ends);
}

/// Of the rates that those got who compete: a lock's holders, the ends that take from one mailbox,
/// pairs side by side.
void add_fairness(Json& run, const ScenarioFacts& scenario, const Outcome& outcome) {
  if (scenario.rivals.empty()) return;
  std::vector<double> shares;
  for (const EndOutcome& end : outcome.ends)
    if (std::string_view(end.role).starts_with(scenario.rivals))
      shares.push_back(static_cast<double>(end.count) / static_cast<double>(end.elapsed_ns));
  if (shares.size() > 1) run["fairness"] = number(fairness(shares));
}

void add_measures(Json& run, const PlannedCell& cell, const Outcome& outcome) {
  const ScenarioFacts& scenario = facts_of(cell);
  run["count"] = outcome.count;
  run["elapsed_ns"] = outcome.elapsed_ns;
  run["depth"] = outcome.depth ? Json(*outcome.depth) : Json(nullptr);
  if (outcome.losses) {
    run["lost"] = outcome.losses->lost;
    run["reordered"] = outcome.losses->reordered;
    run["duplicates"] = outcome.losses->duplicates;
  }
  if (cell.scenario == "verify") run["verified_bytes"] = outcome.verified_bytes;
  add_latencies(run, scenario, outcome);
  add_rates(run, scenario, cell, outcome);
  add_fairness(run, scenario, outcome);
  add_values(run, outcome);
  if (!outcome.batch_ns.empty()) {
    run["quiet_ns_per_operation"] = number(quantile(batch_means(outcome), 0.25));
    run["batch_operations"] = outcome.batch_messages;
    run["batch_ns"] = outcome.batch_ns;
  }
  run["noise"] = to_json(outcome.noise);
  add_ends(run, cell, outcome);
}

Json run_head(const PlannedCell& cell, int repeat) {
  Json head{{"key", cell.key()},
            {"transport", cell.transport},
            {"scenario", cell.scenario},
            {"size", cell.size ? Json(*cell.size) : Json(nullptr)},
            {"placement", cell.place.name}};
  add_manner(head, cell.manner);
  add_load(head, cell.load, facts_of(cell));
  if (!cell.mix.name.empty()) head["size_dist"] = cell.mix.name;
  head["repeat"] = repeat;
  return head;
}

void write_whole(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written =
        check(retry([&] { return ::write(fd, text.data(), text.size()); }), "write", path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string read_file(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0)
    throw UsageError(
        fmt::format("{}: {}; expected a results file", printable(path), std::strerror(errno)));
  if (S_ISDIR(status.st_mode))
    throw UsageError(fmt::format("{}: is a directory; expected a results file", printable(path)));
  if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
    throw UsageError(fmt::format("{}: is no file; expected a results file", printable(path)));
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 1 << 16> buffer;
  while (text.size() <= file_size_max) {
    const ssize_t got =
        fd ? retry([&] { return ::read(fd.get(), buffer.data(), buffer.size()); }) : -1;
    if (got == 0) return text;
    if (got == -1)
      throw UsageError(fmt::format("{}: {}; expected a readable results file", printable(path),
                                   std::strerror(errno)));
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  throw UsageError(
      fmt::format("{}: expected a results file of at most 1 GiB, got more", printable(path)));
}

/// The reader's errors name the file and the place in it.
[[noreturn]] void reject(const std::string& path, std::string_view problem) {
  throw UsageError(fmt::format("{}: {}", printable(path), printable(problem, 400)));
}

/// nlohmann's messages begin with "[json.exception.parse_error.101] ".
std::string_view without_number(std::string_view what) {
  const std::size_t bracket = what.find("] ");
  return what.starts_with("[json") && bracket != std::string_view::npos ? what.substr(bracket + 2)
                                                                        : what;
}

/// How deep lists and objects are nested at most; text that isn't JSON has some depth, too.
int depth_of(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool is_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        is_string = false;
    } else if (c == '"') {
      is_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return deepest;
}

Json parse(std::string_view text, const std::string& path) {
  if (text.empty()) reject(path, "is empty; expected a results file");
  // Copying a document recurses once for each level. (The parser's own callback would see the
  // depth, and looks through all earlier runs after each one.)
  if (depth_of(text) > depth_max)
    reject(path, fmt::format("is nested more than {} deep; expected a results file", depth_max));
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    reject(path, fmt::format("is no whole JSON document ({}); was it cut short?",
                             printable(without_number(error.what()), 300)));
  }
}

void check_schema(const Json& document, std::string_view expected, const std::string& path) {
  if (!document.is_object() || !document.contains("schema") || !document["schema"].is_string())
    reject(path, "has no \"schema\"; expected a results file of ipcbench");
  const auto schema = document["schema"].get<std::string>();
  if (schema == expected) return;
  if (schema.starts_with("ipcbench/"))
    reject(path, fmt::format("has schema '{}', this ipcbench reads '{}'; it was written by a "
                             "newer version",
                             schema, expected));
  reject(path, fmt::format("has schema '{}'; expected '{}'", schema, expected));
}

/// A number that was read is unsigned, one that was just made may be signed.
bool is_whole(const Json& value) {
  return value.is_number_unsigned() ||
         (value.is_number_integer() && value.get<std::int64_t>() >= 0);
}

class RunReader {
 public:
  RunReader(const Json& run, std::size_t index, const std::string& path)
      : run_(run), index_(index), path_(path) {}

  RunRecord read() const {
    if (!run_.is_object()) fail("", "expected an object");
    RunRecord record;
    record.transport = text("transport", name_size_max);
    record.scenario = text("scenario", name_size_max);
    record.placement = text("placement", name_size_max);
    record.size = size();
    record.manner = manner();
    record.load = load();
    if (run_.contains("size_dist")) record.size_dist = text("size_dist", name_size_max);
    record.repeat = static_cast<int>(whole("repeat", 0, 1'000'000));
    record.status = status();
    if (run_.contains("reason") && !run_["reason"].is_null())
      record.reason = text("reason", reason_size_max);
    for (const auto& [key, value] : run_.items()) {
      if (is_measure(key)) check_measure(key);
      if (value.is_number()) record.measures[key] = value.template get<double>();
    }
    if (run_.contains("round_trip_source"))
      record.timed_by_batches = text("round_trip_source", name_size_max) == "sub-batches";
    if (run_.contains("histogram")) record.histogram = histogram("histogram");
    if (run_.contains("missing")) record.missing = missing();
    if (run_.contains("second_histogram")) record.second_histogram = histogram("second_histogram");
    return record;
  }

 private:
  [[noreturn]] void fail(std::string_view key, std::string_view expected) const {
    const std::string seen =
        run_.is_object() && run_.contains(key) ? dump(run_[std::string(key)]) : "nothing";
    reject(path_,
           fmt::format("runs[{}].{}: {}, got {}", index_, key, expected, printable(seen, 60)));
  }
  const Json& at(const char* key) const {
    if (!run_.contains(key)) fail(key, "expected a value");
    return run_[key];
  }
  std::string text(const char* key, std::size_t size_max) const {
    if (!at(key).is_string() || at(key).get_ref<const std::string&>().size() > size_max)
      fail(key, fmt::format("expected a string of at most {} bytes", size_max));
    return at(key).get<std::string>();
  }
  void check_measure(const std::string& key) const {
    if (run_[key].is_null()) return;
    if (!run_[key].is_number() || run_[key].get<double>() < 0)
      fail(key, "expected a number from 0 on, or null");
  }
  std::uint64_t whole(const char* key, std::uint64_t low, std::uint64_t high) const {
    const Json& value = at(key);
    if (!is_whole(value) || value.get<std::uint64_t>() < low || value.get<std::uint64_t>() > high)
      fail(key, fmt::format("expected a whole number from {} to {}", low, high));
    return value.get<std::uint64_t>();
  }
  std::optional<std::uint64_t> size() const {
    if (at("size").is_null()) return std::nullopt;
    return whole("size", 0, std::uint64_t{1} << 40);
  }
  Manner manner() const {
    try {
      return manner_from_json(run_);
    } catch (const std::exception& error) {
      reject(path_, fmt::format("runs[{}]: {}", index_, without_number(error.what())));
    }
  }
  std::map<std::string, std::string> missing() const {
    const Json& json = run_["missing"];
    if (!json.is_object()) fail("missing", "expected an object of reasons");
    std::map<std::string, std::string> reasons;
    for (const auto& [name, reason] : json.items()) {
      if (!reason.is_string() || reason.get_ref<const std::string&>().size() > reason_size_max)
        fail("missing", "expected an object of reasons");
      reasons[name] = reason.template get<std::string>();
    }
    return reasons;
  }
  Load load() const {
    try {
      return load_from_json(run_);
    } catch (const std::exception& error) {
      reject(path_, fmt::format("runs[{}]: {}", index_, without_number(error.what())));
    }
  }
  Status status() const {
    const std::string word = text("status", name_size_max);
    for (const Status status : {Status::ok, Status::skipped, Status::failed, Status::suspect})
      if (word == ipcbench::text(status)) return status;
    fail("status", "expected ok, skipped, failed or suspect");
  }
  std::optional<Histogram> histogram(const char* key) const {
    const Json& json = run_[key];
    if (json.is_null()) return std::nullopt;
    if (!json.is_object() || !json.contains("bins") || !json["bins"].is_array() ||
        json.value("sub_bucket_bits", Json()) != Histogram::sub_bucket_bits)
      fail(key, fmt::format("expected bins with {} sub-bucket bits", Histogram::sub_bucket_bits));
    Histogram histogram;
    for (const Json& bin : json["bins"]) {
      if (!bin.is_array() || bin.size() != 2 || !is_whole(bin[0]) || !is_whole(bin[1]) ||
          bin[0].get<std::size_t>() >= Histogram::bin_count ||
          bin[1].get<std::uint64_t>() > bin_total_max)
        fail(key, "expected bins as [index, count]");
      histogram.add(bin[0].get<std::size_t>(), bin[1].get<std::uint64_t>());
    }
    return histogram;
  }

  const Json& run_;
  std::size_t index_;
  const std::string& path_;
};

bool is_journal(std::string_view text) {
  const std::string_view first_line = text.substr(0, text.find('\n'));
  return first_line.substr(0, 200).find(journal_schema) != std::string_view::npos;
}

/// A line of a journal that adds to its plan.
void extend(Plan& plan, const Json& more, const std::string& path) {
  try {
    for (const Json& run : more) plan.order.push_back(planned_run_from_json(run, plan));
  } catch (const std::exception& error) {
    reject(path, fmt::format("more: {}", without_number(error.what())));
  }
}

Journal::Content parse_journal(std::string_view text, const std::string& path) {
  Journal::Content content;
  bool first = true;
  while (true) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;  // nothing more, or a line that was cut short
    Json line = parse(text.substr(0, end), path);
    text.remove_prefix(end + 1);
    if (!first && line.is_object() && line.contains("more")) {
      extend(content.plan, line["more"], path);
      continue;
    }
    if (!first) {
      content.runs.push_back(std::move(line));
      continue;
    }
    first = false;
    check_schema(line, journal_schema, path);
    if (!line.contains("context") || !line["context"].is_object())
      reject(path, "context: expected an object");
    content.context = line["context"];
    try {
      content.plan = plan_from_json(line.at("plan"));
      for (const PlannedCell& cell : content.plan.cells)
        if (!find_scenario(cell.scenario))
          throw UsageError(fmt::format("there is no scenario '{}'", printable(cell.scenario)));
    } catch (const std::exception& error) {
      reject(path, fmt::format("has no plan that this ipcbench understands ({})",
                               without_number(error.what())));
    }
  }
  if (first) reject(path, "has no whole line; there is nothing to go on with");
  return content;
}

/// The runs of a journal are the first ones of its plan, in its order.
void check_runs(const Journal::Content& content, const std::string& path) {
  const Plan& plan = content.plan;
  for (std::size_t i = 0; i < content.runs.size(); ++i) {
    const RunRecord run = RunReader(content.runs[i], i, path).read();
    if (i >= plan.order.size() || plan.order[i].repeat != run.repeat ||
        plan.cells[plan.order[i].cell].key() != key_of(run))
      reject(path, fmt::format("runs[{}] is {}, repeat {}: not what the plan has there", i,
                               key_of(run), run.repeat));
  }
}

}  // namespace

std::string key_of(const RunRecord& run) {
  const PlannedCell cell{.transport = run.transport,
                         .scenario = run.scenario,
                         .size = run.size,
                         .mix = {.name = run.size_dist, .sizes = {}},
                         .place = {.name = run.placement, .cpus = {-1, -1}, .impossible = ""},
                         .manner = run.manner,
                         .load = run.load,
                         .skipped = ""};
  return cell.key();
}

bool is_measure(std::string_view key) {
  if (key == "fairness" || key == "lost" || key == "reordered" || key == "duplicates") return true;
  return key != "batch_ns" && (key.ends_with("_ns") || key.ends_with("_per_s") ||
                               key.ends_with("_bytes") || key.ends_with("_per_message"));
}

Json run_json(const PlannedCell& cell, int repeat, std::size_t order, const Outcome& outcome) {
  Json run = run_head(cell, repeat);
  run["order"] = order;
  run["status"] = text(outcome.status);
  run["reason"] = outcome.reason.empty() ? Json(nullptr) : Json(outcome.reason);
  run["took_ns"] = outcome.took_ns;
  if (outcome.status != Status::failed) add_measures(run, cell, outcome);
  return run;
}

Json skipped_json(const PlannedCell& cell) {
  Json run = run_head(cell, 0);
  run["status"] = text(Status::skipped);
  run["reason"] = cell.skipped;
  return run;
}

Json results_json(const Json& context, const Plan& plan, const std::vector<Json>& runs,
                  bool complete) {
  Json document{{"schema", results_schema}, {"context", context}, {"plan", to_json(plan)}};
  document["context"]["complete"] = complete;
  document["runs"] = runs;
  for (const PlannedCell& cell : plan.cells)
    if (!cell.skipped.empty()) document["runs"].push_back(skipped_json(cell));
  return document;
}

std::string state_directory() {
  namespace fs = std::filesystem;
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  const fs::path base = state != nullptr && *state != '\0' ? fs::path(state)
                        : home != nullptr && *home != '\0' ? fs::path(home) / ".local/state"
                                                           : fs::path(temporary_directory());
  const fs::path directory = base / "ipcbench";
  std::error_code error;
  fs::create_directories(directory, error);
  if (error)
    throw UsageError(fmt::format("{}: {}; choose a results file with -o",
                                 printable(directory.string()), error.message()));
  return directory.string();
}

std::string dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string results_text(const Json& document) {
  // A line for each run: whoever reads or compares the file by eye finds them.
  std::string text = "{\n";
  for (const auto& [key, value] : document.items()) {
    if (key == "runs" && !value.empty()) {
      text += "  \"runs\": [\n";
      for (const Json& run : value) text += "    " + dump(run) + ",\n";
      text.erase(text.size() - 2) += "\n  ],\n";
    } else {
      text += fmt::format("  \"{}\": {},\n", key, dump(value));
    }
  }
  text.erase(text.size() - 2) += "\n}\n";
  return text;
}

void write_file(const std::string& path, std::string_view text) {
  if (path == "-") return write_whole(STDOUT_FILENO, text, "stdout");

  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  try {
    const Fd fd(check(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644),
                      "open", temporary));
    write_whole(fd.get(), text, temporary);
    check(::fsync(fd.get()), "fsync", temporary);
    check(::rename(temporary.c_str(), path.c_str()), "rename", path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

void write_results(const Json& document, const std::string& path) {
  write_file(path, results_text(document));
}

Journal::Journal(std::string path, const Json& context, const Plan& plan)
    : path_(std::move(path)),
      fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644)) {
  if (!fd_)
    throw UsageError(fmt::format("{}: {}; choose a place that can be written with -o",
                                 printable(path_), std::strerror(errno)));
  append({{"schema", journal_schema}, {"context", context}, {"plan", to_json(plan)}});
}

Journal::Content Journal::read(const std::string& path) {
  Content content = parse_journal(read_file(path), path);
  check_runs(content, path);
  return content;
}

Journal Journal::resume(std::string path) {
  const std::string text = read_file(path);
  Journal journal;
  journal.path_ = std::move(path);
  journal.fd_ = Fd(
      check(::open(journal.path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC), "open", journal.path_));
  check(::ftruncate(journal.fd_.get(), static_cast<off_t>(text.rfind('\n') + 1)), "ftruncate",
        journal.path_);
  return journal;
}

void Journal::append(const Json& run) {
  write_whole(fd_.get(), dump(run) + "\n", path_);
}

void Journal::append_to_plan(const std::vector<PlannedRun>& more) {
  Json order = Json::array();
  for (const PlannedRun& run : more) order.push_back(to_json(run));
  append({{"more", std::move(order)}});
}

void Journal::remove() noexcept {
  ::unlink(path_.c_str());
}

ResultsFile records_of(const Json& document, const std::string& path) {
  check_schema(document, results_schema, path);
  for (const char* key : {"context", "plan", "runs"})
    if (!document.contains(key)) reject(path, fmt::format("has no \"{}\"", key));
  if (!document["context"].is_object()) reject(path, "context: expected an object");
  if (!document["runs"].is_array()) reject(path, "runs: expected a list");
  ResultsFile file{.path = path, .context = document["context"], .runs = {}};
  const Json& runs = document["runs"];
  for (std::size_t i = 0; i < runs.size(); ++i)
    file.runs.push_back(RunReader(runs[i], i, path).read());
  return file;
}

std::vector<Json> read_documents(const std::string& path) {
  return documents_of(read_file(path), path);
}

std::vector<Json> documents_of(std::string_view text, const std::string& path) {
  std::vector<Json> documents;
  if (is_page(text)) {
    for (const std::string_view block : results_blocks(text))
      documents.push_back(parse(block, path));
    if (documents.empty()) reject(path, "is a page without results; was it cut short?");
  } else if (is_journal(text)) {
    const Journal::Content content = parse_journal(text, path);
    documents.push_back(results_json(content.context, content.plan, content.runs, false));
  } else {
    Json document = parse(text, path);
    if (!document.is_object() || document.value("schema", Json()) != ab_schema) {
      documents.push_back(std::move(document));
      return documents;
    }
    for (const char* side : {"old", "new"}) {
      if (!document.contains(side)) reject(path, fmt::format("has no \"{}\"", side));
      documents.push_back(std::move(document[side]));
    }
  }
  return documents;
}

static Json the_document(std::vector<Json> documents, const std::string& path) {
  if (documents.size() != 1)
    reject(path, fmt::format("is a page of {} results files; expected one of a single file",
                             documents.size()));
  return std::move(documents.front());
}

ResultsFile read_results(const std::string& path) {
  return records_of(the_document(read_documents(path), path), path);
}

Plan read_plan(const std::string& path) {
  return plan_of(the_document(read_documents(path), path), path);
}

Plan plan_of(const Json& document, const std::string& path) {
  check_schema(document, results_schema, path);
  try {
    return plan_from_json(document.at("plan"));
  } catch (const std::exception& error) {
    reject(path, fmt::format("has no plan that this ipcbench understands ({})",
                             without_number(error.what())));
  }
}

std::vector<ResultsFile> read_all_results(const std::string& path) {
  const std::vector<Json> documents = read_documents(path);
  std::vector<ResultsFile> files;
  for (const Json& document : documents)
    files.push_back(records_of(
        document, documents.size() == 1 ? path : fmt::format("{}#{}", path, files.size() + 1)));
  return files;
}

}  // namespace ipcbench
