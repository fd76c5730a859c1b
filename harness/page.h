// page.h: a report page as a results file: the documents that it shows are embedded in it, each in
// a block of its own that no browser executes, and are read back from there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ipcbench {

/// JSON text inside of a page: an element of the class, whose content can't end it.
std::string json_block(std::string_view element_class, std::string_view json);

/// The class of the elements that hold results documents.
inline constexpr std::string_view results_class = "ipcbench-results";

/// Whether a file's text is an HTML page.
bool is_page(std::string_view text);

/// The JSON texts of the page's blocks of results, in their order; those that aren't closed, as in
/// a page that was cut short, are left out.
std::vector<std::string_view> results_blocks(std::string_view page);

/// Text for the content or a quoted attribute of an HTML element.
std::string escape_html(std::string_view text);

}  // namespace ipcbench
