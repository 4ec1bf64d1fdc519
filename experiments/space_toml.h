// The table [sweep] of a sweep file. Private to experiments/.
#pragma once

#include "experiments/sweep_file.h"
#include "experiments/toml_table.h"

namespace expctl {

/// Reads method, seeds and space into `sweep`, whose `base` is known but for the resources. Throws Error
/// "source:line:column: ...".
void read_search(TomlTable table, SweepSpec& sweep);

}  // namespace expctl
