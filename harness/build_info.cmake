# Writes build_info.h: what this build is, for the machine record of results files.
execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD
                OUTPUT_VARIABLE COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
execute_process(COMMAND git -C ${SOURCE} status --porcelain
                OUTPUT_VARIABLE CHANGES OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT COMMIT)
  set(COMMIT unknown)
endif()
if(CHANGES)
  set(DIRTY true)
else()
  set(DIRTY false)
endif()
if(SANITIZE)
  string(APPEND FLAGS " -fsanitize=${SANITIZE}")
endif()
string(STRIP "${FLAGS}" FLAGS)
set(TEXT "// Written by the build.
#pragma once
#include <string_view>
namespace ipcbench {
inline constexpr std::string_view build_version = \"${VERSION}\";
inline constexpr std::string_view build_commit = \"${COMMIT}\";
inline constexpr std::string_view build_type = \"${TYPE}\";
inline constexpr std::string_view build_compiler = \"${COMPILER}\";
inline constexpr std::string_view build_flags = \"${FLAGS}\";
inline constexpr std::string_view build_benchmark_version = \"${BENCHMARK}\";
inline constexpr std::string_view build_hwloc_version = \"${HWLOC}\";
inline constexpr bool build_dirty = ${DIRTY};
}  // namespace ipcbench
")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} OLD)
endif()
if(NOT "${TEXT}" STREQUAL "${OLD}")
  file(WRITE ${OUTPUT} "${TEXT}")
endif()
