# orchestrator.node: every layer in one shared object that needs libc alone, exports the two Node-API entry points
# and hides its own libuv (Bun has none; Node's is another version).
file(GLOB node_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/node/*.cc")
list(FILTER node_sources EXCLUDE REGEX "/factory\\.cc$")
add_library(orch_node OBJECT ${node_sources})
target_link_libraries(orch_node PUBLIC orch_runtime dep_napi)
set_target_properties(orch_node PROPERTIES CXX_CLANG_TIDY "${ORCH_CLANG_TIDY}")
target_compile_definitions(orch_node PRIVATE
  NAPI_VERSION=8 NODE_ADDON_API_DISABLE_DEPRECATED NAPI_DISABLE_CPP_EXCEPTIONS
  NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS)

# orch_addon(<target> <factory.cc>): the addon around one way of making a directory's mission logic.
function(orch_addon target factory)
  add_library(${target} MODULE "${factory}" "${PROJECT_SOURCE_DIR}/src/deps/uv_shim.c")
  target_link_libraries(${target} PRIVATE orch_node)
  set_target_properties(${target} PROPERTIES PREFIX "" SUFFIX ".node"
    LINK_DEPENDS "${PROJECT_SOURCE_DIR}/src/deps/exports.map")
  target_link_options(${target} PRIVATE
    -Wl,--exclude-libs,ALL -Wl,-Bsymbolic -Wl,--gc-sections -Wl,-z,now -Wl,-z,relro
    -Wl,-z,nodelete  # a Worker's end would unmap code that leaked singletons and pool threads still need
    "-Wl,--version-script=${PROJECT_SOURCE_DIR}/src/deps/exports.map")
  if(NOT ORCH_SANITIZE)
    target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc $<$<CONFIG:Release>:-s>)
  endif()
endfunction()

if(NOT ORCH_FUZZ)
  orch_addon(orchestrator "${PROJECT_SOURCE_DIR}/src/node/factory.cc")
endif()
