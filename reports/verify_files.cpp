#include "reports/verify_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "core/version.h"
#include "reports/package_entry.h"
#include "reports/submission.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

void compare_with_manifest(const Json& manifest, const fs::path& source,
                           const std::vector<ManifestFile>& found, const std::string& by,
                           Findings& findings) {
  const auto expected = files_from_json(json_get<Json>(manifest, "files", source.string()), source.string());
  for (const auto& problem : compare_files(expected, found)) findings.problems.push_back(by + problem);
}

/// An item of the rules for one name: "" leaves no trace of the mark.
fs::path filled(std::string item, std::string_view mark, const std::string& name) {
  if (const size_t at = item.find(mark); at != std::string::npos) item.replace(at, mark.size(), name);
  return fs::path(item).lexically_normal();
}

/// The paths that an item of the rules stands for in an entry.
std::vector<fs::path> paths_of_item(const std::string& item, const EntryView& entry) {
  for (const auto& [mark, names] :
       {std::pair("{run}", &EntryView::runs), std::pair("{model}", &EntryView::models)}) {
    if (item.find(mark) == std::string::npos) continue;
    std::vector<fs::path> paths;
    for (const auto& name : (entry.*names)()) paths.push_back(filled(item, mark, name));
    return paths;
  }
  return {item};
}

double total_weight(const Json& shares) {
  double total = 0;
  for (const auto& share : shares) total += share.value("weight", 1.0);
  return total;
}

/// How an ensemble's record says that members were combined; nothing where there is no record.
void add_combination(const fs::path& record, Json& parts) {
  if (!fs::exists(record)) return;
  const Json ensemble = read_json(record);
  const Json members = json_get<Json>(ensemble, "members", record.string());
  const double total = total_weight(members);
  parts.push_back(ensemble.value("method", Json()));
  for (const auto& member : members)
    parts.push_back(
        {member.value("id", Json()), member.value("weight", 1.0) / total, member.value("scale", 1.0)});
}

/// What an entry answers with, as one text: the weights that it is of, whatever else is said of them. Nothing
/// where it has no checkpoint.
std::optional<std::string> substance_of(const SubmissionView& view, const EntryView& entry) {
  const Json manifest = entry.manifest();
  const auto models = entry.models();
  Json parts = Json::array();
  if (models.size() > 1) parts.push_back(manifest.value("method", Json()));
  const Json shares = entry.shares();
  const double total = total_weight(shares);
  for (size_t i = 0; i < models.size(); ++i) {
    const Json& model = shares[i];
    Json part = Json::array({view.sha256_of(CheckpointPaths{entry.paths.checkpoint(models[i])}.weights())});
    if (models.size() > 1)
      part.insert(part.end(), {model.value("weight", 1.0) / total, model.value("scale", 1.0)});
    parts.push_back(part);
  }
  if (models.empty()) {
    const std::string checkpoint = view.name_of_file(entry.paths.checkpoint(""));
    for (const auto& file : files_below(view.files, fs::path(checkpoint).parent_path().generic_string()))
      parts.push_back(file.path + file.sha256);
    if (!parts.empty()) add_combination(RunPaths{entry.paths.training("")}.ensemble(), parts);
  }
  if (parts.empty()) return std::nullopt;
  std::sort(parts.begin(), parts.end());
  return json_line(parts);
}

// -- records

/// run.json of a run that the entry comes from, or "" of the entry itself.
struct Record {
  std::string source;  ///< for messages
  Json json;
  bool is_imported() const { return json_get<std::string>(json, "sweep", source).empty(); }
  std::vector<std::string> members() const {
    return json_get<std::vector<std::string>>(json, "members", source, {});
  }
};

Record read_record(const SubmissionView& view, const EntryView& entry, const std::string& run) {
  const fs::path file = RunPaths{entry.paths.training(run)}.run();
  return {view.name_of_file(file), read_json(file)};
}

/// Where the files of an entry lie that the record of `run` vouches for (of "" that of the entry itself), by
/// their paths in the folder that it is the record of.
std::map<fs::path, fs::path> vouched_files(const EntryView& entry, const std::string& run) {
  const RunPaths there{""};
  const bool is_run = entry.runs() == std::vector<std::string>{""} || !run.empty();
  std::map<fs::path, fs::path> places;
  if (is_run) {
    for (const auto& path : {there.log(), there.metrics()}) places[path] = entry.paths.logs(run) / path;
    for (const auto& path : {there.command(), there.environment()})
      places[path] = entry.paths.training(run) / path;
  }
  if (run.empty() && entry.evaluation_name() == kDefaultEvaluation) {
    for (const auto& path : {there.predictions(), there.nbest(), there.eval()})
      places[path] = entry.paths.folder / path;
    if (is_run || entry.method() == "soup")  // an average's are put together when it is packed
      places[there.inference_stats()] = entry.paths.folder / there.inference_stats();
  }
  const auto models = entry.models();
  const bool has_model = std::find(models.begin(), models.end(), run) != models.end();
  if (!has_model && !(models.empty() && is_run)) return places;
  const fs::path checkpoint = entry.paths.checkpoint(run);
  if (has_model)
    places[CheckpointPaths{there.checkpoint()}.weights()] = CheckpointPaths{checkpoint}.weights();
  std::error_code absent;
  for (const auto& file : fs::directory_iterator(checkpoint, absent)) {
    if (file.is_regular_file()) places[there.checkpoint() / file.path().filename()] = file.path();
  }
  return places;
}

/// Every file that the record vouches for is what it was, and has been recorded.
void check_artifacts(const SubmissionView& view, const EntryView& entry, const std::string& run,
                     const Record& record, Findings& findings) {
  std::map<fs::path, std::string> recorded;
  for (const auto& artifact : json_get<Json>(record.json, "artifacts", record.source))
    recorded[json_get<std::string>(artifact, "path", record.source)] =
        json_get<std::string>(artifact, "sha256", record.source);
  for (const auto& [path, place] : vouched_files(entry, run)) {
    const std::string found = view.sha256_of(place);
    const auto then = recorded.find(path);
    if (then == recorded.end() ? found.empty() : found == then->second) continue;
    const char* what = then == recorded.end() ? "was not on record when the run ended"
                       : found.empty()        ? "is missing, which was there when the run ended"
                                              : "is not the file that was there when the run ended";
    findings.problems.push_back(fmt::format("{} {}", view.name_of_file(place), what));
  }
}

bool was_recorded(const Record& record, const fs::path& path) {
  for (const auto& artifact : json_get<Json>(record.json, "artifacts", record.source)) {
    if (json_get<std::string>(artifact, "path", record.source) == path) return true;
  }
  return false;
}

void check_run_record(const SubmissionView& view, const EntryView& entry, const std::string& run,
                      Findings& findings) {
  const Record record = read_record(view, entry, run);
  const RunSpec spec = entry.spec(run);
  const auto complain = [&](const std::string& what) {
    findings.problems.push_back(fmt::format("{}: {}", record.source, what));
  };
  const std::string id = run.empty() ? entry.id() : run;
  if (json_get<std::string>(record.json, "id", record.source) != id)
    complain(fmt::format("it is not of {}", id));
  if (json_get<std::string>(record.json, "state", record.source) != "succeeded")
    complain("the run has not succeeded");
  if (json_get<std::string>(record.json, "config_hash", record.source) != config_hash(spec))
    complain(fmt::format("{} has other settings than the run had", kSpecFile));
  if (json_get<int64_t>(record.json, "seed", record.source) != spec.train.seed)
    complain(fmt::format("{} has another seed than the run had", kSpecFile));
  const fs::path weights = CheckpointPaths{RunPaths{""}.checkpoint()}.weights();
  if (entry.models().empty() && !spec.is_command() && !record.is_imported() && was_recorded(record, weights))
    complain("a run of expctl-train left a checkpoint, which is not handed in");
  check_artifacts(view, entry, run, record, findings);
}

/// An ensemble is of the runs that its record says, with the shares of ensemble.json.
void check_members(const SubmissionView& view, const EntryView& entry, const Record& record,
                   Findings& findings) {
  const auto complain = [&](const std::string& what) {
    findings.problems.push_back(fmt::format("{}: {}", entry.folder, what));
  };
  const auto members = record.members();
  const bool is_run = members.empty();
  if (entry.runs() != (is_run ? std::vector<std::string>{""} : members)) {
    complain(fmt::format("manifest.json and {} name other runs", record.source));
    return;
  }
  if (is_run) return;
  const fs::path file = RunPaths{entry.paths.training("")}.ensemble();
  const std::string source = view.name_of_file(file);
  const Json ensemble = read_json(file);
  if (ensemble.value("method", "") != entry.method()) complain(source + " names another method");
  Json shares = Json::array();
  for (const auto& member : json_get<Json>(ensemble, "members", source)) {
    Json share = {{"member", json_get<std::string>(member, "id", source)},
                  {"weight", json_get<double>(member, "weight", source)}};
    if (member.contains("scale")) share["scale"] = member["scale"];
    shares.push_back(share);
  }
  const Json own = Json::array({{{"member", ""}, {"weight", 1.0}}});
  const Json models = entry.shares();
  if (!models.empty() && models != (entry.method() == "soup" ? own : shares))
    complain(fmt::format("manifest.json and {} give other shares", source));
}

/// The score that the record gives to the entry's evaluation.
void check_recorded_score(const EntryView& entry, const Record& record, Findings& findings) {
  const fs::path eval_file = entry.paths.results().eval();
  const Json settings = entry.recorded_evaluation();
  if (json_get<double>(settings, "f1", record.source) !=
      json_get<double>(read_json(eval_file), "f1", eval_file.string()))
    findings.problems.push_back(
        fmt::format("{}: eval.json has another F1 than the record of {}", entry.folder, entry.id()));
}

/// How an entry without a model of expctl-train's answers again is for its own program to say.
bool is_for_a_model(const fs::path& path) {
  const EntryPaths here{""};
  return path == here.eval_only_sh() || path == here.eval_only_py() ||
         path == here.results().inference_stats();
}

void check_item(const EntryView& entry, const fs::path& path, Findings& findings) {
  if (fs::is_regular_file(entry.paths.folder / path)) return;
  const std::string missing = fmt::format("{}/{} is missing", entry.folder, path.string());
  if (!is_for_a_model(path) || !entry.models().empty())
    findings.problems.push_back(missing);
  else if (entry.is_of_other_program())
    findings.unproven.push_back(missing + ": the judges need what the program that trained it has for it");
  else
    findings.problems.push_back(missing + ": its weights were cleared away");
}

}  // namespace

void check_files(const SubmissionView& view, Findings& findings) {
  compare_with_manifest(view.manifest, view.paths.manifest(), view.files, "", findings);
  for (const auto& entry : view.entries)
    compare_with_manifest(entry.manifest(), entry.paths.manifest(), files_below(view.files, entry.folder),
                          fmt::format("by {}'s own manifest ", entry.folder), findings);
}

void check_items(const SubmissionView& view, Findings& findings) {
  if (view.rules.top != 0 && view.entries.size() != view.rules.top)
    findings.problems.push_back(fmt::format("{} asks for {} entries; there are {}", view.rules.name,
                                            view.rules.top, view.entries.size()));
  for (const auto& entry : view.entries) {
    for (const auto& item : view.rules.items) {
      for (const auto& path : paths_of_item(item, entry)) check_item(entry, path, findings);
    }
  }
}

void check_ids(const SubmissionView& view, Findings& findings) {
  const Json summary = read_json(view.paths.summary());
  const Json in_manifest = json_get<Json>(view.manifest, "entries", "manifest.json");
  const Json in_summary = json_get<Json>(summary, "entries", "summary.json");
  if (in_manifest.size() != in_summary.size())
    throw Error(
        fmt::format("manifest.json has {} entries, summary.json {}", in_manifest.size(), in_summary.size()));
  std::set<std::string> ids;
  std::map<std::string, std::string> by_substance;
  for (size_t i = 0; i < in_manifest.size(); ++i) {
    const EntryView& entry = view.entries[i];
    const auto id = json_get<std::string>(in_manifest[i], "id", "manifest.json");
    if (!ids.insert(id).second) findings.problems.push_back(fmt::format("{} is handed in twice", id));
    const Json own = entry.manifest();
    if (json_get<std::string>(in_summary[i], "folder", "summary.json") != entry.folder ||
        json_get<std::string>(in_summary[i], "id", "summary.json") != id ||
        json_get<std::string>(own, "id", "manifest.json") != id ||
        json_get<std::string>(own, "folder", "manifest.json") != entry.folder) {
      findings.problems.push_back(
          fmt::format("{} is bound to different entries by manifest.json, summary.json and its own manifest",
                      entry.folder));
    }
    if (entry.folder != folder_name(view.rules.entry_folder, i + 1))
      findings.problems.push_back(
          fmt::format("{} is not what {} calls the folder of rank {}", entry.folder, view.rules.name, i + 1));
    if (const auto substance = substance_of(view, entry)) {
      const auto [known, is_new] = by_substance.emplace(*substance, id);
      if (!is_new)
        findings.problems.push_back(fmt::format("{} and {} are the same checkpoint", known->second, id));
    }
  }
}

void check_records(const SubmissionView& view, Findings& findings) {
  for (const auto& entry : view.entries) {
    const Record record = read_record(view, entry, "");
    if (json_get<std::string>(record.json, "id", record.source) != entry.id())
      findings.problems.push_back(fmt::format("{}: it is not of {}", record.source, entry.id()));
    check_members(view, entry, record, findings);
    for (const auto& run : entry.runs()) check_run_record(view, entry, run, findings);
    if (!record.members().empty()) check_artifacts(view, entry, "", record, findings);
    check_recorded_score(entry, record, findings);
  }
}

void check_scripts(const SubmissionView& view, Findings& findings) {
  std::vector<std::string> of_others;
  for (const auto& entry : view.entries) {
    const Json manifest = entry.manifest(), evaluation = entry.evaluation();
    if (entry.models().empty() || evaluation.is_null()) continue;
    if (manifest.value("expctl", "") != build_id()) {
      of_others.push_back(entry.folder);
      continue;
    }
    const EvalOnlyScripts scripts = eval_only_scripts(entry.method(), entry.shares(), evaluation);
    for (const auto& [file, text] : {std::pair(entry.paths.eval_only_sh(), scripts.sh),
                                     std::pair(entry.paths.eval_only_py(), scripts.py)}) {
      if (fs::exists(file) && read_file(file) != text)
        findings.problems.push_back(
            fmt::format("{} is not the script that this entry's settings give", view.name_of_file(file)));
    }
  }
  if (!of_others.empty())
    findings.unproven.push_back(fmt::format(
        "another build of expctl wrote those of {}, so they are not compared", join(of_others, ", ")));
}

}  // namespace expctl
