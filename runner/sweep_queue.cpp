#include "runner/sweep_queue.h"

#include <fmt/core.h>

#include <filesystem>
#include <map>
#include <set>

#include "core/error.h"
#include "core/hash.h"
#include "runner/attempt_end.h"
#include "runner/record_files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

void hash_file(Input& input, const char* key) {
  if (input.path.empty()) return;
  if (!fs::exists(input.path)) {
    throw Error(fmt::format("{}: no such file, named by '{}'", input.path, key),
                "paths are taken from the folder of the sweep file", ErrorCode::kNotFound);
  }
  if (!fs::is_regular_file(input.path))
    throw Error(fmt::format("{}: not a file, named by '{}'", input.path, key));
  input.sha256 = sha256_file(input.path);
}

void hash_folder(Input& input, const char* key) {
  if (input.path.empty()) return;
  if (!fs::exists(input.path)) {
    throw Error(fmt::format("{}: no such folder, named by '{}'", input.path, key),
                "paths are taken from the folder of the sweep file", ErrorCode::kNotFound);
  }
  if (!fs::is_directory(input.path)) {
    throw Error(fmt::format("{}: not a folder, named by '{}'", input.path, key),
                "a folder in Hugging Face's layout is wanted");
  }
  input.sha256 = sha256_folder(input.path);
}

}  // namespace

Standing standing_of(const std::optional<RunRecord>& run) {
  if (!run) return Standing::kNew;
  switch (run->state) {
    case RunState::kQueued:
    case RunState::kRunning:
      return Standing::kOpen;
    case RunState::kSucceeded:
      return Standing::kSucceeded;
    case RunState::kFailed:
      return Standing::kFailed;
    case RunState::kStopped:
    case RunState::kPruned:
      return Standing::kEnded;
  }
  return Standing::kEnded;
}

bool is_left(const SweepEntry& entry, bool retry_failed) {
  return entry.standing == Standing::kSucceeded || entry.standing == Standing::kEnded ||
         (entry.standing == Standing::kFailed && !retry_failed);
}

void hash_inputs(SweepSpec& sweep) {
  hash_file(sweep.base.train_data, "data.train");
  hash_file(sweep.base.dev_data, "data.dev");
  hash_file(sweep.base.teacher, "data.teacher");
  hash_folder(sweep.base.init, "model.init");
}

namespace {

/// The spec of the file, with the rungs that the run was added with: those that it is compared with were
/// looked at there.
RunSpec in_its_race(RunSpec spec, const RunRecord& run) {
  if (!spec.early_stop.is_wanted()) return spec;
  const EarlyStopSpec known = spec_of(run).early_stop;
  if (known.is_wanted()) spec.early_stop = known;
  return spec;
}

/// Of the queued runs those whose spec is another now: the file may have been edited, with another time
/// limit, or data that lies elsewhere.
std::map<std::string, RunSpec> changed_specs(const std::vector<SweepEntry>& entries,
                                             const Registry& registry) {
  std::map<std::string, RunSpec> changed;
  for (const auto& entry : entries) {
    const auto run = registry.find_run(entry.run_id);
    if (!run || run->state != RunState::kQueued) continue;
    RunSpec spec = in_its_race(entry.spec, *run);
    if (to_json(spec) != run->spec) changed[entry.run_id] = std::move(spec);
  }
  return changed;
}

}  // namespace

std::vector<SweepEntry> look_up(const std::vector<RunSpec>& specs, const Registry* registry) {
  std::vector<SweepEntry> entries;
  for (const auto& spec : specs) {
    const auto run = registry == nullptr ? std::nullopt
                                         : registry->find_run_by_identity(config_hash(spec), spec.train.seed);
    entries.push_back({spec, standing_of(run), run ? run->id : ""});
  }
  return entries;
}

void enqueue(std::vector<SweepEntry>& entries, const std::string& sweep_id, bool retry_failed,
             Registry& registry, const WorkspacePaths& workspace, double now_s) {
  std::vector<RunSpec> specs;
  for (const auto& entry : entries) specs.push_back(entry.spec);
  const auto runs = registry.add_runs(sweep_id, specs, now_s);
  std::set<std::string> sweeps = {sweep_id};  // that have added one of the runs
  for (size_t i = 0; i < entries.size(); ++i) {
    SweepEntry& entry = entries[i];
    entry.run_id = runs[i].id;
    sweeps.insert(runs[i].sweep_id);
    if (entry.standing == Standing::kFailed && retry_failed) {
      registry.apply_event(entry.run_id, RunEvent::kRetried,
                           [&] { write_run_file(registry, entry.run_id, workspace.run(entry.run_id)); });
    }
  }
  registry.set_specs(changed_specs(entries, registry));
  for (const auto& id : sweeps) write_sweep_files(registry, id, workspace);
}

std::vector<PastRun> past_runs(const Registry& registry) {
  RunFilter filter;
  filter.state = RunState::kSucceeded;
  filter.ensembles = false;
  auto seconds = registry.attempt_seconds();
  std::vector<PastRun> past;
  for (const auto& run : registry.list_runs(filter)) past.push_back({spec_of(run), seconds[run.id]});
  return past;
}

}  // namespace expctl
