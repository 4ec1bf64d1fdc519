// What this machine is called and has.
#pragma once

#include <optional>
#include <string>

namespace expctl {

/// As environment.json has it.
std::string host_name();

/// "unknown CPU" where the system does not say.
std::string cpu_name();

/// The version line of the NVIDIA driver; nothing where there is none.
std::optional<std::string> nvidia_driver();

}  // namespace expctl
