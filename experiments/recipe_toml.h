// A recipe written as a sweep file.
#pragma once

#include <string>

#include "experiments/recipe.h"

namespace expctl {

/// The sweep file of one run with these hyper-parameters; notes and what is not mapped stand in it as
/// comments. parse_sweep() takes it.
std::string recipe_toml(const Recipe& recipe, const std::string& name);

}  // namespace expctl
