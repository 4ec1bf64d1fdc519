# expctl_library(NAME [USES folder...] [PUBLIC lib...] [PRIVATE lib...])
#
# One folder is one static library expctl_NAME made of every .cpp in it but main.cpp. USES names the folders it may include
# (tests/structure checks the #includes against the same table); outside libraries go under PRIVATE, so that none of them
# leaks into the headers that another folder reads.
add_library(expctl_flags INTERFACE)
target_compile_options(expctl_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
# g++ 12 reports overlaps inside std::string's own operator+ (GCC bug 105329).
target_compile_options(expctl_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(EXPCTL_WERROR)
  target_compile_options(expctl_flags INTERFACE -Werror)
endif()
if(EXPCTL_SANITIZE)
  add_compile_options(-fsanitize=${EXPCTL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${EXPCTL_SANITIZE})
endif()

function(expctl_library NAME)
  cmake_parse_arguments(ARG "" "" "USES;PUBLIC;PRIVATE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  add_library(expctl_${NAME} STATIC ${sources})
  target_include_directories(expctl_${NAME} PUBLIC ${CMAKE_SOURCE_DIR})
  list(TRANSFORM ARG_USES PREPEND expctl_)
  target_link_libraries(expctl_${NAME} PUBLIC ${ARG_USES} ${ARG_PUBLIC} PRIVATE expctl_flags ${ARG_PRIVATE})
endfunction()
