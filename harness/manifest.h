// manifest.h: what a shared module offers, as JSON that lies beside it: everything that list,
// describe and the plan ask of a row, so that they load nothing. The build writes it out of the
// module's own Facts (`ipcbench manifest`).
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "harness/module_entry.h"

namespace ipcbench {

inline constexpr std::string_view manifest_schema = "ipcbench-module/1";

struct Manifest {
  std::string interface;  ///< that the module was built for
  std::string library;
  std::vector<Row> rows;  ///< whose texts live for ever, and whose cells and links can't be called
};

nlohmann::ordered_json to_json(const Facts& facts);
Facts facts_from_json(const nlohmann::ordered_json& json);

/// The manifest of a module whose rows these are.
nlohmann::ordered_json manifest_json(const ModuleEntry& entry, const std::vector<Row>& rows);

/// Of another interface without its rows. Throws nlohmann::json::exception or std::runtime_error
/// where the document has another form.
Manifest manifest_from_json(const nlohmann::ordered_json& json);

}  // namespace ipcbench
