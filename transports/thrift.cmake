# The compiler thrift makes the stubs of thrift.thrift.
set(generated ${CMAKE_BINARY_DIR}/generated/transports/thrift)
set(outputs Exchange.h Exchange.cpp thrift_types.h)
list(TRANSFORM outputs PREPEND ${generated}/)
file(MAKE_DIRECTORY ${generated})
add_custom_command(OUTPUT ${outputs}
  COMMAND ${THRIFT} --gen cpp:no_skeleton -out ${generated} ${CMAKE_CURRENT_SOURCE_DIR}/thrift.thrift
  DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/thrift.thrift
  VERBATIM)
set_source_files_properties(${outputs} PROPERTIES COMPILE_OPTIONS "-w")
target_sources(thrift PRIVATE ${outputs})
