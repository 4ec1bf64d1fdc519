// The programs whose command lines expctl reads: their defaults, their arguments, and what they do with
// several GPUs. Private to experiments/.
#pragma once

#include <string>
#include <vector>

#include "experiments/recipe.h"

namespace expctl {

/// The name of the file that a word of a command line is.
std::string base_name(const std::string& word);

/// Whether a word of a command line is one of the programs: its file's name tells.
bool is_recipe_program(const std::string& word);

/// "run_qa.py, run_squad.py, ...", for messages.
std::string recipe_program_names();

/// The hyper-parameters of program `word` with `arguments`, started `gpus` times by a launcher (0: there is
/// none). Throws Error for a value that cannot be (without a place).
Recipe program_recipe(const std::string& word, const std::vector<std::string>& arguments, int64_t gpus);

}  // namespace expctl
