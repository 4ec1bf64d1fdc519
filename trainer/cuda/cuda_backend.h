// Trainings and predictions on a GPU.
#pragma once

#include "trainer/backend.h"

namespace expctl::cuda {

/// That of the first GPU which CUDA shows. Throws Error where there is none, or it is older than sm_80.
const Backend& backend();

}  // namespace expctl::cuda
