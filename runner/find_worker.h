// Where the worker program expctl-train lies.
#pragma once

#include <filesystem>

namespace expctl {

/// Beside `self` (this program's path), then in ../libexec/expctl, then what EXPCTL_TRAIN says. Throws Error
/// (kNotFound) that names the places.
std::filesystem::path find_worker(const std::filesystem::path& self);

/// Whether that worker was built to compute on GPUs, too: its library for them lies beside it
/// (trainer/cuda_library.h). "": no.
bool computes_on_gpus(const std::filesystem::path& worker);

}  // namespace expctl
