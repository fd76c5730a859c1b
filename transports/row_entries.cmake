# Writes OUTPUT, a list of tests for ctest: for every row of the table one entry, NAME.ROW, that runs
# all tests of PROGRAM whose parameter is that row; and the entry NAME for those without a row. With
# MODULES only of the rows that match OF_MODULES, otherwise all the rest.
execute_process(COMMAND ${PROGRAM} --gtest_list_tests
  OUTPUT_VARIABLE listing COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "\n  [A-Za-z]+/[a-z0-9_]+" tests "${listing}")
list(TRANSFORM tests REPLACE ".*/" "" OUTPUT_VARIABLE rows)
list(REMOVE_DUPLICATES rows)

set(text "")
function(add_entry name filter)
  # Further arguments are properties.
  string(REPLACE ";" " " properties "${ARGN}")
  string(APPEND text
    "add_test([[${name}]] [[${PROGRAM}]] [[--gtest_filter=${filter}]] --gtest_brief=1)\n"
    "set_tests_properties([[${name}]] PROPERTIES "
    "TIMEOUT 600 SKIP_RETURN_CODE 77 ${properties})\n")
  set(text "${text}" PARENT_SCOPE)
endfunction()

foreach(row IN LISTS rows)
  if((row MATCHES "${OF_MODULES}" AND NOT MODULES) OR (MODULES AND NOT row MATCHES "${OF_MODULES}"))
    continue()
  endif()
  # An end that spins wants a processor, and its peer another one: without them each message takes
  # some milliseconds.
  set(properties "")
  if(row MATCHES "spin|mpmc$|seqlock")
    list(APPEND properties PROCESSORS 2)
  endif()
  # The bytes in POSIX queues are limited for each user, in all namespaces together.
  if(row MATCHES "^posix_mq")
    list(APPEND properties RESOURCE_LOCK posix_mq)
  endif()
  add_entry(${NAME}.${row} "*/${row}:-*.Spins/*" ${properties})
endforeach()
if(listing MATCHES "  Spins/" AND NOT MODULES)
  add_entry(${NAME}.Spins "*.Spins/*" PROCESSORS 2 RESOURCE_LOCK posix_mq)
endif()
if(listing MATCHES "\n  [A-Za-z]+\n" AND NOT MODULES)
  add_entry(${NAME} "-*/*")
endif()
file(WRITE ${OUTPUT} "${text}")
