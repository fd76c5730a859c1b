# capnp and capnpc-c++ make the stubs of capnp_rpc.capnp. Cap'n Proto's CMake package has a function for
# that, but is a fatal error where libatomic isn't found.
set(generated ${CMAKE_BINARY_DIR}/generated)
set(outputs transports/capnp_rpc.capnp.h transports/capnp_rpc.capnp.c++)
list(TRANSFORM outputs PREPEND ${generated}/)
file(MAKE_DIRECTORY ${generated}/transports)
pkg_get_variable(include capnp-rpc includedir)
add_custom_command(OUTPUT ${outputs}
  COMMAND ${CAPNP} compile -I ${include} -o ${CAPNPC_C__}:${generated}
    --src-prefix ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/capnp_rpc.capnp
  DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/capnp_rpc.capnp
  VERBATIM)
set_source_files_properties(${outputs} PROPERTIES COMPILE_OPTIONS "-w")
target_sources(capnp_rpc PRIVATE ${outputs})
