#include "harness/page.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace ipcbench {
namespace {

constexpr std::string_view block_end = "</script>";

std::string block_start(std::string_view element_class) {
  return fmt::format("<script type=\"application/json\" class=\"{}\">", element_class);
}

}  // namespace

std::string json_block(std::string_view element_class, std::string_view json) {
  // "<" stands in JSON's strings alone, and there it may be written like this: then nothing in the
  // text can end the element or begin another (HTML, 13.2.5.15, script data).
  std::string block = block_start(element_class) + "\n";
  block.reserve(block.size() + json.size() + json.size() / 64 + 32);
  for (const char c : json) {
    if (c == '<')
      block += "\\u003c";
    else
      block += c;
  }
  if (!block.ends_with('\n')) block += '\n';
  return block.append(block_end);
}

bool is_page(std::string_view text) {
  constexpr std::string_view doctype = "<!doctype html";
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || text.size() - start < doctype.size()) return false;
  return std::equal(doctype.begin(), doctype.end(), text.begin() + start, [](char a, char b) {
    return a == std::tolower(static_cast<unsigned char>(b));
  });
}

std::vector<std::string_view> results_blocks(std::string_view page) {
  const std::string start = block_start(results_class);
  std::vector<std::string_view> blocks;
  for (std::size_t at = page.find(start); at != std::string_view::npos; at = page.find(start, at)) {
    at += start.size();
    const std::size_t end = page.find(block_end, at);
    if (end == std::string_view::npos) break;
    blocks.push_back(page.substr(at, end - at));
    at = end;
  }
  return blocks;
}

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  return escaped;
}

}  // namespace ipcbench
