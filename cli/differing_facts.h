// What differs between entries of the registry.
#pragma once

#include <string>
#include <vector>

#include "registry/records.h"

namespace expctl {

/// A row for each fact (parameter, training key, seed, data, command) that those which have it do not agree
/// in, and for what only one has of its own kind: its name, then a value for each run, "-" where one has
/// none.
std::vector<std::vector<std::string>> differing_facts(const std::vector<RunRecord>& runs);

}  // namespace expctl
