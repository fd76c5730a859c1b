#include "harness/manifest.h"

#include <deque>
#include <initializer_list>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/interface.h"
#include "harness/results.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

/// Facts hold views: what they look at stays.
std::string_view kept(std::string text) {
  static std::deque<std::string> texts;
  return texts.emplace_back(std::move(text));
}

/// The value whose word stands in the document.
template <class Value>
void read(const Json& json, const char* key, Value& into, std::initializer_list<Value> values) {
  const auto word = json.at(key).get<std::string>();
  for (const Value value : values)
    if (text(value) == word) {
      into = value;
      return;
    }
  throw std::runtime_error(fmt::format("\"{}\" is {}", key, printable(word)));
}

constexpr std::pair<const char*, bool Verbs::*> verb_names[] = {
    {"send", &Verbs::send}, {"receive", &Verbs::receive}, {"notify", &Verbs::notify},
    {"wait", &Verbs::wait}, {"lock", &Verbs::lock},       {"call", &Verbs::call},
};

Json verbs_json(const Verbs& verbs) {
  Json json = Json::array();
  for (const auto& [name, verb] : verb_names)
    if (verbs.*verb) json.push_back(name);
  return json;
}

Verbs verbs_from_json(const Json& json) {
  Verbs verbs;
  for (const auto& [name, verb] : verb_names)
    for (const Json& word : json) verbs.*verb |= word == name;
  return verbs;
}

Json row_json(const Row& row) {
  Json json{{"facts", to_json(row.facts)},
            {"settings", row.settings},
            {"message_max", nullptr},
            {"scenarios", Json::array()},
            {"links", Json::array()},
            {"kernel_peered", row.kernel_peered},
            {"kernel_served", row.kernel_served},
            {"launchable", row.launch != nullptr}};
  if (const auto most = row.message_max()) json["message_max"] = *most;
  for (std::size_t i = 0; i < row.cells.size(); ++i)
    if (row.cells[i] != nullptr) json["scenarios"].push_back(all_scenarios()[i].name);
  for (const LinkMaker& link : row.links)
    json["links"].push_back(
        {{"producer", verbs_json(link.producer)}, {"consumer", verbs_json(link.consumer)}});
  return json;
}

void not_loaded(Runner&) {
  throw std::logic_error("a cell of a manifest was called");
}
std::unique_ptr<AnyLink> make_nothing(const Shape&) {
  throw std::logic_error("a link of a manifest was made");
}
std::shared_ptr<const void> launch_nothing(const Shape&, const Programs&) {
  throw std::logic_error("a launcher of a manifest was made");
}

Row row_from_json(const Json& json) {
  std::optional<std::size_t> most;
  if (!json.at("message_max").is_null()) most = json.at("message_max").get<std::size_t>();
  Row row{.facts = facts_from_json(json.at("facts")),
          .variant = nullptr,
          .unavailable = [] { return ""; },
          .message_max = [most] { return most; },
          .unfit = [](const Shape&) { return std::string(); },
          .cells = {},
          .links = {}};
  for (const ScenarioFacts& scenario : all_scenarios()) {
    bool fits = false;
    for (const Json& name : json.at("scenarios")) fits |= name == scenario.name;
    row.cells.push_back(fits ? not_loaded : nullptr);
  }
  for (const Json& link : json.at("links"))
    row.links.push_back({.producer = verbs_from_json(link.at("producer")),
                         .consumer = verbs_from_json(link.at("consumer")),
                         .make = make_nothing});
  json.at("kernel_peered").get_to(row.kernel_peered);
  json.at("kernel_served").get_to(row.kernel_served);
  if (json.at("launchable").get<bool>()) row.launch = launch_nothing;
  row.settings = kept(json.at("settings"));
  return row;
}

}  // namespace

Json to_json(const Facts& facts) {
  return {{"name", facts.name},
          {"summary", facts.summary},
          {"family", text(facts.family)},
          {"naming", text(facts.naming)},
          {"handle", text(facts.handle)},
          {"boundary", text(facts.boundary)},
          {"persistence", text(facts.persistence)},
          {"delivery", text(facts.delivery)},
          {"peers", text(facts.peers)},
          {"pollable", facts.pollable},
          {"copies", facts.copies},
          {"standard", facts.standard},
          {"carrier", facts.carrier}};
}

Facts facts_from_json(const Json& json) {
  Facts facts{};
  facts.name = kept(json.at("name"));
  facts.summary = kept(json.at("summary"));
  read(json, "family", facts.family,
       {Family::roofline, Family::pipe, Family::socket, Family::queue, Family::file, Family::shm,
        Family::process, Family::signal, Family::sync, Family::rpc, Family::messaging,
        Family::broker, Family::kernel});
  read(json, "naming", facts.naming,
       {Naming::inherited, Naming::pathname, Naming::abstract, Naming::key, Naming::port,
        Naming::pid});
  read(json, "handle", facts.handle,
       {Handle::none, Handle::fd, Handle::memory, Handle::id, Handle::library});
  read(json, "boundary", facts.boundary, {Boundary::none, Boundary::stream, Boundary::message});
  read(json, "persistence", facts.persistence,
       {Persistence::process, Persistence::kernel, Persistence::filesystem});
  read(json, "delivery", facts.delivery, {Delivery::reliable, Delivery::lossy, Delivery::newest});
  read(json, "peers", facts.peers, {Peers::one_to_one, Peers::many_to_one, Peers::many_to_many});
  json.at("pollable").get_to(facts.pollable);
  json.at("copies").get_to(facts.copies);
  facts.standard = kept(json.at("standard"));
  facts.carrier = kept(json.at("carrier"));
  return facts;
}

Json manifest_json(const ModuleEntry& entry, const std::vector<Row>& rows) {
  Json json{{"schema", manifest_schema},
            {"interface", entry.interface},
            {"library", entry.library},
            {"rows", Json::array()}};
  for (const Row& row : rows) json["rows"].push_back(row_json(row));
  return json;
}

Manifest manifest_from_json(const Json& json) {
  if (json.at("schema") != manifest_schema)
    throw std::runtime_error(
        fmt::format("\"schema\" is {}; expected {}", json.at("schema").dump(), manifest_schema));
  Manifest manifest{.interface = json.at("interface"), .library = json.at("library"), .rows = {}};
  if (manifest.interface != interface_version) return manifest;  // its rows may have another form
  for (const Json& row : json.at("rows")) manifest.rows.push_back(row_from_json(row));
  return manifest;
}

}  // namespace ipcbench
