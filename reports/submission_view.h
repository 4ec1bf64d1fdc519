// A submission as its files say, for the checks: nothing in it is believed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/contest_rules.h"
#include "core/json.h"
#include "core/run_paths.h"
#include "core/run_spec.h"
#include "reports/manifest.h"

namespace expctl {

/// In training/<run>: the resolved spec.
inline constexpr const char* kSpecFile = "spec.json";

/// The profile that the submission was made under.
std::filesystem::path rules_file(const SubmissionPaths& paths);

/// What a judge has beside the folder; "" for what is not at hand.
struct VerifyOptions {
  std::filesystem::path dev;     ///< the SQuAD file that the entries were scored on
  std::filesystem::path train;   ///< that they were trained on
  std::filesystem::path init;    ///< the folder of weights that they began from
  std::filesystem::path unseen;  ///< the questions of unseen/
  std::string rules;             ///< a profile's name or file; "": the one that the submission names
  std::string init_sha256 = {};  ///< of the folder `init`, where it is known; "": to be computed
};

/// One entry's folder. The functions read its manifest anew and throw Error for what is not as it should be.
struct EntryView {
  std::string folder;
  EntryPaths paths;

  Json manifest() const;
  std::string id() const;
  /// The names of its models' folders in checkpoint/, [""] where there is one that has none; empty where it
  /// has no checkpoint in Hugging Face's layout.
  std::vector<std::string> models() const;
  /// What the manifest says of each model: "member", "weight", "scale".
  Json shares() const;
  /// The names of the folders of the runs that it comes from, in logs/ and training/; [""] for the one run
  /// that it is.
  std::vector<std::string> runs() const;
  RunSpec spec(const std::string& run) const;
  /// Whether a run that it comes from was trained by another program than expctl-train.
  bool is_of_other_program() const;
  /// How its answers were made; null where its models' were made in different ways.
  Json evaluation() const;
  /// The evaluation's name in the registry.
  std::string evaluation_name() const;
  /// What training/run.json says of that evaluation: {"name","f1","exact_match","settings"}.
  Json recorded_evaluation() const;
  /// How its models are combined; "logits" of a single run too.
  std::string method() const;
};

struct SubmissionView {
  SubmissionPaths paths;
  VerifyOptions options;
  ContestRules rules;
  Json manifest;
  std::vector<EntryView> entries;   ///< in the manifest's order
  std::vector<ManifestFile> files;  ///< what is there, sorted by path

  /// Throws Error: no manifest that can be read, a folder that is no name or is named twice, unknown rules,
  /// something in the folder that is neither a file nor a folder.
  static SubmissionView open(const std::filesystem::path& folder, const VerifyOptions& options);
  /// The same where list_files() of the folder is known.
  static SubmissionView open(const std::filesystem::path& folder, const VerifyOptions& options,
                             std::vector<ManifestFile> files);

  /// Of a file of the submission, as it was when the view was opened; "" where there was none.
  std::string sha256_of(const std::filesystem::path& file) const;
  /// The path below the submission's folder, for messages.
  std::string name_of_file(const std::filesystem::path& file) const;
};

}  // namespace expctl
