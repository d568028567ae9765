# One GoogleTest executable for each layer, from tests/<layer>/**/*_test.cc, tests/<layer>/support/*.cc and tests/support/*.cc; and, beside the
# shipped addon, orchestrator_echo.node: the same binding code around an echo instead of a mission (tests/node).
find_package(GTest REQUIRED)
include(GoogleTest)

file(GLOB support CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/support/*.cc")
if(support)
  add_library(test_support STATIC ${support})
  target_link_libraries(test_support PUBLIC orch_runtime GTest::gtest)
  target_include_directories(test_support PUBLIC "${PROJECT_SOURCE_DIR}/tests")
else()
  add_library(test_support INTERFACE)
  target_link_libraries(test_support INTERFACE orch_runtime GTest::gtest)
  target_include_directories(test_support INTERFACE "${PROJECT_SOURCE_DIR}/tests")
endif()

# Where tests find programs of this checkout that they start.
get_target_property(kind test_support TYPE)
if(kind STREQUAL "INTERFACE_LIBRARY")
  target_compile_definitions(test_support INTERFACE ORCH_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
else()
  target_compile_definitions(test_support PUBLIC ORCH_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endif()

# Sanitizers take several times as long.
set(test_seconds 120)
if(ORCH_SANITIZE)
  set(test_seconds 900)
endif()

foreach(layer base os core codec store syntax lsp engine runtime sim)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/${layer}/*_test.cc"
    "${PROJECT_SOURCE_DIR}/tests/${layer}/support/*.cc")
  if(sources)
    add_executable(${layer}_test ${sources})
    target_link_libraries(${layer}_test PRIVATE test_support GTest::gtest_main orch_sim)
    target_compile_definitions(${layer}_test PRIVATE ORCH_TESTS_DIR="${PROJECT_SOURCE_DIR}/tests")
    set_target_properties(${layer}_test PROPERTIES ORCH_IS_TEST TRUE)
    # The linker takes the tests' copies of the templates that they share with the core: whole missions run on them.
    if(layer MATCHES "core|sim|syntax")
      orch_quick_to_compile(${layer}_test -O1)
    else()
      orch_quick_to_compile(${layer}_test -O0)
    endif()
    gtest_discover_tests(${layer}_test TEST_PREFIX "${layer}." DISCOVERY_MODE PRE_TEST
      PROPERTIES TIMEOUT ${test_seconds})
  endif()
endforeach()

orch_unity(base_test 6)
orch_unity(os_test 4)
orch_unity(core_test 6)
orch_unity(runtime_test 5)
orch_unity(lsp_test 5)
orch_unity(syntax_test 8)

# Native programs that `npm run bench` runs; built only when they are named.
file(GLOB benches CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/bench/*_bench.cc")
foreach(source IN LISTS benches)
  get_filename_component(bench "${source}" NAME_WE)
  add_executable(${bench} EXCLUDE_FROM_ALL "${source}")
  target_link_libraries(${bench} PRIVATE orch_runtime)
endforeach()

# For `npm run mutate`, which builds it by its name.
add_executable(mutation_sites EXCLUDE_FROM_ALL "${PROJECT_SOURCE_DIR}/tests/mutate/mutation_sites.cc")
target_link_libraries(mutation_sites PRIVATE orch_syntax dep_json)

if(NOT ORCH_FUZZ)
  orch_addon(orchestrator_echo "${PROJECT_SOURCE_DIR}/tests/node/echo_factory.cc")
  find_program(NM nm)
  if(NM AND NOT ORCH_SANITIZE AND NOT ORCH_COVERAGE)
    add_test(NAME node.exports COMMAND ${CMAKE_COMMAND} -DNM=${NM}
      -DADDON=$<TARGET_FILE:orchestrator> -P "${PROJECT_SOURCE_DIR}/tests/node/check_exports.cmake")
  endif()
endif()
