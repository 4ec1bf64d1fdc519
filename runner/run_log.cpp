#include "runner/run_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/files.h"

namespace expctl {

void cap_log(const std::filesystem::path& log, int64_t largest) {
  constexpr int64_t kKept = int64_t{1} << 20;
  std::error_code none;
  const int64_t size = file_bytes(log);
  if (size <= largest) return;
  const int64_t kept = std::min(kKept, largest / 4);
  const std::string end = file_tail(log, 0, kept);
  std::filesystem::resize_file(log, static_cast<uintmax_t>(kept), none);
  if (none) return;
  std::ofstream(log, std::ios::binary | std::ios::app)
      << fmt::format("\n... expctl: {} bytes are left out here, for the log has grown beyond {} ...\n",
                     size - 2 * kept, largest)
      << end;
}

bool says_out_of_memory(std::string_view tail) {
  constexpr std::string_view kWords[] = {
      "CUDA out of memory", "OutOfMemoryError", "CUDA_ERROR_OUT_OF_MEMORY", "CUBLAS_STATUS_ALLOC_FAILED",
      "MemoryError",        "std::bad_alloc",   "Cannot allocate memory"};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view words) { return tail.find(words) != std::string_view::npos; });
}

}  // namespace expctl
