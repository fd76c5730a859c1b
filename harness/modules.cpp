#include "harness/modules.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/clock.h"
#include "harness/interface.h"
#include "harness/manifest.h"
#include "harness/results.h"
#include "harness/text.h"
#include "harness/unix.h"

namespace ipcbench {
namespace {

namespace fs = std::filesystem;
constexpr const char* plugins_variable = "IPCBENCH_PLUGIN";
constexpr const char* path_variable = "IPCBENCH_PLUGIN_PATH";
constexpr int manifest_patience_ms = 5'000;

std::vector<std::string> split_path(const char* text) {
  std::vector<std::string> parts;
  std::string_view rest = text == nullptr ? "" : text;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find(':'));
    if (!part.empty()) parts.emplace_back(part);
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  }
  return parts;
}

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Why a module of that interface can't be used, or "".
std::string why_other_interface(std::string_view interface) {
  if (interface == interface_version) return "";
  const auto digest = [](std::string_view text) { return text.substr(text.find(':') + 1); };
  return fmt::format("was built for interface {}, this ipcbench has {}: build it anew",
                     printable(digest(interface), 40), digest(interface_version));
}

/// The interface that a shared object was built for stands in it as text: it is known before
/// anything of the module runs, and before the linker can complain. It stands in the manifest, too.
std::string interface_in(const std::string& content) {
  const std::size_t at = content.find(interface_mark);
  return at == std::string::npos ? "" : std::string(content.c_str() + at);
}

/// Why a file of that content is no module, or "".
std::string why_no_module(const std::string& path, const std::string& content) {
  if (interface_in(content).empty())
    return "is no transport module; expected a shared object that ipcbench_add_transport() has "
           "built";
  if (!content.starts_with("\177ELF"))
    return fmt::format("is the manifest of a module; expected the shared module itself, {}",
                       printable(fs::path(path).replace_extension(".so").string()));
  return "";
}

const ModuleEntry& load(const std::string& path) {
  if (::access(path.c_str(), R_OK) != 0) fail("access", path);
  const std::string content = read_whole(path);
  std::string why = why_no_module(path, content);
  if (why.empty()) why = why_other_interface(interface_in(content));
  if (!why.empty()) throw std::runtime_error(fmt::format("{}: {}", path, why));
  void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw std::runtime_error(::dlerror());
  const void* const entry = ::dlsym(handle, module_symbol);
  if (entry == nullptr) throw std::runtime_error(fmt::format("{}: has no {}", path, module_symbol));
  return *static_cast<const ModuleEntry*>(entry);
}

/// Has another process of this program load the module and print its manifest: the driver has none
/// of its code.
std::string ask_for_manifest(const std::string& path) {
  int fds[2];
  check(::pipe2(fds, O_CLOEXEC), "pipe2");
  const Fd out(fds[0]);
  Fd in(fds[1]);
  const pid_t pid = check(::fork(), "fork");
  if (pid == 0) {
    ::dup2(in.get(), STDOUT_FILENO);
    ::execl("/proc/self/exe", "ipcbench", "manifest", path.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  in.close();
  std::string text;
  const std::int64_t deadline_ns = monotonic_ns() + manifest_patience_ms * std::int64_t{1'000'000};
  for (bool is_over = false; !is_over;) {
    pollfd waiting{out.get(), POLLIN, 0};
    const std::int64_t left_ms = (deadline_ns - monotonic_ns()) / 1'000'000;
    char part[4096];
    const ssize_t got = left_ms > 0 && ::poll(&waiting, 1, static_cast<int>(left_ms)) == 1
                            ? ::read(out.get(), part, sizeof part)
                            : 0;
    is_over = got <= 0;
    if (!is_over) text.append(part, static_cast<std::size_t>(got));
  }
  ::kill(pid, SIGKILL);  // it has closed its end, or hangs
  retry([&] { return ::waitpid(pid, nullptr, 0); });
  if (text.empty())
    throw std::runtime_error(fmt::format("loading it failed; see 'ipcbench manifest {}'", path));
  return text;
}

/// Reads what lies beside the module, or asks the module itself where there is nothing.
Manifest manifest_of(const std::string& module_path) {
  std::string text = read_whole(fs::path(module_path).replace_extension(".json"));
  if (text.empty()) text = ask_for_manifest(module_path);
  return manifest_from_json(Json::parse(text));
}

/// A row of a module that can't be had. What it would be isn't known, but that it would carry
/// messages.
Row missing_row(std::string_view name, std::string why) {
  static std::deque<std::string> names;
  Row row{.facts = {},
          .variant = nullptr,
          .unavailable = [why] { return why; },
          .message_max = [] { return std::nullopt; },
          .unfit = [](const Shape&) { return std::string(); },
          .cells = {},
          .links = {}};
  row.facts.name = names.emplace_back(name);
  row.facts.summary = "a module that isn't there";
  row.facts.family = Family::messaging;
  row.facts.handle = Handle::library;
  row.facts.boundary = Boundary::message;
  for (const ScenarioFacts& scenario : all_scenarios())
    if (scenario.sized)
      row.cells.push_back([](Runner&) {});
    else
      row.cells.push_back(nullptr);
  return row;
}

/// The rows of a module, or the one that says why there are none.
std::vector<Row> rows_of(const std::string& path) {
  static std::deque<Module> modules;
  const std::string name = fs::path(path).stem();
  try {
    Manifest manifest = manifest_of(path);
    std::string why = why_other_interface(manifest.interface);
    if (!why.empty()) return {missing_row(name, fmt::format("{} {}", path, why))};
    modules.push_back({path, manifest.library});
    const Module& module = modules.back();
    for (Row& row : manifest.rows) {
      row.module = &module;
      if (::access(path.c_str(), R_OK) != 0)
        row.unavailable = [path] { return fmt::format("{} is missing", path); };
    }
    return std::move(manifest.rows);
  } catch (const std::exception& error) {
    return {missing_row(name, fmt::format("{}: {}", path, printable(error.what(), 200)))};
  }
}

std::vector<std::string> search_path() {
  std::vector<std::string> directories = split_path(::getenv(path_variable));
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  directories.push_back(program.parent_path() / "modules");
  directories.push_back((program.parent_path() / IPCBENCH_MODULES_FROM_PROGRAM).lexically_normal());
  return directories;
}

/// The modules that are found, by name.
std::map<std::string, std::string> find_modules() {
  std::map<std::string, std::string> found;
  for (const std::string& directory : search_path()) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error))
      if (entry.path().extension() == ".json")
        found.emplace(entry.path().stem(), fs::path(entry.path()).replace_extension(".so"));
  }
  return found;
}

void append(std::vector<Row>& rows, std::vector<Row> more) {
  for (Row& row : more) rows.push_back(std::move(row));
}

/// What a person names must be there, and be something new.
void add_plugin(std::vector<Row>& rows, const std::string& path) {
  std::vector<Row> more = rows_of(path);
  for (const Row& row : more) {
    if (const std::string why = row.unavailable(); !why.empty())
      throw UsageError(fmt::format("--plugin: {}", why));
    for (const Row& other : rows)
      if (other.facts.name == row.facts.name)
        throw UsageError(
            fmt::format("--plugin {}: there is a transport '{}' already; name its own "
                        "otherwise",
                        printable(path), row.facts.name));
  }
  append(rows, std::move(more));
}

}  // namespace

void add_module_rows(std::vector<Row>& rows, std::span<const ListedModule> listed) {
  std::map<std::string, std::string> found = find_modules();
  const std::vector<std::string> plugins = split_path(::getenv(plugins_variable));
  for (const std::string& path : plugins) found.erase(fs::path(path).stem());
  for (const ListedModule& module : listed) {
    const auto at = found.find(std::string(module.name));
    if (at != found.end())
      append(rows, rows_of(at->second));
    else if (std::none_of(plugins.begin(), plugins.end(),
                          [&](const fs::path path) { return path.stem() == module.name; }))
      rows.push_back(missing_row(module.name, std::string(module.missing)));
    if (at != found.end()) found.erase(at);
  }
  for (const auto& [name, path] : found) append(rows, rows_of(path));
  for (const std::string& path : plugins) add_plugin(rows, path);
}

void name_plugins(const std::vector<std::string>& paths) {
  std::vector<std::string> whole;
  for (const std::string& path : paths) {
    if (path.find(':') != std::string::npos)
      throw UsageError(fmt::format("--plugin '{}': expected a path without ':'", printable(path)));
    if (::access(path.c_str(), R_OK) != 0)
      throw UsageError(fmt::format("--plugin {}: {}; expected a shared module", printable(path),
                                   std::generic_category().message(errno)));
    if (fs::is_directory(path))
      throw UsageError(
          fmt::format("--plugin {}: is a directory; expected a shared module ({} takes "
                      "directories)",
                      printable(path), path_variable));
    if (const std::string why = why_no_module(path, read_whole(path)); !why.empty())
      throw UsageError(fmt::format("--plugin {}: {}", printable(path), why));
    whole.push_back(fs::absolute(path).lexically_normal());
  }
  if (!whole.empty())
    ::setenv(plugins_variable, fmt::format("{}", fmt::join(whole, ":")).c_str(), 1);
}

const Row& loaded(const Row& row) {
  if (row.module == nullptr) return row;
  static std::map<const Module*, std::vector<Row>> modules;
  auto at = modules.find(row.module);
  if (at == modules.end()) at = modules.emplace(row.module, load(row.module->path).rows()).first;
  for (const Row& real : at->second)
    if (real.facts.name == row.facts.name) return real;
  throw std::runtime_error(
      fmt::format("{}: has no transport '{}', though its manifest says so: "
                  "build it anew",
                  row.module->path, row.facts.name));
}

std::vector<std::string> plugin_rows(const std::string& module_path) {
  std::vector<std::string> names;
  for (const Row& row : rows_of(module_path)) {
    if (row.module == nullptr) throw UsageError(row.unavailable());
    names.emplace_back(row.facts.name);
  }
  return names;
}

std::string read_manifest(const std::string& module_path) {
  const ModuleEntry& entry = load(fs::absolute(module_path));
  return manifest_json(entry, entry.rows()).dump(2) + "\n";
}

}  // namespace ipcbench
