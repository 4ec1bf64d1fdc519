// Running expctl-train to predict, with one model or with several that are combined.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "cli/models.h"
#include "cli/program.h"
#include "core/request.h"

namespace expctl {

/// Predicts one SQuAD 1.1 file. A model that is asked for again, as a member of another ensemble, is not run
/// again while its first answers are still there.
class Predictor {
 public:
  /// `program` is kept.
  Predictor(const Program& program, std::filesystem::path input)
      : program_(program), input_(std::move(input)) {}

  /// Leaves the files of a prediction (docs/run_folder.md) in `folder`, a draft of what will lie at `final`.
  /// Several models leave theirs in members/1, members/2, ... A soup is not made here: it is one model.
  /// Throws Error and Interrupted.
  void predict(const Models& models, const std::filesystem::path& folder, const std::filesystem::path& final);

 private:
  void predict_one(const Model& model, const DeviceAssignment& devices, const std::filesystem::path& folder,
                   const std::filesystem::path& final);
  void predict_all(const Models& models, const DeviceAssignment& devices, const std::filesystem::path& folder,
                   const std::filesystem::path& final);

  const Program& program_;
  std::filesystem::path input_;
  std::map<std::string, std::filesystem::path> done_;  ///< where a model's answers are, by what they answer
};

}  // namespace expctl
