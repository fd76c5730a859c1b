#include "harness/plan.h"

#include <fnmatch.h>

#include <algorithm>
#include <climits>
#include <random>
#include <set>

#include <fmt/format.h>

#include "harness/estimate.h"
#include "harness/key_filter.h"
#include "harness/latency_target.h"
#include "harness/replan.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

constexpr int peers_max = 64;  ///< of either side

bool matches(const std::string& pattern, std::string_view name) {
  return ::fnmatch(pattern.c_str(), std::string(name).c_str(), 0) == 0;
}

/// "shm_posix" of "shm_posix.futex".
std::string_view stem(std::string_view name) {
  return name.substr(0, name.find('.'));
}

/// Everything that some pattern takes, once each, in the table's order.
template <class Item, class Match>
std::vector<Item> match_all(const std::vector<std::string>& patterns, Match match) {
  std::set<Item> items;
  for (const std::string& pattern : patterns)
    for (const Item& item : match(pattern)) items.insert(item);
  return {items.begin(), items.end()};
}

/// How many producers and consumers share one object in a run of the cell.
std::pair<int, int> shared_by(const ScenarioFacts& scenario, const PlannedCell& cell) {
  if (scenario.shareable) return {cell.manner.producers, cell.manner.consumers};
  const auto crowd = static_cast<int>(cell.load.crowd);
  const auto [producers, consumers] = scenario.shared_by;
  return {producers == 0 ? crowd : producers, consumers == 0 ? crowd : consumers};
}

bool is_crowded(const ScenarioFacts& scenario, const PlannedCell& cell) {
  return cell.place.cpus[0] >= 0 && scenario.crowd_max != 0 && cell.load.crowd > scenario.crowd_max;
}

std::string reason_to_skip(const Row& row, std::size_t scenario, const PlannedCell& cell,
                           std::uint64_t depth) {
  if (!cell.place.impossible.empty()) return cell.place.impossible;
  if (cell.manner.is_mailbox() && !all_scenarios()[scenario].shareable)
    return fmt::format("--peers: {} has its own number of processes", cell.scenario);
  const auto [producers, consumers] = shared_by(all_scenarios()[scenario], cell);
  const bool shares_core = is_crowded(all_scenarios()[scenario], cell) || producers > 1 ||
                           consumers > 1 ||
                           (cell.place.cpus[0] >= 0 && cell.place.cpus[0] == cell.place.cpus[1] &&
                            cell.manner.peer == Peer::process);
  if (!cell.mix.name.empty() && !all_scenarios()[scenario].mixes_sizes)
    return fmt::format("--size-dist: messages of {} have one size", cell.scenario);
  if (!cell.mix.name.empty() && (row.links.empty() || !row.links.front().producer.send ||
                                 row.facts.delivery != Delivery::reliable))
    return "--size-dist: needs a channel that queues";
  if (!cell.mix.name.empty() && cell.manner.is_mailbox())
    return "--size-dist: messages of a mailbox have one size";
  if (!cell.mix.name.empty() && cell.load.touch != Load{}.touch)
    return "--touch: every byte of messages of different sizes is checked";
  if (row.facts.delivery == Delivery::lossy && cell.load.touch != Load{}.touch)
    return "--touch: every byte that comes through a lossy channel is checked";
  if (cell.manner.peer != Peer::process && cell.load.touch != Load{}.touch)
    return "--touch: the kernel handles every byte";
  if (cell.manner.peer != Peer::process && !cell.mix.name.empty())
    return "--size-dist: messages with the kernel have one size";
  return misfit(row, scenario,
                {.size = cell.size.value_or(0),
                 .depth = depth,
                 .shares_core = shares_core,
                 .waiting = cell.manner.waiting,
                 .peer = cell.manner.peer,
                 .producers = producers,
                 .consumers = consumers,
                 .directory = nullptr,
                 .variant = row.variant},
                cell.manner.start);
}

/// Why several producers or consumers can't share one object of this row, or "".
std::string why_no_mailbox(const Row& row, const Shape& shape) {
  if (row.facts.peers == Peers::one_to_one) return "it serves one producer and one consumer";
  if (row.facts.peers == Peers::many_to_one && shape.consumers > 1) return "it serves one consumer";
  if (shape.size < sizeof(std::uint64_t))
    return fmt::format("{} bytes; a shared mailbox needs 8, to tell the messages apart",
                       shape.size);
  if (row.facts.boundary == Boundary::stream && shape.size > PIPE_BUF)
    return fmt::format("{} bytes; writes of over {} (PIPE_BUF) to a shared byte stream mix",
                       shape.size, PIPE_BUF);
  return "";
}

/// Why the kernel can't be the other end, or "".
std::string why_no_kernel(const Row& row, const ScenarioFacts& scenario, const Shape& shape,
                          Start start) {
  if (!row.kernel_peered) return "the kernel is none of its ends";
  if (shape.peer == Peer::kernel && !scenario.kernel_consumes)
    return fmt::format("{} is between processes", scenario.name);
  if (shape.peer == Peer::source && !scenario.kernel_produces)
    return fmt::format("{} has no producer that the kernel could be", scenario.name);
  if (shape.producers > 1 || shape.consumers > 1) return "--peers: the kernel is one peer";
  if (start != Start::fork) return fmt::format("--start {}: the kernel is no program", text(start));
  return "";
}

std::string why_not_in_this_manner(const Row& row, const ScenarioFacts& scenario,
                                   const Shape& shape, Start start) {
  if (shape.waiting != Waiting::block && !row.facts.pollable)
    return fmt::format("--wait {}: it holds no descriptor that can be polled", text(shape.waiting));
  if (shape.waiting == Waiting::spin && shape.shares_core)
    return "spinning needs a core for each end";
  if (shape.peer != Peer::process) return why_no_kernel(row, scenario, shape, start);
  if (start != Start::fork && scenario.only_forks)
    return fmt::format("--start {}: {} forks its processes itself", text(start), scenario.name);
  if (start == Start::launch && row.launch == nullptr)
    return "--start launch: its library has no launcher";
  if (start == Start::exec && row.facts.naming == Naming::inherited)
    return "--start exec: it has no name that an unrelated process could find it by";
  if (shape.producers > 1 || shape.consumers > 1) return why_no_mailbox(row, shape);
  return "";
}

/// The product of what is asked for along the scenario's own axes.
std::vector<Load> loads_of(const ScenarioFacts& scenario, const Selection& selection) {
  std::vector<Load> loads{Load{}};
  for (const Axis& axis : all_axes()) {
    const auto asked = selection.loads.find(axis.name);
    if (!has_axis(scenario, axis) || asked == selection.loads.end()) continue;
    std::vector<Load> product;
    for (const Load& load : loads)
      for (const std::int64_t value : asked->second) {
        product.push_back(load);
        product.back().*axis.value = value;
      }
    loads = std::move(product);
  }
  return loads;
}

/// A rate that is run if the search comes by.
bool is_later(const PlannedCell& cell, const Stopping& stopping) {
  return stopping.target.limit_ns > 0 && cell.scenario == "paced" &&
         cell.load.rate_per_s != first_rate_per_s;
}

/// Every repeat of every due cell, each round shuffled anew by the plan's seed.
void order_runs(Plan& plan) {
  std::vector<std::size_t> due;
  for (std::size_t i = 0; i < plan.cells.size(); ++i)
    if (plan.cells[i].skipped.empty() && !is_later(plan.cells[i], plan.stopping)) due.push_back(i);
  std::mt19937_64 random(plan.seed);
  for (int repeat = 1; repeat <= plan.repeats; ++repeat) {
    shuffle(due, random);
    for (const std::size_t cell : due) {
      plan.order.push_back({cell, plan.in_pairs ? 2 * repeat - 1 : repeat});
      if (plan.in_pairs) plan.order.push_back({cell, 2 * repeat});
    }
  }
}

/// As the flags of `run` have them.
void check_bounds(const Plan& plan) {
  const auto check = [](const char* what, std::int64_t value, std::int64_t low, std::int64_t high) {
    if (value < low || value > high)
      throw UsageError(fmt::format("the plan's {} is {}; expected a whole number from {} to {}",
                                   what, value, low, high));
  };
  check("repeats", plan.repeats, 1, 10'000);
  check("depth", static_cast<std::int64_t>(plan.depth), 1, 1 << 20);
  check("warmup_ns", plan.warmup_ns, 0, 60'000'000'000);
  check("min_time_ns", plan.min_time_ns, 1'000'000, 600'000'000'000);
  check("timeout_ns", plan.timeout_ns, 10'000'000, 86'400'000'000'000);
  check("count", static_cast<std::int64_t>(plan.count), 0, 1'000'000'000'000);
  for (const PlannedCell& cell : plan.cells)
    if (cell.size) check("size", static_cast<std::int64_t>(*cell.size), 0, 16 << 20);
}

/// A place by its name on this machine, which may be another than where it was recorded.
Place place_here(const Place& recorded, const Topology& topology) {
  try {
    const bool is_pinned = recorded.name.starts_with("pin:");
    return is_pinned ? topology.pin(recorded.cpus[0], recorded.cpus[1])
                     : topology.place(recorded.name);
  } catch (const std::invalid_argument& error) {
    return {.name = recorded.name, .cpus = {-1, -1}, .impossible = error.what()};
  }
}

/// A whole number of a plan that was read: get<std::uint64_t>() alone takes -1 for a large one.
std::uint64_t natural(const nlohmann::ordered_json& value, std::string_view what,
                      std::uint64_t high) {
  const bool is_natural =
      value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
  if (!is_natural || value.get<std::uint64_t>() > high)
    throw UsageError(fmt::format("the plan's {} is {}; expected a whole number up to {}", what,
                                 printable(value.dump(), 60), high));
  return value.get<std::uint64_t>();
}

int cpu(const nlohmann::ordered_json& value) {
  const bool is_none = value.is_number_integer() && value.get<std::int64_t>() == -1;
  return is_none ? -1 : static_cast<int>(natural(value, "CPU", 100'000));
}

}  // namespace

std::string PlannedCell::key() const {
  const std::string size_part = size ? fmt::format("/size:{}", *size) : "";
  std::string key = fmt::format("{}/{}{}/place:{}", scenario, transport, size_part, place.name);
  if (const auto index = find_scenario(scenario))
    for (const std::string& word : load_words(load, all_scenarios()[*index]))
      key += fmt::format("/{}", word);
  if (!mix.name.empty()) key += fmt::format("/sizes:{}", mix.name);
  for (const std::string& word : manner.words()) key += fmt::format("/{}", word);
  return key;
}

void shuffle(std::vector<std::size_t>& items, std::mt19937_64& random) {
  for (std::size_t left = items.size(); left > 1; --left)
    std::swap(items[left - 1], items[random() % left]);
}

std::string_view text(Why why) {
  return why == Why::planned     ? "planned"
         : why == Why::suspect   ? "suspect"
         : why == Why::precision ? "precision"
                                 : "target";
}

Params Plan::params(const PlannedCell& cell, TickRate rate) const {
  Params params;
  params.size = cell.size.value_or(0);
  params.depth = depth;
  params.cpus = cell.place.cpus;
  params.manner = cell.manner;
  params.load = cell.load;
  std::copy(cell.mix.sizes.begin(), cell.mix.sizes.end(), params.mixed_sizes.begin());
  if (stopping.target.limit_ns > 0 && cell.scenario == "paced" && count == 0)
    params.count = std::max(messages_for(stopping.target),
                            static_cast<std::uint64_t>(static_cast<double>(min_time_ns) * 1e-9 *
                                                       static_cast<double>(cell.load.rate_per_s)));
  params.mixed_count = static_cast<std::uint32_t>(cell.mix.sizes.size());
  if (const auto scenario = find_scenario(cell.scenario))
    params.is_crowded = is_crowded(all_scenarios()[*scenario], cell);
  params.warmup_ns = warmup_ns;
  params.min_time_ns = min_time_ns;
  params.timeout_ns = timeout_ns;
  params.fifo = quiet_machine;
  params.count = count;
  params.tick_rate = rate;
  return params;
}

double Plan::estimate_s() const {
  return estimate_s(0);
}

double Plan::estimate_s(std::size_t from) const {
  double sum = 0;
  for (std::size_t i = from; i < order.size(); ++i)
    sum += ipcbench::estimate_s(*this, cells[order[i].cell]);
  return sum;
}

Plan make_plan(const Selection& selection) {
  const KeyFilter filter(selection.filter);
  Plan plan{.cells = {},
            .order = {},
            .repeats = selection.repeats,
            .depth = selection.depth,
            .warmup_ns = selection.warmup_ns,
            .min_time_ns = selection.min_time_ns,
            .timeout_ns = selection.timeout_ns,
            .count = selection.count,
            .seed = selection.seed,
            .stopping = selection.stopping,
            .in_pairs = selection.in_pairs,
            .quiet_machine = selection.quiet_machine};
  const std::set<std::uint64_t> sizes(selection.sizes.begin(), selection.sizes.end());
  std::set<std::string> served;  // cells of rows that run in one manner, whichever is asked for
  const auto add = [&](const Row& row, std::size_t scenario, std::optional<std::uint64_t> size,
                       const SizeMix& mix, const Place& place, Manner manner, const Load& load) {
    if (row.kernel_served) manner.peer = Peer::kernel;
    PlannedCell cell{.transport = std::string(row.facts.name),
                     .scenario = std::string(all_scenarios()[scenario].name),
                     .size = size,
                     .mix = mix,
                     .place = place,
                     .manner = manner,
                     .load = load,
                     .skipped = ""};
    if (!filter.takes(cell.key())) return;
    if (row.kernel_served && !served.insert(cell.key()).second) return;
    cell.skipped = reason_to_skip(row, scenario, cell, selection.depth);
    if (!cell.skipped.empty() && is_later(cell, selection.stopping))
      return;  // one line says it for all rates
    plan.cells.push_back(std::move(cell));
  };
  std::vector<Manner> manners;
  for (const Waiting waiting : selection.waitings)
    for (const Start start : selection.starts)
      for (const auto& [producers, consumers] : selection.peers)
        for (const Peer peer : selection.other_ends)
          manners.push_back({waiting, start, producers, consumers, peer});
  for (const Row* row : match_all<const Row*>(selection.transports, match_rows))
    for (const std::size_t scenario : match_all<std::size_t>(selection.scenarios, match_scenarios))
      for (const Place& place : selection.places)
        for (const Manner& manner : manners) {
          if (row->cells[scenario] == nullptr) continue;
          // verify is sized, but not of what carries no bytes
          const bool sized =
              all_scenarios()[scenario].sized && row->facts.boundary != Boundary::none;
          for (const Load& load : loads_of(all_scenarios()[scenario], selection)) {
            if (!sized) {
              add(*row, scenario, std::nullopt, {}, place, manner, load);
              continue;
            }
            for (const SizeMix& mix : selection.mixes)
              if (!mix.name.empty())
                add(*row, scenario, mix.largest(), mix, place, manner, load);
              else
                for (const std::uint64_t size : sizes)
                  add(*row, scenario, size, mix, place, manner, load);
          }
        }

  order_runs(plan);
  return plan;
}

Plan replan(const Plan& recorded, const Topology& topology, const std::string& filter) {
  check_bounds(recorded);
  const KeyFilter keys(filter);
  Plan plan = recorded;
  plan.cells.clear();
  plan.order.clear();
  for (PlannedCell cell : recorded.cells) {
    const auto scenario = find_scenario(cell.scenario);
    if (!scenario || !keys.takes(cell.key())) continue;
    const Row* row = find_row(cell.transport);
    cell.place = place_here(cell.place, topology);
    cell.skipped = row == nullptr ? "this ipcbench has no such transport"
                                  : reason_to_skip(*row, *scenario, cell, plan.depth);
    plan.cells.push_back(std::move(cell));
  }
  order_runs(plan);
  return plan;
}

std::vector<const Row*> match_rows(const std::string& pattern) {
  std::vector<const Row*> rows;
  std::vector<std::string> names;
  for (const Row& row : all_rows()) {
    if (matches(pattern, row.facts.name)) rows.push_back(&row);
    names.emplace_back(row.facts.name);
  }
  if (rows.empty())  // a name that only has variants
    for (const Row& row : all_rows())
      if (matches(pattern, stem(row.facts.name))) rows.push_back(&row);
  if (rows.empty())  // a variant of what isn't built
    for (const Row& row : all_rows())
      if (row.facts.name == stem(pattern) && row.links.empty() && row.module == nullptr &&
          !row.unavailable().empty())
        rows.push_back(&row);
  if (rows.empty())
    throw UsageError(fmt::format("no transport '{}'{}; 'ipcbench list' shows them all",
                                 printable(pattern), suggestion(pattern, names)));
  return rows;
}

std::vector<std::size_t> match_scenarios(const std::string& pattern) {
  std::vector<std::size_t> scenarios;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < all_scenarios().size(); ++i) {
    if (matches(pattern, all_scenarios()[i].name)) scenarios.push_back(i);
    names.emplace_back(all_scenarios()[i].name);
  }
  if (scenarios.empty())
    throw UsageError(fmt::format("no scenario '{}'{}; expected one of {}", printable(pattern),
                                 suggestion(pattern, names), fmt::join(names, ", ")));
  return scenarios;
}

const Row* find_row(std::string_view name) {
  for (const Row& row : all_rows())
    if (row.facts.name == name) return &row;
  return nullptr;
}

std::optional<std::size_t> find_scenario(std::string_view name) {
  for (std::size_t i = 0; i < all_scenarios().size(); ++i)
    if (all_scenarios()[i].name == name) return i;
  return std::nullopt;
}

std::string misfit(const Row& row, std::size_t scenario, const Shape& shape, Start start) {
  if (row.cells[scenario] == nullptr)
    return fmt::format("{} needs {}", all_scenarios()[scenario].name,
                       all_scenarios()[scenario].needs);
  if (std::string reason = row.unavailable(); !reason.empty()) return reason;
  const std::optional<std::size_t> most = row.message_max();
  if (most && shape.size > *most) return fmt::format("{} bytes; it takes {}", shape.size, *most);
  std::string reason = why_not_in_this_manner(row, all_scenarios()[scenario], shape, start);
  return reason.empty() ? row.unfit(shape) : reason;
}

void add_manner(nlohmann::ordered_json& json, const Manner& manner) {
  json["wait"] = text(manner.waiting);
  json["start"] = text(manner.start);
  json["producers"] = manner.producers;
  json["consumers"] = manner.consumers;
  json["peer"] = text(manner.peer);
}

Manner manner_from_json(const nlohmann::ordered_json& json) {
  Manner manner;  // older files don't have these
  if (json.contains("wait")) manner.waiting = parse_waiting(json.at("wait").get<std::string>());
  if (json.contains("start")) manner.start = parse_start(json.at("start").get<std::string>());
  if (json.contains("peer")) manner.peer = parse_peer(json.at("peer").get<std::string>());
  const auto count = [&](const char* key) {
    return json.contains(key) ? static_cast<int>(natural(json.at(key), key, peers_max)) : 1;
  };
  manner.producers = count("producers");
  manner.consumers = count("consumers");
  return manner;
}

Waiting parse_waiting(const std::string& word) {
  for (const Waiting waiting : {Waiting::block, Waiting::poll, Waiting::spin})
    if (word == text(waiting)) return waiting;
  throw UsageError(fmt::format("--wait '{}': expected block, poll or spin", printable(word)));
}

Start parse_start(const std::string& word) {
  for (const Start start : {Start::fork, Start::exec, Start::launch})
    if (word == text(start)) return start;
  throw UsageError(fmt::format("--start '{}': expected fork, exec or launch", printable(word)));
}

Peer parse_peer(const std::string& word) {
  for (const Peer peer : {Peer::process, Peer::kernel, Peer::source})
    if (word == text(peer)) return peer;
  throw UsageError(fmt::format("--peer '{}': expected process, kernel or source", printable(word)));
}

std::pair<int, int> parse_peers(const std::string& word) {
  if (word == "direct") return {1, 1};
  if (word == "mailbox") return {2, 2};
  const std::size_t cross = word.find('x');
  if (cross == std::string::npos)
    throw UsageError(
        fmt::format("--peers '{}': expected producers x consumers, such as 4x1; or "
                    "direct (1x1) or mailbox (2x2)",
                    printable(word)));
  return {static_cast<int>(parse_number(word.substr(0, cross), "--peers", 1, peers_max)),
          static_cast<int>(parse_number(word.substr(cross + 1), "--peers", 1, peers_max))};
}

nlohmann::ordered_json to_json(const PlannedRun& run) {
  auto json = nlohmann::ordered_json::array({run.cell, run.repeat});
  if (run.why != Why::planned) json.push_back(text(run.why));
  return json;
}

PlannedRun planned_run_from_json(const nlohmann::ordered_json& json, const Plan& plan) {
  PlannedRun run{natural(json.at(0), "order", UINT64_MAX),
                 static_cast<int>(natural(json.at(1), "order", INT32_MAX)), Why::planned};
  if (run.cell >= plan.cells.size())
    throw UsageError(
        fmt::format("the plan's order names cell {} of {}", run.cell, plan.cells.size()));
  if (json.size() < 3) return run;
  for (const Why why : {Why::suspect, Why::precision, Why::target})
    if (json.at(2) == text(why)) run.why = why;
  if (run.why == Why::planned)
    throw UsageError(fmt::format("the plan's order has {}; expected suspect, precision or target",
                                 printable(json.at(2).dump(), 60)));
  return run;
}

static nlohmann::ordered_json target_json(const LatencyTarget& target) {
  if (target.limit_ns == 0) return nullptr;
  return {{"percentile", target.percentile}, {"limit_ns", target.limit_ns}};
}

nlohmann::ordered_json to_json(const Plan& plan) {
  const Stopping& stopping = plan.stopping;
  nlohmann::ordered_json cells = nlohmann::ordered_json::array();
  for (const PlannedCell& cell : plan.cells) {
    nlohmann::ordered_json one{
        {"key", cell.key()}, {"transport", cell.transport},  {"scenario", cell.scenario},
        {"size", nullptr},   {"placement", cell.place.name}, {"cpus", cell.place.cpus}};
    add_manner(one, cell.manner);
    if (const auto index = find_scenario(cell.scenario))
      add_load(one, cell.load, all_scenarios()[*index]);
    if (!cell.mix.name.empty()) {
      one["size_dist"] = cell.mix.name;
      one["sizes"] = cell.mix.sizes;
    }
    one["skipped"] = nullptr;
    if (cell.size) one["size"] = *cell.size;
    if (!cell.skipped.empty()) one["skipped"] = cell.skipped;
    cells.push_back(std::move(one));
  }
  nlohmann::ordered_json order = nlohmann::ordered_json::array();
  for (const PlannedRun& run : plan.order) order.push_back(to_json(run));
  return {{"seed", plan.seed},
          {"repeats", plan.repeats},
          {"depth", plan.depth},
          {"warmup_ns", plan.warmup_ns},
          {"min_time_ns", plan.min_time_ns},
          {"timeout_ns", plan.timeout_ns},
          {"count", plan.count},
          {"retries_percent", stopping.retries_percent},
          {"precision", stopping.precision > 0 ? Json(stopping.precision) : Json(nullptr)},
          {"metric", stopping.metric.empty() ? Json(nullptr) : Json(stopping.metric)},
          {"budget_ns", stopping.budget_ns > 0 ? Json(stopping.budget_ns) : Json(nullptr)},
          {"latency_target", target_json(stopping.target)},
          {"in_pairs", plan.in_pairs},
          {"quiet_machine", plan.quiet_machine},
          {"cells", std::move(cells)},
          {"order", std::move(order)}};
}

/// Older files know nothing of it.
static Stopping stopping_from_json(const nlohmann::ordered_json& json) {
  const auto has = [&](const char* key) { return json.contains(key) && !json.at(key).is_null(); };
  Stopping stopping{
      .retries_percent = 0, .precision = 0, .metric = "", .target = {}, .budget_ns = 0};
  if (has("retries_percent"))
    stopping.retries_percent =
        static_cast<int>(natural(json.at("retries_percent"), "retries_percent", 100));
  if (has("precision")) json.at("precision").get_to(stopping.precision);
  if (has("latency_target")) {
    const auto& target = json.at("latency_target");
    target.at("percentile").get_to(stopping.target.percentile);
    stopping.target.limit_ns =
        static_cast<std::int64_t>(natural(target.at("limit_ns"), "limit_ns", INT64_MAX));
  }
  if (has("metric")) json.at("metric").get_to(stopping.metric);
  if (has("budget_ns"))
    stopping.budget_ns =
        static_cast<std::int64_t>(natural(json.at("budget_ns"), "budget_ns", INT64_MAX));
  return stopping;
}

Plan plan_from_json(const nlohmann::ordered_json& json) {
  Plan plan;
  const auto number = [&](const char* key, std::uint64_t high) {
    return natural(json.at(key), key, high);
  };
  const auto time_ns = [&](const char* key) {
    return static_cast<std::int64_t>(number(key, INT64_MAX));
  };
  plan.seed = number("seed", UINT64_MAX);
  plan.repeats = static_cast<int>(number("repeats", INT32_MAX));
  plan.depth = number("depth", UINT64_MAX);
  plan.warmup_ns = time_ns("warmup_ns");
  plan.min_time_ns = time_ns("min_time_ns");
  plan.timeout_ns = time_ns("timeout_ns");
  plan.count = number("count", UINT64_MAX);
  plan.stopping = stopping_from_json(json);
  plan.in_pairs = json.value("in_pairs", false);
  plan.quiet_machine = json.value("quiet_machine", false);
  for (const auto& one : json.at("cells")) {
    PlannedCell cell;
    one.at("transport").get_to(cell.transport);
    one.at("scenario").get_to(cell.scenario);
    if (!one.at("size").is_null()) cell.size = natural(one.at("size"), "size", INT64_MAX);
    one.at("placement").get_to(cell.place.name);
    cell.place.cpus = {cpu(one.at("cpus").at(0)), cpu(one.at("cpus").at(1))};
    cell.manner = manner_from_json(one);
    cell.load = load_from_json(one);
    if (one.contains("size_dist")) {
      one.at("size_dist").get_to(cell.mix.name);
      for (const auto& size : one.at("sizes"))
        cell.mix.sizes.push_back(static_cast<std::uint32_t>(natural(size, "sizes", 1 << 24)));
      if (cell.mix.sizes.empty() || cell.mix.sizes.size() > SizeMix::sizes_max)
        throw UsageError(fmt::format("the plan's sizes of {} are {}; expected 1 to {}",
                                     printable(cell.mix.name, 60), cell.mix.sizes.size(),
                                     SizeMix::sizes_max));
    }
    if (!one.at("skipped").is_null()) one.at("skipped").get_to(cell.skipped);
    plan.cells.push_back(std::move(cell));
  }
  for (const auto& one : json.at("order")) plan.order.push_back(planned_run_from_json(one, plan));
  return plan;
}

}  // namespace ipcbench
