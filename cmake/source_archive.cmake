# share/expctl/source.tar.gz in the build folder: this program's own source, for the submission. Remade when HEAD moves or a tracked file changes; where
# there is no git checkout (an unpacked source archive), the tree itself is packed.
set(EXPCTL_SOURCE_ARCHIVE ${CMAKE_BINARY_DIR}/share/expctl/source.tar.gz)
add_custom_target(expctl_source_archive ALL
  BYPRODUCTS ${EXPCTL_SOURCE_ARCHIVE}
  COMMAND ${CMAKE_COMMAND} -DOUT=${EXPCTL_SOURCE_ARCHIVE} -DSOURCE=${CMAKE_SOURCE_DIR} -DGIT=${GIT_EXECUTABLE}
          -P ${CMAKE_SOURCE_DIR}/cmake/write_source_archive.cmake)
