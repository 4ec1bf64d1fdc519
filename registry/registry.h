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

#include "core/outcome.h"
#include "registry/records.h"

namespace expctl {

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
                        double now_s);
  std::optional<SweepRecord> find_sweep(const std::string& id) const;
  /// In order of creation.
  std::vector<SweepRecord> list_sweeps() const;
  /// The highest number ever given for each kind of id.
  std::map<IdKind, int64_t> highest_ids() const;
  /// Queued runs of a sweep, ids in the order of `specs`; where a run of the same config and seed is there
  /// already (another command has just added it), that one.
  std::vector<AddedRun> add_runs(const std::string& sweep_id, const std::vector<RunSpec>& specs,
                                 double now_s);
  /// A succeeded entry of its own kind, with its score, all in one transaction. `place_files` is called with
  /// its id before anything is recorded: what it throws leaves no entry.
  RunRecord add_ensemble(
      const NewEnsemble& ensemble, double now_s,
      const std::function<void(const std::string&)>& place_files = [](const auto&) {});
  /// The same for a run that another program has made, which succeeded and belongs to no sweep; where a run
  /// of the same config and seed is there already (another command has just added it), that one, and no file
  /// is placed. `place_files` sees the run as it will be.
  RunRecord add_import(
      const NewImport& entry, double now_s,
      const std::function<void(const RunRecord&)>& place_files = [](const auto&) {});

  std::optional<RunRecord> find_run(const std::string& id) const;
  std::optional<EntryRecord> find_entry(const std::string& id) const;
  /// Also takes a tag, "@" (the newest run; ensembles do not count), "@2" (the one before it); throws Error
  /// kNotFound with the nearest id.
  RunRecord resolve_run(const std::string& word) const;
  /// The same of several words, each run once, in the order of the words. A sweep's id is taken too: it means
  /// those of its runs that `is_wanted`, all where that is empty.
  std::vector<RunRecord> resolve_runs(const std::vector<std::string>& words,
                                      const std::function<bool(const RunRecord&)>& is_wanted = {}) const;
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
      const std::string& folder, const std::vector<std::string>& ids, double now_s,
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
