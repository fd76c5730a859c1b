# How a module of the table is built, or why it isn't.
include(${CMAKE_CURRENT_LIST_DIR}/ipcbench_add_transport.cmake)
add_library(ipcbench_transport INTERFACE)
add_library(ipcbench::transport ALIAS ipcbench_transport)
target_link_libraries(ipcbench_transport INTERFACE fmt::fmt nlohmann_json::nlohmann_json)
add_executable(ipcbench::ipcbench ALIAS ipcbench)
add_custom_target(modules)
set(IPCBENCH_MODULES ON CACHE STRING
    "Build the modules whose libraries are here: ON, OFF, or a regular expression of those to build")
set(MODULES "")
set(MODULE_NAMES "")
set(MODULE_MANIFESTS "")

# The version that a header defines in parts, as LCM_MAJOR_VERSION, LCM_MINOR_VERSION, LCM_MICRO_VERSION.
function(header_version result header)
  set(define "#define [A-Z]+_(MAJOR|MINOR|MICRO|PATCH)_VERSION +")
  file(STRINGS ${header} parts REGEX "^${define}[0-9]+$")
  list(TRANSFORM parts REPLACE "${define}" "")
  list(JOIN parts "." version)
  set(${result} "${version}" PARENT_SCOPE)
endfunction()

# ", PROGRAM 1.2.3", as it says itself; nothing where it isn't there. mosquitto says it in an error.
function(program_version result program)
  set(${result} "" PARENT_SCOPE)
  find_program(${program}_PATH ${program} NO_CACHE)
  if(${program}_PATH)
    execute_process(COMMAND ${${program}_PATH} --version OUTPUT_VARIABLE said ERROR_VARIABLE said TIMEOUT 10)
    if(said MATCHES "[0-9]+\\.[0-9]+\\.[0-9]+")
      set(${result} ", ${program} ${CMAKE_MATCH_0}" PARENT_SCOPE)
    endif()
  endif()
endfunction()

# module(NAME PACKAGES Debian packages that bring the library
#        then PKG_CONFIG its module; or FIND its CMake package and LIBRARIES its targets; or HEADER one
#        of its headers and LIBRARIES its names, where there is neither; and PROGRAMS that build it)
# HEADER beside FIND is one that must be there, too. SERVER is the program that carries the messages; its
# version is recorded beside the library's.
# A stub generator or further settings of the target NAME stand in NAME.cmake, which is included then.
function(module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PKG_CONFIG;FIND;HEADER;SERVER" "PACKAGES;LIBRARIES;PROGRAMS")
  list(JOIN arg_PACKAGES " " packages)
  set(found NO)
  set(has_programs YES)
  foreach(program IN LISTS arg_PROGRAMS)
    string(MAKE_C_IDENTIFIER ${program} variable)
    string(TOUPPER ${variable} variable)
    find_program(${variable} ${program})
    if(NOT ${variable})
      set(has_programs NO)
    endif()
  endforeach()
  set(missing "not built: install ${packages} (scripts/setup --all) and build again")
  set(is_wanted ${IPCBENCH_MODULES})
  if(is_wanted AND NOT is_wanted MATCHES "^(ON|TRUE|YES|1)$")
    string(REGEX MATCH "^(${IPCBENCH_MODULES})$" is_wanted ${name})
  endif()
  if(NOT is_wanted)
    set(missing "not built: left out by IPCBENCH_MODULES of this build")
  elseif(NOT has_programs)
    # Some CMake packages are a fatal error without their programs: they aren't asked.
  elseif(arg_PKG_CONFIG)
    pkg_check_modules(${name} QUIET IMPORTED_TARGET ${arg_PKG_CONFIG})
    if(${name}_FOUND)
      set(found YES)
      list(APPEND arg_LIBRARIES PkgConfig::${name})
      set(version "${arg_PKG_CONFIG} ${${name}_VERSION}")
    endif()
  elseif(arg_FIND)
    set(CMAKE_FIND_PACKAGE_PREFER_CONFIG ON)
    find_package(${arg_FIND} QUIET)
    set(found ${${arg_FIND}_FOUND})
    set(version "${arg_FIND} ${${arg_FIND}_VERSION}")
  elseif(arg_HEADER)
    find_path(${name}_INCLUDE ${arg_HEADER})
    find_library(${name}_LIBRARY ${arg_LIBRARIES})
    set(arg_LIBRARIES ${${name}_LIBRARY})
    if(${name}_INCLUDE AND ${name}_LIBRARY)
      set(found YES)
      header_version(number ${${name}_INCLUDE}/${arg_HEADER})
      string(STRIP "${name} ${number}" version)
    endif()
  endif()
  # A package that is there in part: gRPC's targets come with its C library's.
  if(arg_FIND AND arg_HEADER)
    find_path(${name}_INCLUDE ${arg_HEADER})
    if(NOT ${name}_INCLUDE)
      set(found NO)
    endif()
  endif()
  foreach(library IN LISTS arg_LIBRARIES)
    if(library MATCHES "::" AND NOT TARGET ${library})
      set(found NO)
    endif()
  endforeach()
  if(found AND arg_SERVER)
    program_version(number ${arg_SERVER})
    string(APPEND version "${number}")
  endif()
  if(found)
    ipcbench_add_transport(${name} SOURCES ${name}.cpp LIBRARIES ${arg_LIBRARIES} LIBRARY ${version})
    include(${CMAKE_CURRENT_SOURCE_DIR}/${name}.cmake OPTIONAL)
    add_dependencies(${name} ipcbench_interface)
    add_dependencies(modules ${name}_manifest)
    install(FILES ${CMAKE_BINARY_DIR}/modules/${name}.so ${CMAKE_BINARY_DIR}/modules/${name}.json
            DESTINATION ${CMAKE_INSTALL_LIBDIR}/ipcbench/modules OPTIONAL)
    set(missing "not built: its library is there; cmake --build build/release --target modules")
  elseif(is_wanted)
    message(STATUS "No ${name}: ${packages} is missing")
  endif()
  set(MODULE_NAMES ${MODULE_NAMES} ${name} PARENT_SCOPE)
  if(found)
    set(MODULE_MANIFESTS ${MODULE_MANIFESTS} ${CMAKE_BINARY_DIR}/modules/${name}.json PARENT_SCOPE)
  endif()
  set(MODULES "${MODULES}        {\"${name}\", \"${missing}\"},\n" PARENT_SCOPE)
endfunction()

# Modules for the tests of the harness, in a directory of their own: out of the table, and without its
# scenarios, so that they are quick to build.
foreach(name IN ITEMS hanging crashing idle)
  ipcbench_add_transport(${name} SOURCES ${CMAKE_SOURCE_DIR}/harness/broken_module.cpp
    DIRECTORY ${CMAKE_BINARY_DIR}/harness/modules)
  target_compile_definitions(${name} PRIVATE
    IPCBENCH_BROKEN_NAME="${name}" IPCBENCH_BROKEN_ROWS=${name}_rows)
  target_compile_options(${name} PRIVATE ${IPCBENCH_COLD_OPTIONS})
  add_dependencies(${name} ipcbench_interface)
  add_dependencies(harness_test ${name}_manifest)
endforeach()

# The example, built out of the tree against what is installed.
add_test(NAME example
  COMMAND ${CMAKE_COMMAND} -DBUILD=${CMAKE_BINARY_DIR} -DCOMPILER=${CMAKE_CXX_COMPILER}
    -DLAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER} -DGENERATOR=${CMAKE_GENERATOR}
    -P ${CMAKE_CURRENT_LIST_DIR}/example/test.cmake)
set_tests_properties(example PROPERTIES TIMEOUT 300)

# find_package(ipcbench), for modules of one's own.
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/ipcbench)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/ipcbenchConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/ipcbenchConfig.cmake INSTALL_DESTINATION ${package}
  PATH_VARS CMAKE_INSTALL_BINDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/ipcbenchConfigVersion.cmake
  COMPATIBILITY ExactVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ipcbenchConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/ipcbenchConfigVersion.cmake
  ${CMAKE_CURRENT_LIST_DIR}/ipcbench_add_transport.cmake ${CMAKE_CURRENT_LIST_DIR}/module_entry.cpp.in
  DESTINATION ${package})
