// key_filter.h: --filter: a regular expression over keys.
#pragma once

#include <regex>
#include <string>

namespace ipcbench {

class KeyFilter {
 public:
  /// "" takes everything. Throws UsageError for what is no regular expression.
  explicit KeyFilter(const std::string& filter);
  bool takes(const std::string& key) const { return std::regex_search(key, regex_); }

 private:
  std::regex regex_;
};

}  // namespace ipcbench
