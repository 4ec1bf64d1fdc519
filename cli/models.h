// Which models a verb means: a run, the members of an ensemble, or a folder of weights.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/program.h"
#include "core/run_spec.h"
#include "ensemble/method.h"

namespace expctl {

/// A checkpoint and the training keys (for length, stride, decoding) to evaluate it with.
struct Model {
  std::string name;
  double weight = 1;  ///< in the mean of several
  double scale = 1;   ///< of its logits, before they are averaged
  RunSpec spec;       ///< spec.init is the checkpoint; resolved
};

/// Models whose answers are one: a single one, or several and how they are combined.
struct Models {
  std::vector<Model> members;
  Method method = Method::kLogits;
};

/// The one model that a run, a soup or a folder is, or the members of an ensemble, each with the keys of
/// --set on top of its own; a stride that was made for another length is made anew. Throws Error: no such
/// model, one without a span head, a key that does not matter to an evaluation, or a value that does not fit
/// the model.
Models find_models(const Program& program, const std::string& word, const std::vector<std::string>& settings);

/// A run's spec with another checkpoint, which was trained elsewhere or made of several. Throws Error as
/// find_models does.
Model model_of_checkpoint(const std::string& name, RunSpec spec, const std::filesystem::path& checkpoint,
                          const std::vector<std::string>& settings);

}  // namespace expctl
