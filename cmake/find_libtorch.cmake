# Imported target for LibTorch: torch::cpu. Its CUDA part is not used: the CUDA path has its own kernels.
#
# find_package(Torch) of the CUDA wheel stops on a machine without nvcc, so the libraries are imported by hand. They are
# looked for in CMAKE_PREFIX_PATH (a libtorch folder), then in the wheel inside EXPCTL_VENV.
set(EXPCTL_VENV "${CMAKE_SOURCE_DIR}/.venv" CACHE PATH "Python virtual environment with torch==2.11.0")
file(GLOB EXPCTL_WHEEL_TORCH ${EXPCTL_VENV}/lib/python3*/site-packages/torch)

find_path(TORCH_INCLUDE_DIR torch/csrc/api/include/torch/torch.h
          HINTS ${CMAKE_PREFIX_PATH} ${EXPCTL_WHEEL_TORCH} PATH_SUFFIXES include NO_DEFAULT_PATH)
find_library(TORCH_CPU_LIBRARY torch_cpu
             HINTS ${CMAKE_PREFIX_PATH} ${EXPCTL_WHEEL_TORCH} PATH_SUFFIXES lib NO_DEFAULT_PATH)
if(NOT TORCH_INCLUDE_DIR OR NOT TORCH_CPU_LIBRARY)
  message(FATAL_ERROR "LibTorch was not found. Run scripts/setup.sh, or give its folder with -DCMAKE_PREFIX_PATH=DIR, "
                      "or build without the trainer with -DEXPCTL_TORCH=OFF.")
endif()
get_filename_component(TORCH_LIB_DIR ${TORCH_CPU_LIBRARY} DIRECTORY)

function(expctl_import_torch TARGET FILE)
  add_library(${TARGET} SHARED IMPORTED GLOBAL)
  set_target_properties(${TARGET} PROPERTIES IMPORTED_LOCATION ${TORCH_LIB_DIR}/lib${FILE}.so)
  # After the system's folders: the wheel carries headers of another fmt, whose library is not there to link.
  target_compile_options(${TARGET} INTERFACE "SHELL:-idirafter ${TORCH_INCLUDE_DIR}"
                                             "SHELL:-idirafter ${TORCH_INCLUDE_DIR}/torch/csrc/api/include")
endfunction()
expctl_import_torch(torch::c10 c10)
expctl_import_torch(torch::cpu torch_cpu)
target_link_libraries(torch::cpu INTERFACE torch::c10)
# The CUDA runtime that libtorch_cpu itself needs lies in sibling wheels that only its own RPATH knows.
target_link_options(torch::cpu INTERFACE -Wl,--allow-shlib-undefined)
