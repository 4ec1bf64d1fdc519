// Starting a kernel. The tests have another of this header, which runs it on a CPU (tests/emulated_gpu).
#pragma once

#include "trainer/kernels/cuda_check.h"

namespace expctl::cuda {

/// kernel(arguments...) by grid.x * grid.y * grid.z blocks of `block` threads each, when the stream comes to
/// it. Throws where the launch is refused.
template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t stream,
            const Arguments&... arguments) {
  kernel<<<grid, block, 0, stream>>>(arguments...);
  check(cudaGetLastError());
}

}  // namespace expctl::cuda
