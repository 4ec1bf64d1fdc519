#include "runner/record_files.h"

#include <fmt/core.h>

#include <filesystem>
#include <functional>
#include <type_traits>

#include "core/error.h"
#include "core/files.h"
#include "core/outcome.h"
#include "registry/record_json.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

constexpr IdKind kIdKinds[] = {IdKind::kRun, IdKind::kEnsemble, IdKind::kSweep};

RunState state_from(const Json& json, const std::string& source) {
  const auto name = json_get<std::string>(json, "state", source);
  const auto state = run_state_from(name);
  if (!state) throw Error(fmt::format("{}: unknown state '{}'", source, name));
  return *state;
}

/// What `read` makes of each element of a list that may be absent.
template <typename Read>
auto list_from(const Json& json, const char* key, const std::string& source, const Read& read) {
  std::vector<std::invoke_result_t<Read, const Json&>> list;
  for (const auto& element : json_get<Json>(json, key, source, Json::array())) list.push_back(read(element));
  return list;
}

/// Calls look(run) for those that the sweep describes, also where an earlier one had added them; in order of
/// creation.
void for_each_described(const Registry& registry, const std::string& sweep_id,
                        const std::function<void(RunRecord&&)>& look) {
  RunFilter filter;
  filter.sweep_id = sweep_id;
  registry.for_each_run(filter, look);
}

/// A sweep is often begun again, which changes nothing.
void write_changed_file(const fs::path& path, const std::string& content) {
  if (fs::is_regular_file(path) && read_file(path) == content) return;
  write_file(path, content);
}

}  // namespace

Json run_file(const EntryRecord& entry) {
  const RunRecord& run = entry.run;
  Json json = {{"schema_version", 1},
               {"id", run.id},
               {"position", run.position},
               {"sweep", run.sweep_id},
               {"name", run.name},
               {"state", name_of(run.state)},
               {"reason", name_of(run.reason)},
               {"message", run.message},
               {"config_hash", run.config_hash},
               {"seed", run.seed},
               {"params", run.params},
               {"attempts", run.attempts},
               {"retries_used", run.retries_used},
               {"created", run.created},
               {"started", run.started},
               {"ended", run.ended},
               {"tags", run.tags},
               {"attempt_history", list_json(entry.attempts)},
               {"evaluations", list_json(entry.evaluations)},
               {"artifacts", list_json(entry.artifacts)}};
  if (!entry.members.empty()) json["members"] = entry.members;
  if (!entry.submissions.empty()) json["submissions"] = list_json(entry.submissions);
  return json;
}

EntryRecord entry_from_run_file(const Json& json, const std::string& source) {
  const auto text = [&](const char* key) { return json_get<std::string>(json, key, source); };
  EntryRecord entry;
  RunRecord& run = entry.run;
  run.id = text("id");
  run.position = json_get<int64_t>(json, "position", source, 0);
  run.sweep_id = text("sweep");
  run.name = text("name");
  run.state = state_from(json, source);
  run.reason = fail_reason_from(json, source);
  run.message = text("message");
  run.config_hash = text("config_hash");
  run.seed = json_get<int64_t>(json, "seed", source);
  run.params = json_get<Json>(json, "params", source);
  run.attempts = json_get<int>(json, "attempts", source);
  run.retries_used = json_get<int>(json, "retries_used", source);
  run.created = json_get<double>(json, "created", source);
  run.started = json_get<double>(json, "started", source);
  run.ended = json_get<double>(json, "ended", source);
  run.tags = json_get<std::vector<std::string>>(json, "tags", source);
  entry.attempts = list_from(json, "attempt_history", source,
                             [&](const Json& one) { return attempt_from_json(one, run.id, source); });
  entry.evaluations = list_from(json, "evaluations", source,
                                [&](const Json& one) { return evaluation_from_json(one, run.id, source); });
  entry.artifacts = list_from(json, "artifacts", source,
                              [&](const Json& one) { return artifact_from_json(one, run.id, source); });
  entry.members = json_get<std::vector<std::string>>(json, "members", source, {});
  entry.submissions = list_from(json, "submissions", source,
                                [&](const Json& one) { return submission_from_json(one, source); });
  return entry;
}

Json run_line(const RunRecord& run) {
  return {{"id", run.id},
          {"position", run.position},
          {"name", run.name},
          {"created", run.created},
          {"config_hash", run.config_hash},
          {"seed", run.seed},
          {"params", run.params},
          {"spec", run.spec}};
}

RunRecord run_from_line(const Json& json, const std::string& source) {
  RunRecord run;
  run.id = json_get<std::string>(json, "id", source);
  run.position = json_get<int64_t>(json, "position", source);
  run.name = json_get<std::string>(json, "name", source);
  run.created = json_get<double>(json, "created", source);
  run.config_hash = json_get<std::string>(json, "config_hash", source);
  run.seed = json_get<int64_t>(json, "seed", source);
  run.params = json_get<Json>(json, "params", source);
  run.spec = json_get<Json>(json, "spec", source);
  return run;
}

Json to_json(const SweepFile& sweep) {
  Json highest = Json::object();
  for (const auto& [kind, number] : sweep.highest_ids) highest[std::string(prefix_of(kind))] = number;
  return {{"schema_version", 1},
          {"id", sweep.record.id},
          {"name", sweep.record.name},
          {"file", sweep.record.file},
          {"created", sweep.record.created},
          {"content_sha256", sweep.record.content_sha256},
          {"runs", sweep.runs},
          {"highest_ids", highest}};
}

SweepFile sweep_file_from_json(const Json& json, const std::string& source) {
  SweepFile sweep;
  sweep.record = {json_get<std::string>(json, "id", source), json_get<std::string>(json, "name", source),
                  json_get<std::string>(json, "file", source), json_get<double>(json, "created", source),
                  json_get<std::string>(json, "content_sha256", source)};
  sweep.runs = json_get<std::vector<std::string>>(json, "runs", source);
  const Json highest = json_get<Json>(json, "highest_ids", source, Json::object());
  for (const IdKind kind : kIdKinds)
    sweep.highest_ids[kind] = json_get<int64_t>(highest, std::string(prefix_of(kind)).c_str(), source, 0);
  return sweep;
}

SweepFile sweep_file(const Registry& registry, const SweepRecord& record) {
  SweepFile file{record, {}, registry.highest_ids()};
  for_each_described(registry, record.id, [&](const RunRecord& run) { file.runs.push_back(run.id); });
  return file;
}

void write_run_file(const Registry& registry, const std::string& id, const RunPaths& paths) {
  make_folder(paths.folder);
  remove_folder_at(paths.run());
  write_file(paths.run(), json_text(run_file(registry.find_entry(id).value())));
}

void write_sweep_files(const Registry& registry, const std::string& sweep_id,
                       const WorkspacePaths& workspace) {
  const auto record = registry.find_sweep(sweep_id);
  if (!record) return;
  make_folder(workspace.folder(sweep_id));
  SweepFile file{*record, {}, registry.highest_ids()};
  std::string lines;
  for_each_described(registry, sweep_id, [&](const RunRecord& run) {
    file.runs.push_back(run.id);
    if (run.sweep_id == sweep_id) lines += json_line(run_line(run)) + "\n";
  });
  write_changed_file(workspace.sweep_runs(sweep_id), lines);
  write_changed_file(workspace.sweep_record(sweep_id), json_text(to_json(file)));
}

}  // namespace expctl
