// Which models a verb means: a run, the members of an ensemble, or a folder of weights.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/program.h"
#include "core/run_spec.h"

namespace expctl {

/// A checkpoint and the training keys (for length, stride, decoding) to evaluate it with.
struct Model {
  std::string name;
  double weight = 1;  ///< in the mean of several
  RunSpec spec;       ///< spec.init is the checkpoint
};

/// The one model that a run or a folder is, or the members of an ensemble. Each has a span head. Throws
/// Error.
std::vector<Model> find_models(const Program& program, const std::string& word);

/// The keys of --set on top of a model's own, resolved; a stride that was made for another length is made
/// anew. Throws Error for a key that does not matter to an evaluation.
TrainSpec with_settings(TrainSpec spec, const std::vector<std::string>& settings);

/// A folder as people type it, "checkpoint/" too.
std::filesystem::path folder_path(const std::string& text);

}  // namespace expctl
