# tree-sitter: the core (ABI 13 to 15) and 14 grammars, all from npm packages, compiled once, without our warnings,
# without sanitizers, always -O2. A grammar's entry point is `const TSLanguage* tree_sitter_<name>(void)`.
set(ts_core "${ORCH_NPM}/tree-sitter-core/vendor/tree-sitter/lib")

set(grammar_dirs
  tree-sitter-bash tree-sitter-c tree-sitter-c-sharp tree-sitter-cpp tree-sitter-go tree-sitter-java
  tree-sitter-javascript tree-sitter-json tree-sitter-php/php tree-sitter-python tree-sitter-ruby
  tree-sitter-rust tree-sitter-typescript/typescript tree-sitter-typescript/tsx)

add_library(orch_grammars STATIC "${ts_core}/src/lib.c")
foreach(dir IN LISTS grammar_dirs)
  set(src "${ORCH_NPM}/${dir}/src")
  if(NOT EXISTS "${src}/parser.c")
    message(FATAL_ERROR "${src}/parser.c is missing. Run: npm ci --ignore-scripts --prefix src/deps")
  endif()
  target_sources(orch_grammars PRIVATE "${src}/parser.c")
  set_source_files_properties("${src}/parser.c" PROPERTIES INCLUDE_DIRECTORIES "${src}")
  if(EXISTS "${src}/scanner.c")
    target_sources(orch_grammars PRIVATE "${src}/scanner.c")
    set_source_files_properties("${src}/scanner.c" PROPERTIES INCLUDE_DIRECTORIES "${src}")
  endif()
endforeach()
target_include_directories(orch_grammars PRIVATE "${ts_core}/src" "${ts_core}/include")
target_compile_definitions(orch_grammars PRIVATE TREE_SITTER_HIDE_SYMBOLS _POSIX_C_SOURCE=200112L _DEFAULT_SOURCE)
target_compile_options(orch_grammars PRIVATE -w -O2 -ffunction-sections -fdata-sections)

add_library(dep_tree_sitter INTERFACE)
target_include_directories(dep_tree_sitter SYSTEM INTERFACE "${ts_core}/include")
target_link_libraries(dep_tree_sitter INTERFACE orch_grammars)
