# protoc makes the messages of grpc.proto, and with grpc_cpp_plugin the service.
set(generated ${CMAKE_BINARY_DIR}/generated/transports)
set(outputs grpc.pb.h grpc.pb.cc grpc.grpc.pb.h grpc.grpc.pb.cc)
list(TRANSFORM outputs PREPEND ${generated}/)
file(MAKE_DIRECTORY ${generated})
add_custom_command(OUTPUT ${outputs}
  COMMAND ${PROTOC} -I ${CMAKE_SOURCE_DIR} --cpp_out ${CMAKE_BINARY_DIR}/generated
    --grpc_out ${CMAKE_BINARY_DIR}/generated --plugin protoc-gen-grpc=${GRPC_CPP_PLUGIN}
    transports/grpc.proto
  DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/grpc.proto
  VERBATIM)
set_source_files_properties(${outputs} PROPERTIES COMPILE_OPTIONS "-w")
target_sources(grpc PRIVATE ${outputs})
