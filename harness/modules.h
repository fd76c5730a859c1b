// modules.h: transports that are loaded. One that needs a library is a shared module, which is
// loaded in the runner that uses it and nowhere else: neither the driver nor other runs have the
// library's code, threads or relocations. The driver reads the module's manifest (manifest.h).
//
// Modules are looked for in the directories of IPCBENCH_PLUGIN_PATH, in modules/ beside the
// program, and where the program is installed; those of --plugin come by their own path. What is
// found first under a name is taken.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/row.h"

namespace ipcbench {

/// A module of the table in transports/CMakeLists.txt.
struct ListedModule {
  std::string_view name;
  std::string_view missing;  ///< why there is none, where there is none: what to install
};

/// Appends the rows of all modules: the listed ones in their order, then others. One that isn't
/// there, can't be read or was built for another ipcbench keeps a row, which says why. Throws
/// UsageError where a --plugin can't be had, or has the name of a linked transport.
void add_module_rows(std::vector<Row>& rows, std::span<const ListedModule> listed);

/// Names shared modules by their paths, between colons, for this process and those that it starts:
/// before all_rows() is asked for. They are kept in the environment (IPCBENCH_PLUGIN).
void name_plugins(const std::vector<std::string>& paths);

/// The row that can be run: of a module its own, which is loaded the first time; of another one
/// itself. In a runner. Throws std::runtime_error where the module can't be loaded.
const Row& loaded(const Row& row);

/// The names of a module's rows. Throws UsageError where it has none.
std::vector<std::string> plugin_rows(const std::string& module_path);

/// Loads a module and returns its manifest, as JSON. Throws std::runtime_error.
std::string read_manifest(const std::string& module_path);

}  // namespace ipcbench
