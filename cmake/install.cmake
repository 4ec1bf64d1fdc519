# cmake --install: the programs find each other and what they need by places relative to themselves, so that the folder can be
# moved (LibTorch's cannot).
install(TARGETS expctl RUNTIME DESTINATION bin)
install(FILES ${EXPCTL_SOURCE_ARCHIVE} DESTINATION share/expctl)
# The manual page says what --help does: the program itself prints it.
set(man_page ${CMAKE_BINARY_DIR}/share/man/man1/expctl.1)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/share/man/man1)
add_custom_command(OUTPUT ${man_page} COMMAND $<TARGET_FILE:expctl> man > ${man_page}.tmp
                   COMMAND ${CMAKE_COMMAND} -E rename ${man_page}.tmp ${man_page} DEPENDS expctl VERBATIM)
add_custom_target(expctl_man_page ALL DEPENDS ${man_page})
install(FILES ${man_page} DESTINATION share/man/man1)
set(outside_folders ${TORCH_LIB_DIR})
if(EXPCTL_CUDA)
  get_filename_component(nccl_folder ${NCCL_LIBRARY} DIRECTORY)
  list(APPEND outside_folders ${nccl_folder} ${CUDAToolkit_LIBRARY_DIR})
endif()
foreach(target IN ITEMS expctl-train expctl_cuda expctl_mpi)
  if(TARGET ${target})
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "${outside_folders}")
    install(TARGETS ${target} RUNTIME DESTINATION libexec/expctl LIBRARY DESTINATION libexec/expctl)
  endif()
endforeach()
