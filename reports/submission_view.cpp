#include "reports/submission_view.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// JSON files are read whole.
constexpr int64_t kMostJson_bytes = int64_t{1} << 28;

bool is_plain_name(const std::string& name) {
  return !name.empty() && name[0] != '.' && name.find('/') == std::string::npos;
}

/// The folders of the manifest's entries in its order, only names that stay inside the submission.
std::vector<EntryView> entries_of(const Json& manifest, const SubmissionPaths& paths) {
  const std::string source = paths.manifest().string();
  std::vector<EntryView> entries;
  for (const auto& entry : json_get<Json>(manifest, "entries", source)) {
    const auto folder = json_get<std::string>(entry, "folder", source);
    if (!is_plain_name(folder))
      throw Error(fmt::format("{}: '{}' is no name of an entry's folder", source, folder));
    if (std::any_of(entries.begin(), entries.end(), [&](const auto& e) { return e.folder == folder; }))
      throw Error(fmt::format("{}: the entry '{}' is named twice", source, folder));
    entries.push_back({folder, paths.entry(folder)});
  }
  return entries;
}

/// A profile that this program does not know comes from the submission itself.
ContestRules rules_of(const Json& manifest, const SubmissionPaths& paths) {
  const auto name = json_get<std::string>(manifest, "contest", paths.manifest().string());
  const auto known = contest_names();
  if (std::find(known.begin(), known.end(), name) != known.end()) return find_contest_rules(name);
  return parse_contest_rules(read_file(rules_file(paths)), rules_file(paths).string());
}

}  // namespace

fs::path rules_file(const SubmissionPaths& paths) {
  return paths.root / "rules.json";
}

Json EntryView::manifest() const {
  return read_json(paths.manifest());
}

std::string EntryView::id() const {
  return json_get<std::string>(manifest(), "id", paths.manifest().string());
}

Json EntryView::shares() const {
  return json_get<Json>(manifest(), "models", paths.manifest().string());
}

std::vector<std::string> EntryView::models() const {
  const std::string source = paths.manifest().string();
  std::vector<std::string> names;
  for (const auto& model : shares()) {
    names.push_back(json_get<std::string>(model, "member", source));
    if (!names.back().empty() && !is_plain_name(names.back()))
      throw Error(fmt::format("{}: '{}' is no name of a member", source, names.back()));
  }
  return names;
}

std::vector<std::string> EntryView::runs() const {
  const std::string source = paths.manifest().string();
  const auto ids = json_get<std::vector<std::string>>(manifest(), "runs", source);
  for (const auto& id : ids) {
    if (!is_plain_name(id)) throw Error(fmt::format("{}: '{}' is no name of a run", source, id));
  }
  if (ids.empty()) throw Error(fmt::format("{}: 'runs' is empty", source));
  return ids == std::vector{id()} ? std::vector<std::string>{""} : ids;
}

RunSpec EntryView::spec(const std::string& run) const {
  const fs::path file = paths.training(run) / kSpecFile;
  return run_spec_from_json(read_json(file), file.string());
}

bool EntryView::is_of_other_program() const {
  const auto names = runs();
  return std::any_of(names.begin(), names.end(),
                     [this](const std::string& run) { return spec(run).is_command(); });
}

Json EntryView::evaluation() const {
  return json_get<Json>(manifest(), "evaluation", paths.manifest().string());
}

std::string EntryView::evaluation_name() const {
  return json_get<std::string>(manifest(), "evaluation_name", paths.manifest().string());
}

Json EntryView::recorded_evaluation() const {
  const fs::path file = RunPaths{paths.training("")}.run();
  const std::string name = evaluation_name();
  for (const auto& evaluation : json_get<Json>(read_json(file), "evaluations", file.string())) {
    if (json_get<std::string>(evaluation, "name", file.string()) == name) return evaluation;
  }
  throw Error(fmt::format("{}: it has no evaluation '{}'", file.string(), name));
}

std::string EntryView::method() const {
  return json_get<std::string>(manifest(), "method", paths.manifest().string());
}

SubmissionView SubmissionView::open(const fs::path& folder, const VerifyOptions& options) {
  return open(folder, options, list_files(folder));
}

SubmissionView SubmissionView::open(const fs::path& folder, const VerifyOptions& options,
                                    std::vector<ManifestFile> files) {
  SubmissionView view;
  view.paths = {folder};
  view.options = options;
  view.files = std::move(files);
  for (const auto& file : view.files) {
    if (file.path.ends_with(".json") && file.bytes > kMostJson_bytes)
      throw Error(
          fmt::format("{}: {} is more than any file of its kind has", file.path, bytes_text(file.bytes)));
  }
  view.manifest = read_json(view.paths.manifest());
  view.entries = entries_of(view.manifest, view.paths);
  view.rules =
      options.rules.empty() ? rules_of(view.manifest, view.paths) : find_contest_rules(options.rules);
  return view;
}

std::string SubmissionView::sha256_of(const fs::path& file) const {
  const std::string path = name_of_file(file);
  const auto found = std::lower_bound(files.begin(), files.end(), path,
                                      [](const ManifestFile& f, const std::string& p) { return f.path < p; });
  return found == files.end() || found->path != path ? "" : found->sha256;
}

std::string SubmissionView::name_of_file(const fs::path& file) const {
  return file.lexically_relative(paths.root).generic_string();
}

}  // namespace expctl
