#include "cli/ensemble_members.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/hash.h"
#include "core/text.h"
#include "registry/spec_of.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// "" where the run can be a member.
std::string unfit(const RunRecord& run, const WorkspacePaths& workspace, Method method) {
  if (run.state != RunState::kSucceeded)
    return fmt::format("{} is {}: a member has to have succeeded", run.id, name_of(run.state));
  const fs::path file = combined_file(workspace, run.id, method);
  if (!fs::is_regular_file(file))
    return fmt::format("{} has no {}", run.id, file.lexically_relative(workspace.folder(run.id)).string());
  return {};
}

/// Answers of members that are decoded differently have no common form.
void check_decoding(const std::vector<RunRecord>& runs) {
  const auto decoding = [](const RunRecord& run) {
    const TrainSpec train = spec_of(run).train;
    return Json{
        {"n_best", train.n_best}, {"max_answer_length", train.max_answer_length}, {"decode", train.decode}};
  };
  for (const auto& run : runs) {
    if (decoding(run) == decoding(runs.front())) continue;
    throw Error(fmt::format("{} and {} are decoded differently: {} and {}", runs.front().id, run.id,
                            json_line(decoding(runs.front())), json_line(decoding(run))),
                "an ensemble's answers are decoded in one way");
  }
}

void check_vocabularies(const std::vector<RunRecord>& runs, const WorkspacePaths& workspace) {
  const auto vocabulary = [&](const RunRecord& run) {
    const fs::path file = CheckpointPaths{workspace.run(run.id).checkpoint()}.vocab();
    if (!fs::is_regular_file(file))
      throw Error(fmt::format("{} has no {}: its tokens cannot be read as text", run.id,
                              file.lexically_relative(workspace.folder(run.id)).string()),
                  "--method nbest needs n-best answers only");
    return sha256_file(file);
  };
  const std::string first = vocabulary(runs.front());
  for (const auto& run : runs) {
    if (vocabulary(run) == first) continue;
    throw Error(fmt::format("{} and {} have different vocabularies", runs.front().id, run.id),
                "their tokens are not the same; --method nbest merges the answers of any");
  }
}

void check_data(const std::vector<RunRecord>& runs) {
  const Input first = spec_of(runs.front()).dev_data;
  if (first.path.empty())
    throw Error(
        fmt::format("{} has no dev data, so it is not known which questions it answers", runs.front().id),
        "of a sweep [data] dev names it, of an import: expctl import DIR --dev FILE");
  for (const auto& run : runs) {
    const Input dev = spec_of(run).dev_data;
    if (dev.sha256 == first.sha256) continue;
    throw Error(fmt::format("{} and {} were evaluated on different data: {} and {}", runs.front().id, run.id,
                            first.path, dev.path),
                "only answers to the same questions can be combined");
  }
}

}  // namespace

fs::path combined_file(const WorkspacePaths& workspace, const std::string& id, Method method) {
  const RunPaths paths = workspace.run(id);
  if (method == Method::kNBest) return paths.nbest();
  return method == Method::kSoup ? CheckpointPaths{paths.checkpoint()}.weights() : paths.logits();
}

EnsembleMembers find_members(const Registry& registry, const WorkspacePaths& workspace,
                             const std::vector<std::string>& words, Method method) {
  EnsembleMembers members;
  std::set<std::string> ids;
  for (const auto& word : words) {
    if (registry.find_sweep(word))
      throw Error(fmt::format("{} is a sweep, not a run", word),
                  fmt::format("expctl ensemble --pool {} combines its runs", word), ErrorCode::kUsage);
    const RunRecord run = registry.resolve_run(word);
    if (!ids.insert(run.id).second)
      throw Error(fmt::format("{} is named twice", run.id), "--weights gives a member more weight",
                  ErrorCode::kUsage);
    if (const auto nested = registry.ensemble_members(run.id); !nested.empty()) {
      throw Error(fmt::format("{} is an ensemble itself", run.id),
                  fmt::format("name its members: {}", join(nested, " ")));
    }
    if (const auto why = unfit(run, workspace, method); !why.empty()) {
      const bool has_nbest = fs::exists(workspace.run(run.id).nbest());
      throw Error(
          why, run.state != RunState::kSucceeded ? "expctl runs list shows the states"
               : has_nbest                       ? "--method nbest needs its n-best only"
               : spec_of(run).is_command()
                   ? "runs of expctl-train leave one, and of a command --method nbest needs only its n-best"
                   : "expctl registry check says what else is missing");
    }
    members.runs.push_back(run);
  }
  if (members.runs.size() < 2)
    throw Error("an ensemble has at least two members", "expctl ensemble run3 run5", ErrorCode::kUsage);
  check_data(members.runs);
  if (method != Method::kNBest) {
    check_vocabularies(members.runs, workspace);
    check_decoding(members.runs);
  }
  members.spec = spec_of(members.runs.front());
  for (const auto& run : members.runs) {
    if (method == Method::kSoup && spec_of(run).init.sha256 != members.spec.init.sha256)
      throw Error(fmt::format("{} and {} were trained from different inits", members.runs.front().id, run.id),
                  "weights can be averaged of runs from the same init only");
  }
  return members;
}

std::vector<std::string> find_pool(const Registry& registry, const WorkspacePaths& workspace,
                                   const std::vector<std::string>& words, Method method) {
  std::vector<std::string> ids;
  for (const auto& run : registry.resolve_runs(
           words, [&](const RunRecord& of_sweep) { return unfit(of_sweep, workspace, method).empty(); }))
    ids.push_back(run.id);
  return ids;
}

std::vector<LogitsMember> read_logits_members(const EnsembleMembers& members,
                                              const WorkspacePaths& workspace) {
  std::vector<LogitsMember> read;
  for (const auto& run : members.runs)
    read.push_back({run.id, 1, read_logits(combined_file(workspace, run.id, Method::kLogits))});
  return read;
}

std::vector<NBestMember> read_nbest_members(const EnsembleMembers& members, const WorkspacePaths& workspace) {
  std::vector<NBestMember> read;
  for (const auto& run : members.runs)
    read.push_back({run.id, 1, read_nbest(combined_file(workspace, run.id, Method::kNBest))});
  return read;
}

std::vector<SoupMember> read_soup_members(const EnsembleMembers& members, const WorkspacePaths& workspace) {
  std::vector<SoupMember> read;
  for (const auto& run : members.runs)
    read.push_back({run.id, 1, open_stored_bert(workspace.run(run.id).checkpoint())});
  return read;
}

Dataset read_dev_data(const EnsembleMembers& members) {
  const Input& dev = members.spec.dev_data;
  if (sha256_file(dev.path) != dev.sha256) {
    throw Error(
        fmt::format("{}: it has changed since {} was evaluated on it", dev.path, members.runs.front().id),
        "put the file back");
  }
  return read_dataset(dev.path);
}

}  // namespace expctl
