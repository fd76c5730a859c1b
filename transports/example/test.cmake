# Installs what BUILD has made, builds the example against it, out of the tree, and runs it as its
# CMakeLists.txt says.
cmake_minimum_required(VERSION 3.25)
set(work ${BUILD}/example)
file(REMOVE_RECURSE ${work})
function(step)
  execute_process(COMMAND ${ARGV} OUTPUT_VARIABLE out ERROR_VARIABLE out RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\nexit status ${status}\n${out}")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()
function(expect pattern)
  if(NOT out MATCHES "${pattern}")
    message(FATAL_ERROR "expected '${pattern}' in:\n${out}")
  endif()
endfunction()

step(${CMAKE_COMMAND} --install ${BUILD} --prefix ${work}/installed)
# The quickest build: what is tested is that it builds.
step(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${work}/build -G ${GENERATOR}
     -DCMAKE_PREFIX_PATH=${work}/installed -DCMAKE_CXX_COMPILER=${COMPILER}
     -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER} -DCMAKE_BUILD_TYPE=Debug)
step(${CMAKE_COMMAND} --build ${work}/build)

set(ipcbench ${work}/installed/bin/ipcbench)
set(plugin --plugin ${work}/build/modules/my_fifo.so)
step(${ipcbench} list ${plugin})
expect("\nmy_fifo +[a-z]")
step(${ipcbench} describe my_fifo ${plugin})
expect("module +[^\n]*my_fifo.so")
step(${ipcbench} ${plugin} run -t my_fifo -S ping_pong,verify --start fork,exec --placement none -r 1
     --retries 0 --warmup 1ms --min-time 1ms)
expect("my_fifo")
# What stands in the directories of IPCBENCH_PLUGIN_PATH is found without --plugin.
set(ENV{IPCBENCH_PLUGIN_PATH} ${work}/build/modules)
step(${ipcbench} probe my_fifo)
expect("0 contradicted")
file(REMOVE_RECURSE ${work})
