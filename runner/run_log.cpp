#include "runner/run_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace expctl {
namespace {
namespace fs = std::filesystem;

std::string read_at(std::ifstream& file, int64_t offset, int64_t bytes) {
  std::string text(static_cast<size_t>(bytes), '\0');
  file.seekg(offset);
  file.read(text.data(), bytes);
  text.resize(static_cast<size_t>(file.gcount()));
  file.clear();
  return text;
}

}  // namespace

void cap_log(const fs::path& log, int64_t largest) {
  constexpr int64_t kKept = int64_t{1} << 20;
  std::error_code none;
  const int64_t size = log_size(log);
  if (size <= largest) return;
  const int64_t kept = std::min(kKept, largest / 4);
  std::ifstream file(log, std::ios::binary);
  const std::string end = read_at(file, size - kept, kept);
  fs::resize_file(log, static_cast<uintmax_t>(kept), none);
  if (none) return;
  std::ofstream(log, std::ios::binary | std::ios::app)
      << fmt::format("\n... expctl: {} bytes are left out here, for the log has grown beyond {} ...\n",
                     size - 2 * kept, largest)
      << end;
}

int64_t log_size(const fs::path& log) {
  std::error_code none;
  const auto size = static_cast<int64_t>(fs::file_size(log, none));
  return none ? 0 : size;
}

std::string log_tail(const fs::path& log, int64_t begin, int64_t bytes) {
  const int64_t size = log_size(log);
  const int64_t first = std::max({int64_t{0}, std::min(begin, size), size - bytes});
  if (first == size) return {};
  std::ifstream file(log, std::ios::binary);
  return read_at(file, first, size - first);
}

bool says_out_of_memory(std::string_view tail) {
  constexpr std::string_view kWords[] = {
      "CUDA out of memory", "OutOfMemoryError", "CUDA_ERROR_OUT_OF_MEMORY", "CUBLAS_STATUS_ALLOC_FAILED",
      "MemoryError",        "std::bad_alloc",   "Cannot allocate memory"};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view words) { return tail.find(words) != std::string_view::npos; });
}

}  // namespace expctl
