#include "runner/record_check.h"

#include <fmt/core.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <thread>

#include "core/files.h"
#include "core/hash.h"
#include "core/text.h"
#include "runner/early_stopping.h"
#include "runner/record_files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

constexpr const char* kMend = "expctl registry check --mend writes it anew from the registry";
constexpr const char* kPutBack = "put the file back from a copy";

/// As a file gives it back: invalid UTF-8 is replaced there.
Json as_written(const Json& json) {
  return parse_json(json_text(json), "registry");
}

/// The differences of one entry or sweep, each found in a file of it.
class Comparison {
 public:
  explicit Comparison(std::string id) : id_(std::move(id)) {}

  void add(const std::string& what, const fs::path& where, const char* remedy) {
    found_.push_back({id_, what, where.string(), remedy});
  }

  /// Whether the file is JSON that can be compared; says what it is else.
  bool read(const fs::path& path, Json& json, const char* remedy) {
    try {
      json = read_json(path);
      return true;
    } catch (const std::exception& e) {
      add(fs::exists(path) ? e.what() : "it is missing", path, remedy);
      return false;
    }
  }

  void compare(const Json& recorded, const fs::path& path, const char* remedy) {
    Json found;
    if (!read(path, found, remedy)) return;
    for (const auto& what : differing_members(as_written(recorded), found)) add(what, path, remedy);
  }

  std::vector<Difference> take() { return std::move(found_); }

 private:
  std::string id_;
  std::vector<Difference> found_;
};

void compare_artifacts(const EntryRecord& entry, const RunPaths& paths, bool with_hashes,
                       Comparison& comparison) {
  for (const auto& artifact : entry.artifacts) {
    const fs::path path = paths.folder / artifact.path;
    std::error_code none;
    const auto bytes = static_cast<int64_t>(fs::file_size(path, none));
    if (none || !fs::is_regular_file(path)) {
      comparison.add("it is missing", path, kPutBack);
    } else if (bytes != artifact.bytes) {
      comparison.add(fmt::format("it has {} bytes, {} on record", bytes, artifact.bytes), path, kPutBack);
    } else if (with_hashes && sha256_file(path) != artifact.sha256) {
      comparison.add("its content is not what it was: another SHA-256", path, kPutBack);
    }
  }
}

void compare_scores(const EntryRecord& entry, const RunPaths& paths, Comparison& comparison) {
  for (const auto& evaluation : entry.evaluations) {
    const RunPaths folder = paths.evaluation(evaluation.name);
    comparison.compare({{"exact_match", evaluation.exact_match}, {"f1", evaluation.f1}}, folder.eval(),
                       kPutBack);
  }
}

std::vector<Difference> compare_entry(const EntryRecord& entry, const WorkspacePaths& workspace,
                                      bool with_hashes) {
  const RunPaths paths = workspace.run(entry.run.id);
  Comparison comparison(entry.run.id);
  const bool is_untouched = entry.run.state == RunState::kQueued && entry.run.attempts == 0;
  if (!is_untouched || fs::exists(paths.run())) comparison.compare(run_file(entry), paths.run(), kMend);
  if (entry.run.is_ensemble()) comparison.compare(entry.run.spec, paths.ensemble(), kPutBack);
  compare_artifacts(entry, paths, with_hashes, comparison);
  compare_scores(entry, paths, comparison);
  return comparison.take();
}

/// The lines of runs.jsonl by run; those that cannot be read are as if they were missing.
std::map<std::string, Json> read_lines(const fs::path& path) {
  std::map<std::string, Json> lines;
  if (!fs::is_regular_file(path)) return lines;
  for (const auto& line : split(read_file(path), '\n')) {
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("id") && json["id"].is_string())
      lines[json["id"].get<std::string>()] = json;
  }
  return lines;
}

/// Whether each stop of a run follows from the scores that were there.
void check_decisions(const WorkspacePaths& workspace, const std::string& sweep_id, Comparison& comparison) {
  std::string fault;
  try {
    fault = fault_of_decisions(read_decisions(workspace, sweep_id));
  } catch (const std::exception& e) {
    fault = e.what();
  }
  if (!fault.empty()) comparison.add(fault, workspace.decisions(sweep_id), kPutBack);
}

std::vector<Difference> compare_sweep(const Registry& registry, const SweepRecord& sweep,
                                      const WorkspacePaths& workspace) {
  Comparison comparison(sweep.id);
  Json recorded = to_json(sweep_file(registry, sweep));
  recorded.erase("highest_ids");  // those of when the file was written
  comparison.compare(recorded, workspace.sweep_record(sweep.id), kMend);
  const fs::path toml = workspace.sweep_file(sweep.id);
  if (!fs::is_regular_file(toml))
    comparison.add("it is missing", toml, kPutBack);
  else if (!sweep.content_sha256.empty() && sha256_file(toml) != sweep.content_sha256)
    comparison.add("its content is not what the sweep was made of", toml, kPutBack);
  check_decisions(workspace, sweep.id, comparison);
  const fs::path list = workspace.sweep_runs(sweep.id);
  const auto lines = read_lines(list);
  RunFilter filter;
  filter.sweep_id = sweep.id;
  for (const auto& run : registry.list_runs(filter)) {
    if (run.sweep_id != sweep.id) continue;
    const auto line = lines.find(run.id);
    if (line == lines.end())
      comparison.add(fmt::format("it has no line of {}", run.id), list, kMend);
    else
      for (const auto& what : differing_members(as_written(run_line(run)), line->second))
        comparison.add(fmt::format("{}: {}", run.id, what), list, kMend);
  }
  return comparison.take();
}

/// What to do about a folder that no row is of.
std::string stranger_remedy(const WorkspacePaths& workspace, const std::string& id) {
  const Id parsed = parse_id(id).value();
  const fs::path file = parsed.kind == IdKind::kSweep ? workspace.sweep_record(id) : workspace.run(id).run();
  try {
    read_json(file);
  } catch (const std::exception&) {
    return fmt::format("put {} back from a copy and expctl registry rebuild --force; or move the folder away",
                       file.filename().string());
  }
  return "expctl registry rebuild --force takes it in; or move the folder away";
}

/// Folders of ids that no row is of.
std::vector<Difference> find_strangers(const Registry& registry, const WorkspacePaths& workspace) {
  std::set<std::string> known;
  for (const auto& run : registry.list_runs()) known.insert(run.id);
  for (const auto& sweep : registry.list_sweeps()) known.insert(sweep.id);
  std::vector<Difference> found;
  static_cast<void>(fs::directory_iterator(workspace.root));  // throws where it cannot be listed
  for (const Id id : ids_in(workspace)) {
    const std::string name = to_string(id);
    const fs::path folder = workspace.folder(name);
    if (!fs::is_directory(folder) || known.contains(name)) continue;
    found.push_back(
        {name, "the registry knows nothing of it", folder.string(), stranger_remedy(workspace, name)});
  }
  return found;
}

/// What differs now of the runs, ensembles and sweeps that `is_wanted`.
std::vector<Difference> compare_all(const Registry& registry, const WorkspacePaths& workspace,
                                    bool with_hashes,
                                    const std::function<bool(const std::string&)>& is_wanted) {
  std::vector<Difference> all;
  const auto add = [&](std::vector<Difference> some) {
    all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  };
  for (const auto& sweep : registry.list_sweeps()) {
    if (is_wanted(sweep.id)) add(compare_sweep(registry, sweep, workspace));
  }
  for (const auto& run : registry.list_runs()) {
    if (!is_wanted(run.id)) continue;
    if (const auto entry = registry.find_entry(run.id)) add(compare_entry(*entry, workspace, with_hashes));
  }
  for (auto& stranger : find_strangers(registry, workspace)) {
    if (is_wanted(stranger.id)) all.push_back(std::move(stranger));
  }
  return all;
}

std::string short_text(const Json& value) {
  return value.is_primitive() ? fmt::format("'{}'", scalar_text(value)) : "otherwise";
}

}  // namespace

std::vector<std::string> differing_members(const Json& recorded, const Json& found) {
  std::vector<std::string> texts;
  for (const auto& [key, value] : recorded.items()) {
    const auto member = found.is_object() ? found.find(key) : found.end();
    if (member == found.end()) {
      texts.push_back(fmt::format("{} is missing in the file", key));
    } else if (*member != value) {
      texts.push_back(
          value.is_primitive() && member->is_primitive()
              ? fmt::format("{}: {} on record, {} in the file", key, short_text(value), short_text(*member))
              : fmt::format("{} is another in the file", key));
    }
  }
  return texts;
}

std::vector<Difference> check_records(const Registry& registry, const WorkspacePaths& workspace,
                                      bool with_hashes) {
  constexpr int kLooks = 5;
  auto pause = std::chrono::milliseconds(100);
  auto differences = compare_all(registry, workspace, with_hashes, [](const auto&) { return true; });
  for (int look = 1; look < kLooks && !differences.empty(); ++look) {
    std::this_thread::sleep_for(pause);
    pause *= 2;
    std::set<std::string> ids;
    for (const auto& difference : differences) ids.insert(difference.id);
    differences =
        compare_all(registry, workspace, with_hashes, [&](const auto& id) { return ids.contains(id); });
  }
  for (const auto& fault : registry.faults()) {
    differences.push_back({"registry", fault, workspace.registry().string(),
                           "put a copy back, or expctl registry rebuild --force"});
  }
  return differences;
}

std::vector<std::string> mend_files(const Registry& registry, const WorkspacePaths& workspace) {
  std::vector<std::string> left;
  for (const auto& sweep : registry.list_sweeps()) {
    const fs::path list = workspace.sweep_runs(sweep.id);
    std::string lost;
    for (const auto& [id, line] : read_lines(list)) {
      if (!registry.find_run(id) && fs::is_directory(workspace.folder(id))) lost = id;
    }
    if (lost.empty())
      write_sweep_files(registry, sweep.id, workspace);
    else
      left.push_back(fmt::format("{} is left as it is: {} is not on record, and lies there; {}",
                                 list.string(), lost, stranger_remedy(workspace, lost)));
  }
  for (const auto& run : registry.list_runs()) {
    const RunPaths paths = workspace.run(run.id);
    const bool is_untouched = run.state == RunState::kQueued && run.attempts == 0;
    if (is_untouched && !fs::exists(paths.run())) continue;
    Json found;
    try {
      found = read_json(paths.run());
    } catch (const std::exception&) {
    }
    if (!differing_members(as_written(run_file(registry.find_entry(run.id).value())), found).empty())
      write_run_file(registry, run.id, paths);
  }
  return left;
}

}  // namespace expctl
