// inference_stats.json of an ensemble: its inference is its members', one after the other.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"

namespace expctl {

/// From each member's name and folder; the precision is what they have in common ("bf16, fp32" where it is
/// more than one). Throws Error where one has no inference_stats.json.
Json ensemble_inference_stats(const std::vector<std::pair<std::string, std::filesystem::path>>& members);

}  // namespace expctl
