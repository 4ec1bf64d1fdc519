// environment.json: on what machine and by which program an attempt was made.
#pragma once

#include "core/request.h"

namespace expctl {

/// What is known without LibTorch: host, CPU, the NVIDIA driver (null where there is none), the devices and
/// threads of the request, expctl's version, the git commit of the sweep file.
Json environment_of(const WorkerRequest& request);

}  // namespace expctl
