// A file of the source tree that is compiled in (cmake/embed_files.cmake).
#pragma once

#include <string_view>
#include <vector>

namespace expctl {

struct EmbeddedFile {
  std::string_view name;  ///< without its folder
  std::string_view content;
};

}  // namespace expctl
