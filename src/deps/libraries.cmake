# Third-party libraries, each an interface target dep_<what> with SYSTEM includes, so that our warnings stop at our code.
# docs/design/building.md says why each was chosen. Debian's packages; js/dev/setup.mjs installs them.

# orch_header(<target> <header> <package>): an interface library for a header-only package.
function(orch_header target header package)
  string(MAKE_C_IDENTIFIER "${header}" cache)
  find_path(${cache}_DIR "${header}")
  if(NOT ${cache}_DIR)
    message(FATAL_ERROR "${header} is not installed. On Debian: apt-get install ${package}")
  endif()
  add_library(${target} INTERFACE)
  target_include_directories(${target} SYSTEM INTERFACE "${${cache}_DIR}")
endfunction()

# orch_archive(<target> <archive> <header> <package>): the same with a static library.
function(orch_archive target archive header package)
  orch_header(${target} "${header}" "${package}")
  string(MAKE_C_IDENTIFIER "${archive}" cache)
  find_library(${cache}_FILE "${archive}")
  if(NOT ${cache}_FILE)
    message(FATAL_ERROR "${archive} is not installed. On Debian: apt-get install ${package}")
  endif()
  target_link_libraries(${target} INTERFACE "${${cache}_FILE}" ${ARGN})
endfunction()

orch_header(dep_json nlohmann/json.hpp nlohmann-json3-dev)
orch_header(dep_crc boost/crc.hpp libboost-dev)
orch_archive(dep_blake2 libb2.a blake2.h libb2-dev)
orch_archive(dep_uv libuv_a.a uv.h libuv1-dev ${CMAKE_DL_LIBS} rt)

# spdlog's own CMake target drags in libfmt.so: the headers alone do.
orch_header(dep_spdlog spdlog/spdlog.h libspdlog-dev)
orch_header(dep_fmt fmt/core.h libfmt-dev)
target_link_libraries(dep_spdlog INTERFACE dep_fmt)
target_compile_definitions(dep_spdlog INTERFACE
  FMT_HEADER_ONLY SPDLOG_FMT_EXTERNAL SPDLOG_DISABLE_DEFAULT_LOGGER)

set(ORCH_NPM "${PROJECT_SOURCE_DIR}/src/deps/node_modules")
if(NOT EXISTS "${ORCH_NPM}/node-addon-api/napi.h" OR
   NOT EXISTS "${ORCH_NPM}/node-api-headers/include/node_api.h")
  message(FATAL_ERROR "src/deps/node_modules is missing. Run: npm ci --ignore-scripts --prefix src/deps")
endif()
add_library(dep_napi INTERFACE)
target_include_directories(dep_napi SYSTEM INTERFACE
  "${ORCH_NPM}/node-addon-api" "${ORCH_NPM}/node-api-headers/include")
