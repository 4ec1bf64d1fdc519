// What differs between entries of the registry.
#pragma once

#include <string>
#include <vector>

#include "registry/records.h"

namespace expctl {

/// A row for each fact (parameter, training key, seed, data, command) on which the runs differ, and always
/// one for an ensemble's members: its name, then a value for each run, "-" where it has none.
std::vector<std::vector<std::string>> differing_facts(const std::vector<RunRecord>& runs);

}  // namespace expctl
