// reader_fuzz.h: for tests, everything that the program does with a results file that somebody else
// wrote, but running its plan. It must end in an answer or a UsageError, whatever the text.
#pragma once

#include "harness/chart_data.h"
#include "harness/compare_output.h"
#include "harness/page.h"
#include "harness/replan.h"
#include "harness/results.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {

/// Whether the text was accepted. Throws what it shouldn't.
inline bool read_whatever(std::string_view text) {
  const std::string path = "fuzz";
  try {
    const std::vector<Json> documents = documents_of(text, path);
    std::vector<ResultsFile> files;
    for (const Json& document : documents) files.push_back(records_of(document, path));
    for (const ResultsFile& file : files)
      for (const TableFormat format : {TableFormat::text, TableFormat::markdown, TableFormat::csv})
        render(file, format);
    const Json changes =
        documents.empty() ? Json() : changes_json(documents.front(), documents.back());
    json_block("ipcbench-charts", dump(chart_data(files, documents, changes)));
    static const Topology topology;
    for (const Json& document : documents) {
      results_text(document);
      to_json(replan(plan_of(document, path), topology, ""));
    }
    return true;
  } catch (const UsageError& error) {
    if (std::string_view(error.what()).size() > 1'000) throw std::logic_error("a long message");
    return false;
  }
}

}  // namespace ipcbench
