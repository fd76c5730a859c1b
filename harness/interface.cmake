# Writes interface.h: what a module's headers and those of the program that loads it have in common.
# It is a digest of them all: loops are templates, so that other headers measure otherwise, and nobody
# has to remember to count a version up.
set(CONTENT "${SANITIZE}")
foreach(header IN LISTS HEADERS)
  file(READ ${SOURCE}/${header} TEXT)
  string(APPEND CONTENT "${header}\n${TEXT}")
endforeach()
string(SHA256 DIGEST "${CONTENT}")
string(SUBSTRING ${DIGEST} 0 12 DIGEST)
file(WRITE ${OUTPUT} "// Written by the build.
#pragma once

namespace ipcbench {

/// What the version begins with, by which it is found in a shared object.
inline constexpr char interface_mark[] = \"ipcbench-interface:\";
inline constexpr char interface_version[] = \"ipcbench-interface:${VERSION}-${DIGEST}\";

}  // namespace ipcbench
")
