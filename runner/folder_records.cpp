#include "runner/folder_records.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/text.h"
#include "runner/attempt_results.h"
#include "runner/record_files.h"
#include "runner/settle_records.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// The ids of one kind that folders have, in order.
std::vector<Id> ids_of(const WorkspacePaths& workspace, IdKind kind) {
  std::vector<Id> ids = ids_in(workspace);
  std::erase_if(ids,
                [&](Id id) { return id.kind != kind || !fs::is_directory(workspace.folder(to_string(id))); });
  return ids;
}

/// What would stop the others from being taken in too.
void check_entry(const EntryRecord& entry, const std::string& source) {
  std::set<std::string> paths;
  for (const auto& artifact : entry.artifacts) {
    if (!paths.insert(artifact.path).second)
      throw Error(fmt::format("{}: '{}' is listed twice", source, artifact.path));
  }
  int before = 0;
  for (const auto& attempt : entry.attempts) {
    if (attempt.attempt <= before) throw Error(fmt::format("{}: the attempts are not in order", source));
    before = attempt.attempt;
  }
  if (entry.run.state == RunState::kRunning && (entry.attempts.empty() || entry.attempts.back().ended != 0))
    throw Error(fmt::format("{}: it is running without an attempt", source));
}

/// Of a run that an older expctl has written: what its other files tell.
void complete_old(EntryRecord& entry, const RunPaths& paths) {
  RunRecord& run = entry.run;
  if (run.state == RunState::kSucceeded) {
    if (auto evaluation = read_evaluation(run, paths)) entry.evaluations.push_back(std::move(*evaluation));
    entry.artifacts = read_artifacts(run.id, paths);
  }
  if (run.attempts == 0 || !fs::is_regular_file(paths.request())) return;
  const std::string source = paths.request().string();
  AttemptRecord attempt;
  attempt.run_id = run.id;
  attempt.attempt = run.attempts;
  attempt.token = json_get<std::string>(read_json(paths.request()), "attempt_token", source);
  attempt.started = run.started;
  if (const auto outcome = read_outcome(paths, run.attempts); outcome && run.state != RunState::kRunning) {
    attempt.started = outcome->started;
    attempt.ended = outcome->ended;
    attempt.end = name_of(outcome->end);
    attempt.reason = outcome->reason;
  } else if (run.state != RunState::kRunning) {
    attempt.ended = std::max(run.ended, run.started);
    attempt.end = is_finished(run.state) ? name_of(run.state) : name_of(AttemptEnd::kInterrupted);
    attempt.reason = run.reason;
  }
  entry.attempts = {attempt};
}

/// What ensemble.json holds but the id.
Json description_of(const RunPaths& paths) {
  Json description = read_json(paths.ensemble());
  description.erase("id");
  return description;
}

class FolderReader {
 public:
  explicit FolderReader(const WorkspacePaths& workspace) : workspace_(workspace) {}

  FolderRecords read() {
    for (const Id id : ids_of(workspace_, IdKind::kSweep)) read_sweep(id);
    for (const IdKind kind : {IdKind::kRun, IdKind::kEnsemble}) {
      for (const Id id : ids_of(workspace_, kind)) {
        count(id);
        take(to_string(id), [&] { read_entry(id); });
      }
    }
    for (auto& [id, line] : lines_) {
      if (!fs::exists(workspace_.folder(id))) add_from_line(id);
    }
    return std::move(found_);
  }

 private:
  /// Whatever it is that cannot be read, the others are.
  template <typename Work>
  void take(const std::string& where, const Work& work) {
    try {
      work();
    } catch (const std::exception& e) {
      found_.notes.push_back({where, e.what(), true});
    }
  }

  void note(const std::string& where, const std::string& what) {
    found_.notes.push_back({where, what, false});
  }

  void count(Id id) {
    int64_t& highest = found_.rows.highest_ids[id.kind];
    highest = std::max<int64_t>(highest, id.number);
  }

  void read_sweep(Id number) {
    const std::string id = to_string(number);
    count(number);
    RegistryRows::Sweep sweep;
    sweep.record.id = id;
    try {
      const fs::path file = workspace_.sweep_record(id);
      SweepFile known = sweep_file_from_json(read_json(file), file.string());
      if (known.record.id != id)
        throw Error(fmt::format("{}: it is that of {}", file.string(), known.record.id));
      sweep = {known.record, known.runs};
      for (const auto& [kind, highest] : known.highest_ids) count({kind, static_cast<long>(highest)});
    } catch (const std::exception& e) {
      note(id, fmt::format("{}: its name and the path of its file are not known", e.what()));
      if (fs::is_regular_file(workspace_.sweep_file(id)))
        sweep.record.content_sha256 = sha256_file(workspace_.sweep_file(id));
    }
    found_.rows.sweeps.push_back(std::move(sweep));
    try {
      read_lines(id);
    } catch (const std::exception& e) {
      note(id, fmt::format("{}: of runs that were never started nothing is known", e.what()));
    }
  }

  void read_lines(const std::string& sweep_id) {
    const std::string file = workspace_.sweep_runs(sweep_id).string();
    const auto lines = split(read_file(file), '\n');
    for (size_t i = 0; i < lines.size(); ++i) {
      if (lines[i].empty()) continue;
      const std::string source = fmt::format("{}:{}", file, i + 1);
      try {
        RunRecord run = run_from_line(parse_json(lines[i], source), source);
        run.sweep_id = sweep_id;
        if (parse_id(run.id)) lines_[run.id] = std::move(run);
      } catch (const std::exception& e) {
        note(sweep_id, e.what());
      }
    }
  }

  void add_from_line(const std::string& id) {
    take(id, [&] {
      EntryRecord entry;
      entry.run = lines_.at(id);
      count(parse_id(id).value());
      run_spec_from_json(entry.run.spec, fmt::format("the line of {}", id));
      found_.rows.entries.push_back(std::move(entry));
    });
  }

  void read_entry(Id number) {
    const std::string id = to_string(number);
    const RunPaths paths = workspace_.run(id);
    if (!fs::exists(paths.run())) {
      if (number.kind == IdKind::kEnsemble) return read_old_ensemble(id, paths);
      // It was about to be started for the first time.
      if (lines_.contains(id) && !fs::exists(paths.outcome())) return add_from_line(id);
    }
    const Json file = read_json(paths.run());
    EntryRecord entry = entry_from_run_file(file, paths.run().string());
    if (entry.run.id != id)
      throw Error(fmt::format("{}: it is that of {}", paths.run().string(), entry.run.id));
    entry.run.spec = number.kind == IdKind::kEnsemble ? description_of(paths)
                                                      : spec_of_run(id, paths, entry.run.sweep_id.empty());
    if (number.kind == IdKind::kRun) run_spec_from_json(entry.run.spec, fmt::format("the spec of {}", id));
    if (!file.contains("attempt_history")) {
      complete_old(entry, paths);
      note(id, "its run.json is of an older expctl: earlier attempts and other evaluations are not known");
    }
    check_entry(entry, paths.run().string());
    found_.rows.entries.push_back(std::move(entry));
  }

  /// What the sweep's folder says of a run; else what its own last attempt was asked.
  /// That of an imported run, which is of no sweep, lies beside it.
  Json spec_of_run(const std::string& id, const RunPaths& paths, bool is_imported) {
    if (const auto line = lines_.find(id); line != lines_.end()) return line->second.spec;
    if (!is_imported) note(id, "its sweep's folder says nothing of it: its spec is that of its last attempt");
    return json_get<Json>(read_json(paths.request()), "spec", paths.request().string());
  }

  void read_old_ensemble(const std::string& id, const RunPaths& paths) {
    EntryRecord entry;
    RunRecord& run = entry.run;
    run.id = id;
    run.name = "ensemble";
    run.state = RunState::kSucceeded;
    run.spec = description_of(paths);
    const auto written = fs::last_write_time(paths.ensemble());
    const auto on_wall = std::chrono::file_clock::to_sys(written).time_since_epoch();
    run.created = run.started = run.ended = std::chrono::duration<double>(on_wall).count();
    const std::string source = paths.ensemble().string();
    for (const auto& member : json_get<Json>(run.spec, "members", source))
      entry.members.push_back(json_get<std::string>(member, "id", source));
    note(id, "it is of an older expctl: its evaluations are not known, evaluate it again");
    found_.rows.entries.push_back(std::move(entry));
  }

  const WorkspacePaths& workspace_;
  std::map<std::string, RunRecord> lines_;  ///< by run
  FolderRecords found_;
};

}  // namespace

FolderRecords read_folders(const WorkspacePaths& workspace) {
  FolderRecords folders = FolderReader(workspace).read();
  settle(folders);
  return folders;
}

std::vector<MetricRecord> metrics_on_record(const EntryRecord& entry, const WorkspacePaths& workspace) {
  const bool has_ended = std::any_of(entry.attempts.begin(), entry.attempts.end(),
                                     [](const AttemptRecord& attempt) { return attempt.ended > 0; });
  if (!has_ended) return {};
  try {
    return read_metrics(workspace.run(entry.run.id));
  } catch (const std::exception&) {
    return {};  // a job has made something else of that name, of which nothing was on record either
  }
}

}  // namespace expctl
