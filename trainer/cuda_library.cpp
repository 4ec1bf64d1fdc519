#include "trainer/cuda_library.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include <filesystem>

#include "core/error.h"

namespace expctl {
namespace {

constexpr const char* kFile = "libexpctl_cuda.so";

/// Beside the program, or where an installation has it.
std::filesystem::path library_file() {
  const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  for (const auto& file : {program / kFile, program / "../lib/expctl" / kFile}) {
    if (std::filesystem::exists(file)) return file;
  }
  throw Error("this build of expctl-train computes on the CPU only",
              "build it where nvcc is found (docs/gpu.md), or set gpus = 0");
}

}  // namespace

const Backend& cuda_backend() {
  const auto file = library_file();
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) {
    throw Error(fmt::format("{} does not load: {}", file.string(), dlerror()),
                "it needs the CUDA libraries that come with LibTorch's wheel");
  }
  using Function = const Backend& (*)();
  const auto backend = reinterpret_cast<Function>(dlsym(library, "expctl_cuda_backend"));
  if (backend == nullptr) throw Error(fmt::format("{} is no library of expctl-train", file.string()));
  return backend();
}

}  // namespace expctl
