#include "cli/output_file.h"

#include <fmt/core.h>

#include "core/error.h"
#include "core/files.h"

namespace expctl {

void write_output(const std::filesystem::path& file, std::string_view text, std::string_view mark) {
  if (std::filesystem::is_regular_file(file)) {
    const std::string there = read_file(file);
    if (!there.empty() && there.find(mark) == std::string::npos)
      throw Error(fmt::format("{} is there already, and this command has not made it", file.string()),
                  "name another file, or delete it first");
  }
  write_file(file, text);
}

}  // namespace expctl
