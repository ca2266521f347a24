# Every target of the project is made here, so that warnings, sanitizers and include paths are the same everywhere.

add_library(retromass_flags INTERFACE)
target_compile_options(retromass_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -Wno-missing-field-initializers)  # a designated initializer leaves the rest to the defaults on purpose
target_include_directories(retromass_flags INTERFACE "${PROJECT_SOURCE_DIR}")
if(RETROMASS_SANITIZE)
  target_compile_options(retromass_flags INTERFACE -fsanitize=${RETROMASS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  target_link_options(retromass_flags INTERFACE -fsanitize=${RETROMASS_SANITIZE})
endif()
if(RETROMASS_FUZZ)
  target_compile_options(retromass_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# retromass_room(NAME SOURCES file... [PUBLIC target...] [PRIVATE target...]): the static library retromass_NAME.
function(retromass_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(retromass_${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(retromass_${name} PUBLIC retromass_flags ${ROOM_PUBLIC} PRIVATE ${ROOM_PRIVATE})
endfunction()

# retromass_test(NAME SOURCES file... LIBS target... [LABELS label...] [TIMEOUT s]): a GoogleTest program; each of its tests is a ctest.
function(retromass_test name)
  cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;LIBS;LABELS" ${ARGN})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  math(EXPR TEST_TIMEOUT "${TEST_TIMEOUT} * ${RETROMASS_SLOWER}")
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE retromass_flags ${TEST_LIBS} GTest::gmock GTest::gtest_main)
  # One label of all, joined: a list would be taken apart on its way to the tests, and `ctest -L` matches parts of a label.
  list(JOIN TEST_LABELS "+" label)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES LABELS "${label}" TIMEOUT ${TEST_TIMEOUT})
  target_compile_definitions(${name} PRIVATE RETROMASS_DATA_FOLDER="${RETROMASS_DATA}" RETROMASS_VECTORS_FOLDER="${RETROMASS_RESPONSE_VECTORS}")
endfunction()
