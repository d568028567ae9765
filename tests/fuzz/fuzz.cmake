# One fuzz target for each tests/fuzz/*.cc. With ORCH_FUZZ: a libFuzzer program of that name. Else: the same target behind a plain
# driver that any compiler builds, run by CTest over the kept corpus and every input that ever made it fail: under sanitizers alone,
# which see more.
file(GLOB fuzz_support CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/fuzz/support/*.cc")
list(FILTER fuzz_support EXCLUDE REGEX "(plain_driver|make_seeds)\\.cc$")
add_library(fuzz_support STATIC EXCLUDE_FROM_ALL ${fuzz_support})
target_link_libraries(fuzz_support PUBLIC orch_runtime)
target_include_directories(fuzz_support PUBLIC "${PROJECT_SOURCE_DIR}/tests")

if(ORCH_TESTS AND ORCH_SANITIZE AND NOT ORCH_FUZZ)
  add_library(plain_driver OBJECT "${PROJECT_SOURCE_DIR}/tests/fuzz/support/plain_driver.cc")
  target_link_libraries(plain_driver PRIVATE orch_options)
endif()

file(GLOB fuzzers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/fuzz/*.cc")
foreach(source IN LISTS fuzzers)
  get_filename_component(fuzzer "${source}" NAME_WE)
  if(ORCH_FUZZ)
    add_executable(${fuzzer} "${source}")
    target_link_libraries(${fuzzer} PRIVATE fuzz_support)
    target_link_options(${fuzzer} PRIVATE -fsanitize=fuzzer)
  elseif(ORCH_TESTS AND ORCH_SANITIZE)
    add_executable(${fuzzer}_corpus "${source}")
    target_link_libraries(${fuzzer}_corpus PRIVATE fuzz_support plain_driver)
    set(inputs "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${fuzzer}")
    if(EXISTS "${PROJECT_SOURCE_DIR}/tests/fuzz/crashes/${fuzzer}")
      list(APPEND inputs "${PROJECT_SOURCE_DIR}/tests/fuzz/crashes/${fuzzer}")
    endif()
    add_test(NAME fuzz.${fuzzer} COMMAND ${fuzzer}_corpus ${inputs})
    set_tests_properties(fuzz.${fuzzer} PROPERTIES TIMEOUT 120)
  endif()
endforeach()

# Raw seeds for the corpora, by hand: `cmake --build … --target fuzz_seeds && fuzz_seeds <directory>`.
if(ORCH_TESTS)
  add_executable(fuzz_seeds EXCLUDE_FROM_ALL "${PROJECT_SOURCE_DIR}/tests/fuzz/support/make_seeds.cc"
    "${PROJECT_SOURCE_DIR}/tests/core/support/fake_host.cc")
  target_link_libraries(fuzz_seeds PRIVATE test_support GTest::gtest)
endif()
