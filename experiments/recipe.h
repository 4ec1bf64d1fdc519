// A training command line of another program, read as the hyper-parameters that it means
// (docs/importing.md).
//
// Known are Hugging Face's run_qa.py and run_squad.py, NVIDIA's run_squad.sh with its run_squad.py (Google's
// has the same flags) and Lambda's run_squad_hvd.py. What their defaults are and what they do with several
// GPUs is in recipe_programs.cpp, what their flags mean in recipe_flags.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/train_spec.h"

namespace expctl {

struct Recipe {
  std::string program;                     ///< "NVIDIA's run_squad.sh"
  std::string place;                       ///< "recipe.sh:3", where the command line begins
  TrainSpec train;                         ///< not resolved; batch_size counts all GPUs
  std::string train_file, dev_file, init;  ///< as they are on the command line
  int64_t gpus = 1;
  std::vector<std::string> notes;     ///< what a value is made of, or stands for
  std::vector<std::string> implied;   ///< words that say what expctl does anyway
  std::vector<std::string> unmapped;  ///< words that no key of a sweep file says
};

/// A pure function of a text that holds one command line of a known program: a file of it, or a shell script.
/// Throws Error "source:line: ..." where there is none, or several; where a value is none, or impossible.
Recipe read_recipe(std::string_view text, const std::string& source);

}  // namespace expctl
