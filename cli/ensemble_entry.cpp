#include "cli/ensemble_entry.h"

#include <fmt/core.h>

#include <map>

#include "core/clock.h"
#include "core/draft_folder.h"
#include "core/evaluation_settings.h"
#include "core/files.h"
#include "core/hash.h"
#include "runner/attempt_results.h"
#include "runner/record_files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// What a member's file is called in ensemble.json.
const char* hash_key(Method method) {
  if (method == Method::kNBest) return "nbest_sha256";
  return method == Method::kSoup ? "weights_sha256" : "logits_sha256";
}

/// What ensemble.json holds but the id.
Json describe(const EnsembleMembers& members, Method method, const EnsembleChoice& choice,
              const std::vector<double>& scales, const WorkspacePaths& workspace) {
  Json list = Json::array();
  for (size_t i = 0; i < members.size(); ++i) {
    if (choice.weights[i] == 0) continue;
    const std::string& id = members.runs[i].id;
    Json member = {{"id", id}, {"weight", choice.weights[i]}};
    if (scales[i] != 1) member["scale"] = scales[i];
    member[hash_key(method)] = sha256_file(combined_file(workspace, id, method));
    list.push_back(member);
  }
  const Input& dev = members.spec.dev_data;
  Json description = {{"schema_version", 1},
                      {"method", name_of(method)},
                      {"selected", choice.selection.is_null() ? "by hand" : choice.selection["by"]},
                      {"members", list},
                      {"data", {{"dev", {{"path", dev.path}, {"sha256", dev.sha256}}}}},
                      {"train", to_json(members.spec.train)}};
  if (!choice.selection.is_null()) description["selection"] = choice.selection;
  return description;
}

/// What makes two ensembles the same one: method, and the members' files with their scales and their shares
/// of the whole, in whatever order.
std::map<std::string, double> identity_of(const Json& description) {
  double total = 0;
  for (const auto& member : description["members"]) total += member["weight"].get<double>();
  std::map<std::string, double> shares;
  for (const auto& member : description["members"]) {
    Json key = member;
    key.erase("weight");
    shares[description["method"].get<std::string>() + json_line(key)] =
        member["weight"].get<double>() / total;
  }
  return shares;
}

/// `own`: the entry itself, where it is on record by now.
std::optional<RunRecord> find_same(const Registry& registry, const Json& description,
                                   const std::string& own = {}) {
  RunFilter filter;
  filter.runs = false;
  for (const auto& known : registry.list_runs(filter)) {
    if (known.id != own && identity_of(known.spec) == identity_of(description)) return known;
  }
  return std::nullopt;
}

/// Ends the transaction that was to record an entry.
struct AlreadyThere {
  RunRecord entry;
};

}  // namespace

EnsembleRecorder::EnsembleRecorder(const Program& program, Registry& registry, const EnsembleMembers& members,
                                   Method method, MemberCombiner& combiner)
    : program_(program),
      workspace_(program.workspace()),
      registry_(registry),
      members_(members),
      method_(method),
      combiner_(combiner) {}

/// The answers are made in a folder beside the runs, which becomes the entry's once it is whole.
RunRecord EnsembleRecorder::record(const EnsembleChoice& choice) {
  const Json description = describe(members_, method_, choice, combiner_.scales(), workspace_);
  const auto say_known = [&](const RunRecord& same) {
    const bool alike = same.spec.value("selection", Json()) == choice.selection;
    say(program_, fmt::format("{} is this ensemble already{}", same.id,
                              alike ? "" : "; the record of how it was first chosen is kept"));
    return same;
  };
  if (const auto same = find_same(registry_, description)) return say_known(*same);
  const DraftFolder draft(workspace_.folder("ensemble"));
  const RunPaths paths{draft.path()};
  combiner_.write(choice.weights, draft.path());
  NewEnsemble entry{"ensemble", description, {}, {}, read_artifacts("", paths)};
  for (const auto& member : description["members"]) entry.members.push_back(member["id"]);
  if (fs::exists(paths.eval())) {
    const Json score = read_json(paths.eval());
    entry.evaluation = {"", kDefaultEvaluation, score["f1"], score["exact_match"],
                        evaluation_settings(members_.spec)};
  }
  try {
    return registry_.add_ensemble(entry, SystemClock().now_s(), [&](const std::string& id) {
      // Asked again where nobody else writes: the same command may have run beside this one.
      if (const auto same = find_same(registry_, description, id)) throw AlreadyThere{*same};
      Json file = description;
      file["id"] = id;
      write_file(paths.ensemble(), json_text(file));
      write_run_file(registry_, id, paths);
      draft.become(workspace_.folder(id));
    });
  } catch (const AlreadyThere& there) {
    return say_known(there.entry);
  }
}

}  // namespace expctl
