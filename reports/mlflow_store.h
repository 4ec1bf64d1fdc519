// A folder that is, or becomes, an MLflow file store, and runs put into it (docs/exporting.md says what is
// where).
//
// What others have put there stays: experiments and runs of their own, and in an exported run what they have
// added to it. A run is made under a name that MLflow does not look at and takes the place of its earlier
// export in one step, so that a reader, or who comes after a crash of this program, sees a whole one.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "reports/mlflow_export.h"

namespace expctl {

/// A file that goes with a run.
struct ExportedFile {
  std::filesystem::path from;
  std::string name;  ///< a relative path
};

class MlflowStore {
 public:
  /// Throws Error where there is something that MLflow would stumble over: a folder that is no experiment.
  explicit MlflowStore(const std::filesystem::path& folder);

  /// Adds the run, or puts it in place of its earlier export; its experiment is made where it is not there.
  /// Returns its folder. Throws Error, and leaves what was there.
  std::filesystem::path write(const RunExport& entry, const std::vector<ExportedFile>& artifacts);

 private:
  std::filesystem::path experiment_folder(const ExportGroup& group);
  std::string free_name(const ExportGroup& group) const;

  std::filesystem::path root_;                ///< absolute
  std::map<std::string, std::string> names_;  ///< of the experiments that expctl has made, by id
};

/// Those of the run's folder. Small ones: what it was asked, what it said, metrics, predictions, scores, the
/// sweep file. All: n-best answers, logits, and whatever else is on record of it, weights too.
std::vector<ExportedFile> exported_files(const RunExport& entry, ExportedArtifacts which,
                                         const std::vector<ArtifactRecord>& on_record);

}  // namespace expctl
