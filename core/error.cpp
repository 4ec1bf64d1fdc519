#include "core/error.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstring>

namespace expctl {

Error errno_error(const std::string& what, int error_number) {
  const bool missing = error_number == ENOENT;
  return Error(fmt::format("{}: {}", what, std::strerror(error_number)), missing ? "check the path" : "",
               missing ? ErrorCode::kNotFound : ErrorCode::kError);
}

}  // namespace expctl
