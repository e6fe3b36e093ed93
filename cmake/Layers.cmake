# SPDX-License-Identifier: LGPL-2.1-or-later
# Folder = library = namespace. cgm_layer() names what a folder may include; tests/layers_test.py reads the same lines
# and fails on an #include that is not allowed here. Arrows point down only.

# cgm_layer(<folder> [USES <folder>...] [LINKS <target>...]): the static library cgm_<folder> of src/<folder>/*.cpp.
function(cgm_layer name)
  cmake_parse_arguments(ARG "" "" "USES;LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.cpp")
  add_library(cgm_${name} STATIC ${sources})
  target_include_directories(cgm_${name} PUBLIC "${CMAKE_SOURCE_DIR}/src")
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(cgm_${name} PUBLIC cgm_${used})
  endforeach()
  target_link_libraries(cgm_${name} PUBLIC ${ARG_LINKS})
endfunction()

# cgm_program(<name> USES <folder>... [LINKS <target>...]): the program of src/<name>/*.cpp, libstdc++ linked statically.
function(cgm_program name)
  cmake_parse_arguments(ARG "" "" "USES;LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.cpp")
  add_executable(${name} ${sources})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/src")
  target_compile_definitions(${name} PRIVATE CGM_VERSION="${CGM_VERSION}")
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(${name} PRIVATE cgm_${used})
  endforeach()
  target_link_libraries(${name} PRIVATE ${ARG_LINKS})
  if(NOT CGM_SANITIZE AND NOT CGM_FUZZ)
    target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc)
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
endfunction()
