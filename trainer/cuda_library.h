// The CUDA path (trainer/cuda) is a library of its own, loaded where a run has GPUs: a run on the CPU neither
// loads CUDA nor waits for it.
#pragma once

#include "trainer/backend.h"

namespace expctl {

/// That of the first GPU in CUDA_VISIBLE_DEVICES. Throws Error where the library was not built, or there is
/// no GPU that it can use.
const Backend& cuda_backend();

}  // namespace expctl
