// A Python that has a package.
#pragma once

#include <cstdlib>

#include "tests/support/support.h"

namespace expctl::test {

/// The virtual environment's Python where it has the package, else "".
inline std::string python_with(const std::string& package) {
  const char* set = std::getenv("EXPCTL_VENV");
  const std::filesystem::path python =
      (set != nullptr ? std::filesystem::path(set) : source_dir() / ".venv") / "bin/python";
  if (!std::filesystem::exists(python)) return "";
  return run_program({python.string(), "-c", "import " + package}).exit_code == 0 ? python.string() : "";
}

}  // namespace expctl::test
