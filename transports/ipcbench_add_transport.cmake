# ipcbench_add_transport(NAME SOURCES file... [LIBRARIES target...] [LIBRARY text] [DIRECTORY path])
#
# Builds the shared module NAME.so out of a transport's sources, which define NAME_rows(), and its
# manifest NAME.json, both in DIRECTORY: modules/ of the build directory if none is given. LIBRARIES are what it is linked with;
# LIBRARY says which one it is about, with its version, as it is recorded: "libzmq 4.3.4".
# For projects that find_package(ipcbench), and for ipcbench itself.
set(IPCBENCH_MODULE_ENTRY ${CMAKE_CURRENT_LIST_DIR}/module_entry.cpp.in)

function(ipcbench_add_transport name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LIBRARY;DIRECTORY" "SOURCES;LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "ipcbench_add_transport(${name}): expected SOURCES, LIBRARIES, LIBRARY; got "
                        "'${arg_UNPARSED_ARGUMENTS}'")
  endif()
  if(NOT arg_DIRECTORY)
    set(arg_DIRECTORY ${CMAKE_BINARY_DIR}/modules)
  endif()
  set(LIBRARY "${arg_LIBRARY}")
  set(entry ${CMAKE_CURRENT_BINARY_DIR}/${name}_entry.cpp)
  configure_file(${IPCBENCH_MODULE_ENTRY} ${entry} @ONLY)
  add_library(${name} MODULE ${arg_SOURCES} ${entry})
  target_link_libraries(${name} PRIVATE ipcbench::transport ${arg_LIBRARIES})
  # Its loops are its own, and not those that the program may have under the same names.
  set_target_properties(${name} PROPERTIES
    PREFIX "" CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${arg_DIRECTORY})
  if(NOT CMAKE_BUILD_TYPE)
    target_compile_options(${name} PRIVATE -O3)  # nobody wants to measure another
  endif()
  set(manifest ${arg_DIRECTORY}/${name}.json)
  add_custom_command(OUTPUT ${manifest}
    COMMAND ipcbench::ipcbench manifest $<TARGET_FILE:${name}> -o ${manifest}
    DEPENDS ${name} ipcbench::ipcbench
    VERBATIM)
  add_custom_target(${name}_manifest ALL DEPENDS ${manifest})
endfunction()
