#include "core/replace_folder.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <cerrno>
#include <cstdio>

#include "core/error.h"

namespace expctl {
namespace fs = std::filesystem;

void replace_folder(const fs::path& folder, const fs::path& target) {
  int failed = -1;
  if (!fs::exists(target)) {
    failed = ::rename(folder.c_str(), target.c_str());
  } else {
    failed = ::renameat2(AT_FDCWD, folder.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE);
    if (failed != 0 && (errno == EINVAL || errno == ENOSYS)) {  // NFS and others cannot do it in one step
      fs::remove_all(target);
      failed = ::rename(folder.c_str(), target.c_str());
    }
  }
  if (failed != 0) throw errno_error(fmt::format("cannot make {}", target.string()), errno);
}

}  // namespace expctl
