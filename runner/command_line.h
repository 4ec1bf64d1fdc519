// The command of a sweep file, with its {placeholders} filled in for one run.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/run_spec.h"

namespace expctl {

/// What a command may name: the swept parameters (numbers as Python prints them), seed, run_id, run_dir,
/// sweep_dir (where the sweep file lies), train_file, dev_file and init_dir ("" where the file has none).
std::map<std::string, std::string> command_values(const RunSpec& spec, const std::string& run_id,
                                                  const std::string& run_dir);

/// Every {key} replaced by its value, also inside a longer argument; "{{" is a brace. Throws Error naming the
/// argument for an unknown key (with the nearest one) and for a brace that is not closed.
std::vector<std::string> fill_command(const std::vector<std::string>& argv,
                                      const std::map<std::string, std::string>& values);

}  // namespace expctl
