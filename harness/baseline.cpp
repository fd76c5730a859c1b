#include "harness/baseline.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/commands.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t name_size_max = 100;
constexpr std::string_view ending = ".json";

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= name_size_max && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
         });
}

std::string directory() {
  const fs::path path = fs::path(state_directory()) / "baselines";
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw UsageError(fmt::format("{}: {}", printable(path.string()), error.message()));
  return path.string();
}

std::string those_there_are() {
  const std::vector<std::string> names = baselines();
  return names.empty() ? "there are none; 'ipcbench run --save-baseline NAME' makes one"
                       : fmt::format("there are {}", fmt::join(names, ", "));
}

}  // namespace

std::string baseline_path(const std::string& name) {
  if (!is_name(name))
    throw UsageError(
        fmt::format("baseline '{}': expected a name of letters, digits, '-', '_' and "
                    "'.', such as main",
                    printable(name)));
  return fmt::format("{}/{}{}", directory(), name, ending);
}

std::vector<std::string> baselines() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory())) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(ending)) continue;
    names.push_back(file.substr(0, file.size() - ending.size()));
    if (!is_name(names.back())) names.pop_back();
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string file_or_baseline(const std::string& name) {
  std::error_code error;
  if (fs::exists(name, error)) return name;
  if (is_name(name) && fs::exists(baseline_path(name), error)) return baseline_path(name);
  throw UsageError(fmt::format("{}: there is no such file{}; of baselines, {}", printable(name),
                               is_name(name) ? " and no baseline of that name" : "",
                               those_there_are()));
}

int baseline_command(const std::string& action, const std::string& name) {
  if (action == "list") {
    for (const std::string& known : baselines()) {
      const Json context = read_documents(baseline_path(known)).front().value("context", Json());
      fmt::print("{}  {}\n", known, context.is_object() ? provenance(context) : "");
    }
    return exit_ok;
  }
  if (action != "remove")
    throw UsageError(
        fmt::format("baseline '{}': expected list, or remove NAME", printable(action)));
  std::error_code error;
  if (!fs::remove(baseline_path(name), error) || error)
    throw UsageError(fmt::format("baseline '{}': {}; {}", printable(name),
                                 error ? error.message() : "there is none of that name",
                                 those_there_are()));
  return exit_ok;
}

}  // namespace ipcbench
