// Feeds every file of a folder to one fuzz target, in a build without libFuzzer. Usage: replay_TARGET FOLDER
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <vector>

#include "core/files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);

namespace {
namespace fs = std::filesystem;

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void feed(const fs::path& file) {
  // Said before, so that a crash has a name; a vector of the exact size, so that reading past it is seen.
  std::fprintf(stderr, "%s\n", file.filename().c_str());
  const std::string text = expctl::read_file(file);
  const std::vector<uint8_t> bytes(text.begin(), text.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const auto files = files_of(argv[1]);
    for (const auto& file : files) feed(file);
    std::printf("%zu inputs\n", files.size());
    return files.empty() ? 1 : 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "escaped: %s\n", e.what());
    return 1;
  }
}
