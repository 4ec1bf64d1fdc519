# Packs the files of SOURCE that git tracks, as they are now, into OUT, below expctl/. A clean checkout is packed once a commit.
# Without git: the tree but for build folders, virtual environments and runs.
get_filename_component(folder ${OUT} DIRECTORY)
file(MAKE_DIRECTORY ${folder})
set(commit "")
if(GIT AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse HEAD OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  execute_process(COMMAND ${GIT} -C ${SOURCE} status --porcelain --untracked-files=no OUTPUT_VARIABLE changes ERROR_QUIET)
endif()
if(EXISTS ${OUT}.commit)
  file(READ ${OUT}.commit packed)
endif()
if(EXISTS ${OUT} AND commit AND NOT changes AND "${packed}" STREQUAL "${commit}")
  return()
endif()
# S: names are put below expctl/, what symbolic links point to is not.
set(pack tar -C ${SOURCE} --transform=s,^,expctl/,S --ignore-failed-read -czf ${OUT})
if(commit)
  execute_process(COMMAND ${GIT} -C ${SOURCE} ls-files -z
                  COMMAND ${pack} --null --verbatim-files-from --files-from=- RESULTS_VARIABLE results ERROR_VARIABLE errors)
else()
  execute_process(COMMAND ${pack} --exclude-vcs --exclude=./build --exclude=./.venv --exclude=./runs .
                  RESULTS_VARIABLE results ERROR_VARIABLE errors)
endif()
if(NOT "${results}" MATCHES "^(0;)?[01]$")  # tar's 1: a file changed while it was read
  file(REMOVE ${OUT})
  message(FATAL_ERROR "source archive: ${results}: ${errors}")
endif()
if(changes)
  set(commit "")
endif()
file(WRITE ${OUT}.commit "${commit}")
