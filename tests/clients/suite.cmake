# Suites in Node against the real programs. rollcall_suite(<suite> <seconds> [LABELS …]): every
# <suite>/*.test.mjs of this folder is a test of its own.
find_program(ROLLCALL_NODE node)

function(rollcall_suite suite seconds)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.test.mjs)
  foreach(source ${tests})
    string(REGEX REPLACE "\\.test\\.mjs$" "" name ${source})
    get_filename_component(name ${name} NAME)
    add_test(NAME ${suite}/${name} COMMAND ${ROLLCALL_NODE} --test ${source})
    set_tests_properties(${suite}/${name} PROPERTIES
      TIMEOUT ${seconds} LABELS "${suite};${ARGN}" ENVIRONMENT "${rollcall_suite_environment}")
  endforeach()
endfunction()

set(rollcall_suite_environment "ROLLCALL_BIN_DIR=${CMAKE_BINARY_DIR}/bin")
if(NOT CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  # The programs have the places of proto/base/fault.h.
  list(APPEND rollcall_suite_environment "ROLLCALL_FAULT_POINTS=1")
endif()
if(ROLLCALL_SANITIZE)
  list(APPEND rollcall_suite_environment "ROLLCALL_SANITIZED=1")
endif()
