// Running expctl-train to predict, with one model or with several that are combined.
#pragma once

#include <filesystem>
#include <vector>

#include "cli/models.h"
#include "cli/program.h"

namespace expctl {

/// A signal has ended a prediction within something that has no other way to say so.
struct Interrupted {
  int signal;
};

/// Leaves the files of a prediction (docs/run_folder.md) of the SQuAD 1.1 file `input` in `folder`, a draft
/// of what will lie at `final`. Several models leave theirs in members/1, members/2, ... A soup is not made
/// here: it is one model. Returns the signal that has ended it, or 0. Throws Error.
int predict_into(const Program& program, const Models& models, const std::filesystem::path& input,
                 const std::filesystem::path& folder, const std::filesystem::path& final);

}  // namespace expctl
