// tool.h: runs another program to its end as a filter: text in, text out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/unix.h"

namespace ipcbench {

struct ToolResult {
  int status = 0;  ///< its exit status; 127: there is no such program; 128 + n: signal n ended it
  std::string out;
  std::string err;
};

/// Runs a program that is looked up in PATH, with `input` as its stdin, and waits for its end; it
/// ends with the caller. Throws std::system_error where no process can be made.
ToolResult run_tool(const std::vector<std::string>& arguments, std::string_view input);

/// An empty file in memory: for what a program prints, however much it is.
Fd memory_file(const char* name);
std::string content_of(const Fd& memory_file);

}  // namespace ipcbench
