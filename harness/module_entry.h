// module_entry.h: what a shared module shows of itself. ipcbench_add_transport() writes the entry
// of every module; a transport's author writes none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/row.h"

namespace ipcbench {

/// A module's one symbol. The interface stands first, whatever else may change.
struct ModuleEntry {
  /// interface_version (generated) of the headers that it was compiled with.
  const char* interface;
  const char* library;  ///< what it is about, with its version: "libzmq 4.3.4"
  std::vector<Row> (*rows)();
};

inline constexpr char module_symbol[] = "ipcbench_module";

/// A shared module as its manifest describes it.
struct Module {
  std::string path;     ///< of the shared object
  std::string library;  ///< with its version
};

}  // namespace ipcbench
