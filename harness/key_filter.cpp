#include "harness/key_filter.h"

#include <fmt/format.h>

#include "harness/text.h"

namespace ipcbench {

KeyFilter::KeyFilter(const std::string& filter) {
  constexpr std::size_t filter_max = 500;  // std::regex recurses once for each bracket
  if (filter.size() > filter_max)
    throw UsageError(fmt::format("--filter '{}': {} characters; expected at most {}",
                                 printable(filter, 40), filter.size(), filter_max));
  try {
    // libstdc++'s other matcher takes exponential time over "(((.*)*)*)*x".
    regex_ = std::regex(filter.empty() ? ".*" : filter,
                        std::regex::extended | std::regex_constants::__polynomial);
  } catch (const std::regex_error& error) {
    throw UsageError(fmt::format("--filter '{}': not a regular expression ({})", printable(filter),
                                 error.what()));
  }
}

}  // namespace ipcbench
