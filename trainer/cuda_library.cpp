#include "trainer/cuda_library.h"

#include "trainer/plugin.h"

namespace expctl {

const Backend& cuda_backend() {
  static const Plugin plugin{"libexpctl_cuda.so",
                             Error("this build of expctl-train computes on the CPU only",
                                   "build it where nvcc is found (docs/gpu.md), or set gpus = 0"),
                             "it needs the CUDA libraries that come with LibTorch's wheel"};
  using Function = const Backend* (*)();
  return *reinterpret_cast<Function>(plugin_function(plugin, "expctl_cuda_backend"))();
}

}  // namespace expctl
