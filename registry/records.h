// What the registry holds, as values. All times (created, started, ended, time) are Unix seconds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/run_paths.h"
#include "core/run_spec.h"
#include "core/run_state.h"
#include "registry/where.h"

namespace expctl {

struct SweepRecord {
  std::string id;
  std::string name;
  std::string file;  ///< absolute path of the sweep file as it was given
  double created = 0;
  std::string content_sha256;  ///< of the file and of what --set changed of it
};

/// A run or an ensemble ("ens1", with no seed or attempts).
struct RunRecord {
  std::string id;
  std::string sweep_id;  ///< "" for an ensemble and for an imported run
  std::string name;      ///< the sweep's name, or its own where it has no sweep
  RunState state = RunState::kQueued;
  FailReason reason = FailReason::kNone;
  std::string message;
  std::string config_hash;
  int64_t seed = 0;
  Json params = Json::object();
  Json spec = Json::object();  ///< to_json(RunSpec); for an ensemble what ensemble.json holds
  int attempts = 0;            ///< started so far
  int retries_used = 0;        ///< failed attempts that were retried
  double created = 0;
  double started = 0;  ///< of the first attempt; 0: not yet
  double ended = 0;
  std::optional<double> f1;  ///< percent, of the evaluation "default"
  std::optional<double> exact_match;
  std::vector<std::string> tags;
  int64_t position = 0;  ///< in the order of creation, runs and ensembles together

  bool is_ensemble() const;
  /// Another program made it, and `expctl import` took it in: no sweep describes it, no attempt was started.
  bool is_imported() const { return sweep_id.empty() && !is_ensemble(); }
};

struct AttemptRecord {
  std::string run_id;
  int attempt = 1;
  std::string token;
  double started = 0;
  double ended = 0;  ///< 0: not ended
  std::string end;   ///< name_of(AttemptEnd), "" while it runs
  FailReason reason = FailReason::kNone;
};

/// As much of a queued run as scheduling needs.
struct QueuedRecord {
  std::string id;
  Demand demand;
  std::string executor = "local";  ///< ExecutorSpec::kind
};

struct EvaluationRecord {
  std::string run_id;
  std::string name = kDefaultEvaluation;
  double f1 = 0;
  double exact_match = 0;
  Json settings = Json::object();  ///< evaluation_settings() of the run's spec
};

struct ArtifactRecord {
  std::string run_id;
  std::string path;  ///< relative to the run folder
  int64_t bytes = 0;
  std::string sha256;
};

/// That an entry lies in a submission.
struct SubmissionRecord {
  std::string folder;  ///< an absolute path
  int64_t place = 1;   ///< by rank
  double created = 0;
};

/// All that is on record of a run or an ensemble but its metrics.
struct EntryRecord {
  RunRecord run;
  std::vector<AttemptRecord> attempts;
  std::vector<EvaluationRecord> evaluations;
  std::vector<ArtifactRecord> artifacts;
  std::vector<std::string> members;
  std::vector<SubmissionRecord> submissions;
};

struct NewEnsemble {
  std::string name;
  Json description;  ///< what ensemble.json holds but the id
  std::vector<std::string> members;
  std::optional<EvaluationRecord> evaluation;  ///< its run_id is filled in; nothing where it was not scored
  std::vector<ArtifactRecord> artifacts = {};  ///< their run_id is filled in
};

struct NewImport {
  RunSpec spec;
  std::optional<EvaluationRecord> evaluation;  ///< nothing where it was not scored
  std::vector<ArtifactRecord> artifacts;       ///< their run_id is filled in, as the evaluation's
};

struct MetricRecord {
  int64_t step = 0;
  double epoch = 0;
  double loss = 0;
  double learning_rate = 0;
  double time = 0;
};

/// What an attempt has left in its folder.
struct AttemptResults {
  std::optional<std::vector<MetricRecord>> metrics;  ///< nothing: those of an earlier attempt stay
  std::optional<EvaluationRecord> evaluation;
  std::vector<ArtifactRecord> artifacts;
};

struct RunFilter {
  std::string sweep_id;  ///< "" for any
  std::optional<RunState> state;
  bool runs = true;       ///< ids run*
  bool ensembles = true;  ///< ids ens*
};

/// A list that a person asks for.
struct RunQuery {
  Where where;
  std::string sort = "id";  ///< a column or parameter: scores and times fall, all else rises
  bool is_reversed = false;
  size_t limit = 0;   ///< 0: all
  size_t offset = 0;  ///< of these the first ones that are left out
};

using StateCounts = std::map<RunState, int64_t>;

/// How the runs that a sweep describes stand.
struct SweepTotals {
  SweepRecord sweep;
  StateCounts states;
  std::string best;  ///< the run with the best F1; "": none is scored
  double best_f1 = 0;
};

/// What add_runs() has made of a spec.
struct AddedRun {
  std::string id;
  std::string sweep_id;  ///< that has added it
};

}  // namespace expctl
