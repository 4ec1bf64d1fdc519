// Self-distillation (Hinton et al. 2015; Furlanello et al. 2018): a training learns from another model's
// answers to its own questions, or from an ensemble's. They are a logits file of the training data, as
// `expctl evaluate ens1 --data TRAIN_FILE` writes it.
#pragma once

#include <string>

#include "core/run_spec.h"
#include "formats/logits_file.h"

namespace expctl {

/// What to type to get the file that a training wants.
std::string teacher_command(const RunSpec& spec);

/// spec.teacher, of the training data whose content has this hash; `spec` is resolved. Throws Error naming
/// what does not fit: other data, another length, stride or window, a logit that is no finite number. Whether
/// the features are the same is left to who has them.
LogitsFile read_teacher(const RunSpec& spec, const std::string& dataset_sha256);

}  // namespace expctl
