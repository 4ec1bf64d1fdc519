// The table [sweep] of a sweep file. Private to experiments/.
#pragma once

#include "experiments/sweep_file.h"
#include "experiments/toml_table.h"

namespace expctl {

/// Why a key of the space cannot have the value, "" where it can: of one that is no training key, as all
/// those of a command are. A command's own parameters may be anything.
std::string fault_of_value(const std::string& key, const Json& value);

/// Reads method, seeds and space into `sweep`, whose `base` is known but for the resources. Throws Error
/// "source:line:column: ...".
void read_search(TomlTable table, SweepSpec& sweep);

}  // namespace expctl
