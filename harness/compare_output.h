// compare_output.h: a comparison as people and programs read it.
#pragma once

#include <string>

#include "harness/compare.h"

namespace ipcbench {

enum class CompareFormat { text, markdown, json, csv };
/// "text", "md", "json" or "csv". Throws UsageError.
CompareFormat parse_compare_format(const std::string& word);

/// Verdicts first: regressed, improved, inconclusive, same, and within each the largest change
/// first; then what wasn't compared, the warnings, and a line that sums up.
std::string render(const Comparison& comparison, const CompareOptions& options,
                   const std::string& base, const std::string& fresh, CompareFormat format,
                   bool bold = false);

/// "12 compared: 1 regressed, 0 improved, 9 same, 2 inconclusive (margin 2 %)"
std::string summary_line(const Comparison& comparison, const CompareOptions& options);

/// Schema "ipcbench-comparison/1".
Json to_json(const Comparison& comparison, const CompareOptions& options, const std::string& base,
             const std::string& fresh);

/// What pages show of it: the form is in plots/README.md. Ratios are times worse.
Json changes_json(const Comparison& comparison, const CompareOptions& options);
/// The same of two results documents, by the usual rule.
Json changes_json(const Json& base_document, const Json& new_document);

/// Appends it as Markdown to $GITHUB_STEP_SUMMARY, where that is set. Warns on stderr where it
/// can't.
void append_step_summary(const Comparison& comparison, const CompareOptions& options,
                         const std::string& base, const std::string& fresh);

/// 1 where something regressed; else 3 where a cell that ran in BASE fails in NEW; else, if it is
/// to be strict, 4 where something is inconclusive or is missing in NEW; 77 where nothing could be
/// compared; else 0.
int exit_status(const Comparison& comparison, bool strict);

}  // namespace ipcbench
