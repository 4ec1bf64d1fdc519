// The registry: every sweep, run, attempt, evaluation, artifact and ensemble of a workspace, in one SQLite
// file.
//
// Only `expctl` writes it, in short BEGIN IMMEDIATE transactions; any number of processes may read. Thread
// safety: one Registry a thread. Errors: kRegistry where the file is busy for longer than 10 s or of a newer
// schema, else kError.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/outcome.h"
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

/// A run or an ensemble ("ens1", with no seed, spec or attempts).
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
  ResourceSpec resources;
  bool is_command = false;
  std::string executor = "local";  ///< ExecutorSpec::kind
};

struct EvaluationRecord {
  std::string run_id;
  std::string name = "default";
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

class Registry {
 public:
  // Each of these throws Error where the file is missing or empty and runs lie beside it: a new registry
  // would know nothing of them, and a sweep would train them again. write_registry() takes them in.
  /// Opens or creates the file and brings its schema up to date (under an exclusive lock). Throws
  /// Error.
  static Registry open(const std::filesystem::path& path);
  /// Never creates; kNotFound with a hint where there is no registry.
  static Registry open_existing(const std::filesystem::path& path);
  /// For commands that only look. The same, and read as it is where this user may not write it.
  static Registry open_to_look(const std::filesystem::path& path);
  /// The same, and nothing where there is no registry.
  static std::optional<Registry> open_if_there(const std::filesystem::path& path);
  /// For looking where not one byte of the file may be written: an older schema is refused, not brought up
  /// to date.
  static Registry open_read_only(const std::filesystem::path& path);
  ~Registry();
  Registry(Registry&&) noexcept;
  Registry& operator=(Registry&&) noexcept;

  // -- sweeps and runs: all ids of one call are allotted in one transaction and never used again, those of
  // folders beside the file neither, which are of a registry that was lost or put back from a copy
  /// The sweep of this file with this content, added where there is none yet.
  SweepRecord add_sweep(const std::string& name, const std::string& file, const std::string& content_sha256,
                        double now);
  std::optional<SweepRecord> find_sweep(const std::string& id) const;
  /// In order of creation.
  std::vector<SweepRecord> list_sweeps() const;
  /// The highest number ever given for each kind of id.
  std::map<IdKind, int64_t> highest_ids() const;
  /// Queued runs of a sweep, ids in the order of `specs`; where a run of the same config and seed is there
  /// already (another command has just added it), that one.
  std::vector<AddedRun> add_runs(const std::string& sweep_id, const std::vector<RunSpec>& specs, double now);
  /// A succeeded entry of its own kind, with its score, all in one transaction. `place_files` is called with
  /// its id before anything is recorded: what it throws leaves no entry.
  RunRecord add_ensemble(
      const NewEnsemble& ensemble, double now,
      const std::function<void(const std::string&)>& place_files = [](const auto&) {});
  /// The same for a run that another program has made, which succeeded and belongs to no sweep; where a run
  /// of the same config and seed is there already (another command has just added it), that one, and no file
  /// is placed. `place_files` sees the run as it will be.
  RunRecord add_import(
      const NewImport& entry, double now,
      const std::function<void(const RunRecord&)>& place_files = [](const auto&) {});

  std::optional<RunRecord> find_run(const std::string& id) const;
  std::optional<EntryRecord> find_entry(const std::string& id) const;
  /// Also takes a tag, "@" (the newest run; ensembles do not count), "@2" (the one before it); throws Error
  /// kNotFound with the nearest id.
  RunRecord resolve_run(const std::string& word) const;
  std::optional<RunRecord> find_run_by_identity(const std::string& config_hash, int64_t seed) const;
  /// In order of creation.
  std::vector<RunRecord> list_runs(const RunFilter& filter = {}) const;
  /// The same one by one: of ten thousand runs the specs alone take a hundred megabytes. `look` must not use
  /// the registry.
  void for_each_run(const RunFilter& filter, const std::function<void(RunRecord&&)>& look) const;
  /// Throws Error (kUsage) for a column or parameter that no run has.
  std::vector<RunRecord> query_runs(const RunQuery& query) const;
  /// How many runs and ensembles are in each state.
  StateCounts state_counts() const;
  /// The newest sweep first: `limit` of them after `offset`.
  std::vector<SweepTotals> sweep_totals(size_t limit, size_t offset) const;
  SweepTotals totals_of(const SweepRecord& sweep) const;
  /// Of the attempts of a sweep's runs that have succeeded; -1 where none has.
  double mean_duration_s(const std::string& sweep_id) const;
  std::vector<std::string> ensemble_members(const std::string& id) const;
  /// Those that describe the run, the one that has added it among them.
  std::vector<std::string> sweeps_of(const std::string& run_id) const;
  /// Those that the run is a member of.
  std::vector<std::string> ensembles_of(const std::string& run_id) const;
  /// Those that the entry lies in, itself and not as a member.
  std::vector<SubmissionRecord> submissions_of(const std::string& run_id) const;
  /// Throws Error naming the first of the entries that must stay while the others go: one that is queued or
  /// running, is a member of an ensemble that stays, or lies in a submission.
  void check_removable(const std::vector<std::string>& ids) const;
  /// What runs which may go on (queued, running and stopped ones) begin from, and the logits that they learn
  /// from.
  std::vector<std::string> checkpoints_in_use() const;
  /// In order of creation.
  std::vector<QueuedRecord> queued_runs() const;
  /// How many runs of a sweep are queued or running.
  int64_t open_runs(const std::string& sweep_id) const;
  /// Whether somebody else has written since the last call (at first: since it was opened).
  bool changed_elsewhere();

  // -- the life of a run. Each checks next_state() inside its transaction; throws Error where the event is
  // not legal.
  // `before_commit` sees what is on record as it will be: what it throws leaves all as it was.
  /// Queued to running, with a new attempt, whose number the run's `attempts` is then.
  RunRecord start_attempt(
      const std::string& run_id, const AttemptRecord& attempt,
      const std::function<void()>& before_commit = [] {});
  /// Ends the running attempt, takes in what it has left and moves the run, all in one transaction; `retry`
  /// puts a failed one back in the queue (and counts it).
  RunRecord finish_attempt(
      const std::string& run_id, const Outcome& outcome, bool retry, const AttemptResults& results = {},
      const std::function<void()>& before_commit = [] {});
  /// Events without an attempt: kStopped of a queued run, kRetried of a failed one, kResumed of a stopped
  /// one. False, and nothing is changed, where the run is in another state by now.
  bool apply_event(
      const std::string& run_id, RunEvent event, const std::function<void()>& before_commit = [] {});
  /// Replaces, of those runs that are queued, what may change without making another run of one: resources
  /// and where the inputs lie; all in one transaction. Throws Error where the config hash or the seed would
  /// be another.
  void set_specs(const std::map<std::string, RunSpec>& specs);
  /// Seconds that the ended attempts of each run have taken together.
  std::map<std::string, double> attempt_seconds() const;
  std::optional<AttemptRecord> running_attempt(const std::string& run_id) const;
  /// The first one first.
  std::vector<AttemptRecord> attempts(const std::string& run_id) const;

  /// Gives the tag to the run; returns the run that had it before, "" for none, which `before_commit` is
  /// given too.
  std::string set_tag(
      const std::string& tag, const std::string& run_id,
      const std::function<void(const std::string&)>& before_commit = [](const auto&) {});
  /// Returns the run that had it, "" for none (then nothing is done), which `before_commit` is given too.
  std::string remove_tag(
      const std::string& tag,
      const std::function<void(const std::string&)>& before_commit = [](const auto&) {});

  // -- what a run leaves
  void set_evaluation(
      const EvaluationRecord& evaluation, const std::function<void()>& before_commit = [] {});
  std::vector<EvaluationRecord> evaluations(const std::string& run_id) const;
  std::vector<ArtifactRecord> artifacts(const std::string& run_id) const;
  std::vector<MetricRecord> metrics(const std::string& run_id) const;
  std::optional<MetricRecord> last_metric(const std::string& run_id) const;

  /// Puts the entries on record as those of the submission in `folder`, by rank, in place of those that were.
  /// Returns all whose record has changed.
  std::vector<std::string> set_submission(
      const std::string& folder, const std::vector<std::string>& ids, double now,
      const std::function<void(const std::vector<std::string>&)>& before_commit = [](const auto&) {});

  // -- what goes. Both throw Error as check_removable() does.
  /// Takes a run or an ensemble off the record with all that belongs to it.
  void remove_run(
      const std::string& run_id, const std::function<void()>& before_commit = [] {});
  /// Takes those of its artifacts off the record that lie in `folder` of its own. Throws Error also where it
  /// may go on (stopped) or has a tag.
  void remove_artifacts(
      const std::string& run_id, const std::string& folder,
      const std::function<void()>& before_commit = [] {});

  /// What SQLite finds wrong with the file: damaged pages, rows that refer to rows which are not there. Reads
  /// all of it.
  std::vector<std::string> faults() const;

 private:
  struct Impl;
  explicit Registry(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace expctl
