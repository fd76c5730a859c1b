# idlc makes a header and a source in C of cyclonedds.idl.
set(stubs ${CMAKE_BINARY_DIR}/generated/cyclonedds)
file(MAKE_DIRECTORY ${stubs}/types)
add_custom_command(
  OUTPUT ${stubs}/types/cyclonedds.h ${stubs}/types/cyclonedds.c
  COMMAND ${IDLC} -l c -t -o ${stubs}/types ${CMAKE_CURRENT_SOURCE_DIR}/cyclonedds.idl
  DEPENDS cyclonedds.idl
  VERBATIM)
enable_language(C)
set_source_files_properties(${stubs}/types/cyclonedds.c PROPERTIES COMPILE_OPTIONS "-w")
target_sources(cyclonedds PRIVATE ${stubs}/types/cyclonedds.h ${stubs}/types/cyclonedds.c)
target_include_directories(cyclonedds SYSTEM PRIVATE ${stubs})
# A library that is built with iceoryx comes with its headers.
find_package(iceoryx_posh QUIET)
if(iceoryx_posh_FOUND)
  target_link_libraries(cyclonedds PRIVATE iceoryx_posh::iceoryx_posh)
endif()
