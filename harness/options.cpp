#include "harness/options.h"

#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <random>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "harness/latency_target.h"
#include "harness/replan.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

struct PlanFlag {
  const char* flag;  ///< as CLI11 takes it
  std::string RunOptions::*value;
  const char* environment;
  const char* type;
  const char* help;
};

/// The flags that shape the plan. A suite may hold each of them, by its long name.
constexpr PlanFlag plan_flags[] = {
    {"--suite", &RunOptions::suite, "IPCBENCH_SUITE", "NAME",
     "Start from a named set of runs: quick, default, full, all or middleware"},
    {"-t,--transport", &RunOptions::transports, "IPCBENCH_TRANSPORT", "LIST",
     "Transports: names or globs between commas; shm_posix takes all its variants"},
    {"-S,--scenario", &RunOptions::scenarios, "IPCBENCH_SCENARIO", "LIST",
     "Scenarios: names or globs between commas"},
    {"-s,--size", &RunOptions::sizes, "IPCBENCH_SIZE", "LIST",
     "Message sizes: 64, 4KiB, 1MiB … up to 16MiB"},
    {"--size-dist", &RunOptions::size_dist, "IPCBENCH_SIZE_DIST", "LIST",
     "Sizes that differ from message to message: uniform:64-4KiB, trace:FILE; or fixed"},
    {"--placement", &RunOptions::placements, "IPCBENCH_PLACEMENT", "LIST",
     "Where the two ends run: same-core, cross-core, none"},
    {"--pin", &RunOptions::pin, "IPCBENCH_PIN", "A,B",
     "Pin the producer to CPU A and the consumer to CPU B"},
    {"--wait", &RunOptions::waitings, "IPCBENCH_WAIT", "LIST",
     "How an end waits for a descriptor: block, poll (epoll), spin"},
    {"--start", &RunOptions::starts, "IPCBENCH_START", "LIST",
     "How a pair starts: fork; exec, two programs that meet by name; launch, mpi's by mpirun"},
    {"--peers", &RunOptions::peers, "IPCBENCH_PEERS", "LIST",
     "Producers x consumers on one object: 1x1 (direct), 2x2 (mailbox), 4x1 …"},
    {"--peer", &RunOptions::other_ends, "IPCBENCH_PEER", "LIST",
     "Who is at the other end: process, kernel (echoes or reads), source (the kernel produces)"},
    {"--touch", &RunOptions::touch, "IPCBENCH_TOUCH", "LIST",
     "Which side handles every byte of a message: none, write, read, both"},
    {"--window", &RunOptions::window, "IPCBENCH_WINDOW", "LIST",
     "burst: messages before an acknowledgement"},
    {"--gap", &RunOptions::gap, "IPCBENCH_GAP", "LIST",
     "sparse: idle time before a message: 1ms, 100ms …"},
    {"--rate", &RunOptions::rate, "IPCBENCH_RATE", "LIST",
     "paced: messages a second that are due: 500, 10k, 1.5M …"},
    {"--arrivals", &RunOptions::arrivals, "IPCBENCH_ARRIVALS", "LIST",
     "paced: when they are due: fixed (one every period), poisson"},
    {"--hold", &RunOptions::hold, "IPCBENCH_HOLD", "LIST",
     "contend: length of the critical section: 0, 1us …"},
    {"--crowd", &RunOptions::crowd, "IPCBENCH_CROWD", "LIST",
     "fan_in, fan_out, pairs, contend: processes on the side with many, or pairs"},
    {"-r,--repeats", &RunOptions::repeats, "IPCBENCH_REPEATS", "N",
     "Repeats of every cell, each in fresh processes"},
    {"-w,--warmup", &RunOptions::warmup, "IPCBENCH_WARMUP", "TIME",
     "Warm-up of every run, such as 20ms"},
    {"--min-time", &RunOptions::min_time, "IPCBENCH_MIN_TIME", "TIME",
     "Measured time that a run aims at, such as 50ms"},
    {"--timeout", &RunOptions::timeout, "IPCBENCH_TIMEOUT", "TIME",
     "After this time a run is ended and has failed"},
    {"--count", &RunOptions::count, "IPCBENCH_COUNT", "N",
     "Measure exactly N messages instead of a calibrated count"},
    {"--depth", &RunOptions::depth, "IPCBENCH_DEPTH", "N",
     "Messages that a channel is asked to hold, where that can be chosen"},
    {"--seed", &RunOptions::seed, "IPCBENCH_SEED", "N", "Seed of the order of the runs"},
    {"--retries", &RunOptions::retries, "IPCBENCH_RETRIES", "N%",
     "Further runs for suspect ones, of the planned ones at most; 0 for none"},
    {"--precision", &RunOptions::precision, "IPCBENCH_PRECISION", "N%",
     "Go on with each cell until the 95 % interval is ±N %, or the budget ends"},
    {"--metric", &RunOptions::metric, "IPCBENCH_METRIC", "NAME",
     "The measure that --precision is about: p50, p99, cpu_ns_per_message …"},
    {"--latency-target", &RunOptions::latency_target, "IPCBENCH_LATENCY_TARGET", "TARGET",
     "paced: look for the highest rate that keeps it, such as 'p99<50us'"},
    {"--budget", &RunOptions::budget, "IPCBENCH_BUDGET", "TIME",
     "Time for all runs together, with --precision (10min)"},
    {"-f,--filter", &RunOptions::filter, "IPCBENCH_FILTER", "REGEX",
     "Only cells whose key matches, such as 'flood/.*size:64/'"},
};

std::string long_name(const PlanFlag& flag) {
  const std::string_view names = flag.flag;
  return std::string(names.substr(names.find("--") + 2));
}

/// Fills in what the command line left open.
void apply_suite(RunOptions& options) {
  const std::string name = options.suite.empty() ? "default" : options.suite;
  std::vector<std::string> names;
  for (const auto& [suite, text] : all_suites()) {
    names.emplace_back(suite);
    if (suite != name) continue;
    const auto json = nlohmann::json::parse(text);
    for (const PlanFlag& flag : plan_flags) {
      // --pin and --placement answer one question: the one that was given is the answer.
      if (flag.value == &RunOptions::placements && !options.pin.empty()) continue;
      std::string& value = options.*flag.value;
      if (value.empty()) value = json.value(long_name(flag), std::string());
    }
    return;
  }
  throw UsageError(fmt::format("no suite '{}'{}; expected one of {}", printable(name),
                               suggestion(name, names), fmt::join(names, ", ")));
}

std::vector<Place> resolve_places(const RunOptions& options, const Topology& topology) {
  try {
    if (!options.pin.empty()) {
      if (!options.placements.empty())
        throw UsageError("--pin and --placement: both say where the ends run; give one of them");
      const std::vector<std::string> cpus = split_list(options.pin, "--pin");
      if (cpus.size() != 2)
        throw UsageError(
            fmt::format("--pin '{}': expected two CPUs, such as 0,1", printable(options.pin)));
      const std::uint64_t producer_cpu = parse_number(cpus[0], "--pin", 0, 100'000);
      const std::uint64_t consumer_cpu = parse_number(cpus[1], "--pin", 0, 100'000);
      return {topology.pin(static_cast<int>(producer_cpu), static_cast<int>(consumer_cpu))};
    }
    std::vector<Place> places;
    for (const std::string& name : split_list(options.placements, "--placement")) {
      Place place = topology.place(name);
      const auto is_same = [&](const Place& other) { return other.name == place.name; };
      if (std::none_of(places.begin(), places.end(), is_same)) places.push_back(std::move(place));
    }
    return places;
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

/// The values between commas, once each.
template <class Parse>
auto parse_each(const std::string& list, const char* flag, Parse parse) {
  std::vector<decltype(parse(list))> values;
  for (const std::string& word : split_list(list, flag)) {
    auto value = parse(word);
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  }
  return values;
}

}  // namespace

void add_run_options(CLI::App& command, RunOptions& options) {
  // "" stands for a flag that wasn't given, so nobody may give it.
  const CLI::Validator not_empty(
      [](const std::string& value) { return value.empty() ? "expected a value, got none" : ""; },
      "");
  for (const PlanFlag& flag : plan_flags)
    command.add_option(flag.flag, options.*flag.value, flag.help)
        ->check(not_empty)
        ->type_name(flag.type)
        ->envname(flag.environment)
        ->group("What to run");
  command
      .add_option("--from", options.from,
                  "The same plan again, of a results file or a page; with -r, -f, --seed, "
                  "--precision and times")
      ->check(not_empty)
      ->type_name("FILE")
      ->group("What to run");
  command
      .add_flag("--quiet-machine", options.quiet_machine,
                "Keep idle CPUs awake, and run ends under SCHED_FIFO, while it lasts")
      ->group("What to run");
  command.add_flag("-n,--dry-run", options.dry_run, "Print the plan and its time; run nothing")
      ->group("What to run");
  command.add_flag("--resume", options.resume, "Go on with the interrupted run of -o FILE")
      ->group("What to run");
  command.add_option("-o,--output", options.output, "Results file; - is stdout")
      ->check(not_empty)
      ->type_name("FILE")
      ->envname("IPCBENCH_OUTPUT")
      ->group("Output");
  command
      .add_option("--save-baseline", options.save_baseline, "Keep the results under a name, too")
      ->check(not_empty)
      ->type_name("NAME")
      ->envname("IPCBENCH_SAVE_BASELINE")
      ->group("Output");
  command.add_option("--baseline", options.baseline, "Compare with the results of that name")
      ->check(not_empty)
      ->type_name("NAME")
      ->envname("IPCBENCH_BASELINE")
      ->group("Output");
  command.add_flag("--json", options.json, "Print the results file instead of the table")
      ->group("Output");
  command.add_flag("-q,--quiet", options.quiet, "No progress and no table")->group("Output");
  command.add_flag("-v,--verbose", options.verbose, "A line for each run")->group("Output");
  command.add_option("--color", options.color, "auto, always or never")
      ->type_name("WHEN")
      ->envname("IPCBENCH_COLOR")
      ->group("Output");
}

/// When to run more than the planned repeats.
static Stopping resolve_stopping(const RunOptions& options) {
  Stopping stopping;
  if (!options.retries.empty())
    stopping.retries_percent =
        static_cast<int>(100 * parse_percent(options.retries, "--retries", 0, 100) + 0.5);
  if (!options.latency_target.empty())
    stopping.target = parse_latency_target(options.latency_target);
  if (options.precision.empty() && !(options.metric + options.budget).empty())
    throw UsageError("--metric and --budget: are about --precision; give it, such as 3%");
  if (options.precision.empty()) return stopping;
  stopping.precision = parse_percent(options.precision, "--precision", 0.01, 100);
  stopping.metric = options.metric;
  const std::string budget = options.budget.empty() ? "10min" : options.budget;
  stopping.budget_ns = parse_duration(budget, "--budget", 0.1, 7 * 86'400);
  return stopping;
}

Selection resolve(const RunOptions& given, const Topology& topology) {
  RunOptions options = given;
  apply_suite(options);
  Selection selection;
  selection.transports = split_list(options.transports, "--transport");
  selection.scenarios = split_list(options.scenarios, "--scenario");
  selection.sizes.clear();
  for (const std::string& size : split_list(options.sizes, "--size"))
    selection.sizes.push_back(parse_size(size));
  selection.mixes = parse_each(options.size_dist, "--size-dist", parse_size_mix);
  selection.places = resolve_places(options, topology);
  selection.waitings = parse_each(options.waitings, "--wait", parse_waiting);
  selection.starts = parse_each(options.starts, "--start", parse_start);
  selection.peers = parse_each(options.peers, "--peers", parse_peers);
  if (!options.other_ends.empty())
    selection.other_ends = parse_each(options.other_ends, "--peer", parse_peer);
  for (const auto& [name, list] :
       {std::pair<const char*, const std::string&>{"touch", options.touch},
        {"window", options.window},
        {"gap", options.gap},
        {"rate", options.rate},
        {"arrivals", options.arrivals},
        {"hold", options.hold},
        {"crowd", options.crowd}})
    for (const Axis& axis : all_axes())
      if (axis.name == name)
        selection.loads[name] =
            parse_each(list, fmt::format("--{}", name).c_str(),
                       [&](const auto& word) { return axis.parse(word, axis); });
  if (!given.latency_target.empty()) {
    if (!given.rate.empty())
      throw UsageError(
          "--latency-target and --rate: the one looks for the other; give one of them");
    selection.loads["rate"] = rate_ladder();
  }
  selection.repeats = static_cast<int>(parse_number(options.repeats, "--repeats", 1, 10'000));
  selection.warmup_ns = parse_duration(options.warmup, "--warmup", 0, 60);
  selection.min_time_ns = parse_duration(options.min_time, "--min-time", 0.001, 600);
  selection.timeout_ns = parse_duration(options.timeout, "--timeout", 0.01, 86'400);
  selection.count = parse_number(options.count, "--count", 0, 1'000'000'000'000);
  selection.depth = parse_number(options.depth, "--depth", 1, 1 << 20);
  selection.filter = options.filter;
  selection.stopping = resolve_stopping(options);
  selection.in_pairs = options.in_pairs;
  selection.quiet_machine = options.quiet_machine;
  selection.seed = options.seed.empty() ? std::random_device()()
                                        : parse_number(options.seed, "--seed", 0, UINT64_MAX);
  return selection;
}

std::vector<std::string> plan_flags_given(const RunOptions& options) {
  std::vector<std::string> given;
  for (const PlanFlag& flag : plan_flags)
    if (!(options.*flag.value).empty()) given.push_back("--" + long_name(flag));
  if (options.quiet_machine) given.emplace_back("--quiet-machine");
  return given;
}

Plan plan_again(const RunOptions& options, const Topology& topology) {
  RunOptions others = options;
  for (const auto allowed :
       {&RunOptions::repeats, &RunOptions::warmup, &RunOptions::min_time, &RunOptions::timeout,
        &RunOptions::seed, &RunOptions::filter, &RunOptions::retries, &RunOptions::precision,
        &RunOptions::metric, &RunOptions::budget})
    (others.*allowed).clear();
  if (const std::vector<std::string> given = plan_flags_given(others); !given.empty())
    throw UsageError(fmt::format(
        "--from: takes what to run from the file; leave out {}, or choose with --filter",
        fmt::join(given, ", ")));
  Plan plan = read_plan(options.from);
  if (!options.repeats.empty())
    plan.repeats = static_cast<int>(parse_number(options.repeats, "--repeats", 1, 10'000));
  if (!options.warmup.empty()) plan.warmup_ns = parse_duration(options.warmup, "--warmup", 0, 60);
  if (!options.min_time.empty())
    plan.min_time_ns = parse_duration(options.min_time, "--min-time", 0.001, 600);
  if (!options.timeout.empty())
    plan.timeout_ns = parse_duration(options.timeout, "--timeout", 0.01, 86'400);
  if (!options.seed.empty()) plan.seed = parse_number(options.seed, "--seed", 0, UINT64_MAX);
  const Stopping stopping = resolve_stopping(options);
  if (!options.retries.empty()) plan.stopping.retries_percent = stopping.retries_percent;
  if (!options.precision.empty()) {
    plan.stopping.precision = stopping.precision;
    plan.stopping.metric = stopping.metric;
    plan.stopping.budget_ns = stopping.budget_ns;
  }
  return replan(plan, topology, options.filter);
}

std::vector<std::string> plan_arguments(const RunOptions& options) {
  std::vector<std::string> arguments;
  for (const PlanFlag& flag : plan_flags)
    if (const std::string& value = options.*flag.value; !value.empty()) {
      arguments.push_back("--" + long_name(flag));
      arguments.push_back(value);
    }
  if (!options.from.empty())
    arguments.insert(arguments.end(), {"--from", std::filesystem::absolute(options.from)});
  if (options.quiet_machine) arguments.emplace_back("--quiet-machine");
  return arguments;
}

std::int64_t parse_duration(const std::string& text, std::string_view what, double low_s,
                            double high_s) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, text.data() + text.size());
  double factor = 0;
  for (const auto& [name, unit_factor] : {std::pair<std::string_view, double>{"ns", 1e-9},
                                          {"us", 1e-6},
                                          {"ms", 1e-3},
                                          {"s", 1},
                                          {"min", 60}})
    if (unit == name) factor = unit_factor;
  const double seconds = number * factor;
  if (error != std::errc() || factor == 0 || !(seconds >= low_s && seconds <= high_s))
    throw UsageError(fmt::format("{} '{}': expected a time from {:g}s to {:g}s, such as 20ms", what,
                                 printable(text), low_s, high_s));
  return std::llround(seconds * 1e9);
}

double parse_percent(const std::string& text, std::string_view what, double low, double high) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, text.data() + text.size());
  if (error != std::errc() || (unit != "%" && !unit.empty()) || !(number >= low && number <= high))
    throw UsageError(
        fmt::format("{} '{}': expected {:g}% to {:g}%", what, printable(text), low, high));
  return number / 100;
}

bool wants_color(const std::string& color, int fd) {
  if (color == "always") return true;
  if (color == "never") return false;
  if (color != "auto")
    throw UsageError(fmt::format("--color '{}': expected auto, always or never", printable(color)));
  const auto is_set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
  };
  if (is_set("NO_COLOR")) return false;
  if (is_set("FORCE_COLOR")) return true;
  const char* terminal = std::getenv("TERM");
  return ::isatty(fd) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace ipcbench
