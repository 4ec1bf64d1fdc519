# The build id (git commit, or "unknown" outside a checkout) is written at build time into one generated source file, so
# that a new commit recompiles that file alone.
find_package(Git QUIET)
set(EXPCTL_BUILD_INFO ${CMAKE_BINARY_DIR}/generated/build_info.cpp)
add_custom_target(expctl_build_info
  BYPRODUCTS ${EXPCTL_BUILD_INFO}
  COMMAND ${CMAKE_COMMAND} -DOUT=${EXPCTL_BUILD_INFO} -DSOURCE=${CMAKE_SOURCE_DIR} -DGIT=${GIT_EXECUTABLE}
          -DVERSION=${PROJECT_VERSION} -P ${CMAKE_SOURCE_DIR}/cmake/write_build_info.cmake)
