// trainer/kernels/launch.cuh for an emulated GPU.
#pragma once

#include "tests/emulated_gpu/stream.h"
#include "trainer/kernels/cuda_check.h"

namespace expctl::cuda {

template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t stream,
            const Arguments&... arguments) {
  check(emulated_gpu::launch(grid, block, stream,
                             [kernel, ... own = static_cast<Parameters>(arguments)] { kernel(own...); }));
}

}  // namespace expctl::cuda
