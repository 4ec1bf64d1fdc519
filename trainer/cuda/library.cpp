// What expctl-train looks for in the library (trainer/cuda_library.h).
#include "trainer/cuda/cuda_backend.h"

extern "C" const expctl::Backend* expctl_cuda_backend() {
  return &expctl::cuda::backend();
}
