// A run as MLflow's file store has it ("mlruns"): a folder of meta.yaml and one file a parameter, metric and
// tag, in the folder of its experiment.
//
// Source: what mlflow/store/tracking/file_store.py of MLflow 3.17 reads, and the names that its validation.py
// allows. MLflow 3.13 and later open such a folder where MLFLOW_ALLOW_FILE_STORE=true is set, and have
// `mlflow migrate-filestore` to make a database of it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "reports/run_export.h"

namespace expctl {

/// Which files of a run's folder are exported with it.
enum class ExportedArtifacts { kNone, kSmall, kAll };

/// A text as a YAML scalar on one line, in double quotes and ASCII.
std::string yaml_text(std::string_view text);

/// Names of parameters, metrics or tags as MLflow allows them, in the same order: letters, digits and "_-. :"
/// stay, any other byte becomes "_" and its two hex digits. A "/" stays where it makes a plain relative path
/// and no other name is one of its folders.
std::vector<std::string> mlflow_names(const std::vector<std::string>& names);

/// 18 digits.
std::string mlflow_experiment_id(const ExportGroup& group);

/// meta.yaml of an experiment that lies in `folder`, an absolute path.
std::string mlflow_experiment_yaml(const ExportGroup& group, const std::string& name,
                                   const std::filesystem::path& folder);

/// Every file of the run's folder but its artifacts, by relative path. `folder` is where it will lie, an
/// absolute path.
std::map<std::string, std::string> mlflow_run_files(const RunExport& entry,
                                                    const std::filesystem::path& folder);

}  // namespace expctl
