// `expctl ensemble ID ID ...`: a new entry, ens1, whose span logits are the mean of its members', scored.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "cli/program.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/text.h"
#include "ensemble/answers.h"
#include "ensemble/combine.h"
#include "registry/registry.h"
#include "reports/table.h"
#include "squad/answer_files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

struct EnsembleOptions {
  std::vector<std::string> ids;
  std::vector<double> weights;
};

/// The runs that `words` mean, each fit to be a member.
std::vector<RunRecord> find_members(const Registry& registry, const WorkspacePaths& workspace,
                                    const std::vector<std::string>& words) {
  std::vector<RunRecord> members;
  std::set<std::string> ids;
  for (const auto& word : words) {
    const RunRecord run = registry.resolve_run(word);
    if (!ids.insert(run.id).second)
      throw Error(fmt::format("{} is named twice", run.id), "--weights gives a member more weight",
                  ErrorCode::kUsage);
    if (run.state != RunState::kSucceeded) {
      throw Error(fmt::format("{} is {}: a member has to have succeeded", run.id, name_of(run.state)),
                  "expctl runs list shows the states");
    }
    if (const auto nested = registry.ensemble_members(run.id); !nested.empty()) {
      throw Error(fmt::format("{} is an ensemble itself", run.id),
                  fmt::format("name its members: {}", join(nested, " ")));
    }
    if (!fs::exists(RunPaths{workspace.folder(run.id)}.logits())) {
      throw Error(fmt::format("{} has no logits.safetensors: its logits cannot be averaged", run.id),
                  "runs of expctl-train leave one; a command's run does not");
    }
    members.push_back(run);
  }
  return members;
}

/// What makes two ensembles the same one: what ensemble.json holds but the id and the members' scores.
Json describe(const std::vector<RunRecord>& runs, const std::vector<EnsembleMember>& members,
              const WorkspacePaths& workspace, const RunSpec& spec) {
  Json list = Json::array();
  for (size_t i = 0; i < runs.size(); ++i) {
    const RunPaths paths{workspace.folder(runs[i].id)};
    list.push_back(
        {{"id", runs[i].id}, {"weight", members[i].weight}, {"logits_sha256", sha256_file(paths.logits())}});
  }
  return {{"schema_version", 1},
          {"method", "logits"},
          {"selected", "by hand"},
          {"members", list},
          {"data", {{"dev", {{"path", spec.dev_data.path}, {"sha256", spec.dev_data.sha256}}}}},
          {"train", to_json(spec.train)}};
}

std::optional<RunRecord> find_same(const Registry& registry, const Json& description) {
  RunFilter filter;
  filter.runs = false;
  for (const auto& known : registry.list_runs(filter)) {
    if (known.spec == description) return known;
  }
  return std::nullopt;
}

Json evaluation_settings(const RunSpec& spec) {
  return {{"dev_sha256", spec.dev_data.sha256},
          {"max_seq_length", spec.train.eval_max_seq_length},
          {"doc_stride", spec.train.eval_doc_stride},
          {"window", spec.train.eval_window}};
}

/// Computes everything in a folder beside the runs, and makes it an entry once it is whole.
RunRecord make_ensemble(Registry& registry, const WorkspacePaths& workspace,
                        const std::vector<EnsembleMember>& members, const std::vector<std::string>& ids,
                        const RunSpec& spec, Json description) {
  const LogitsFile mean = mean_logits(members);
  if (sha256_file(spec.dev_data.path) != spec.dev_data.sha256) {
    throw Error(
        fmt::format("{}: it has changed since {} was evaluated on it", spec.dev_data.path, ids.front()),
        "put the file back");
  }
  const Dataset dataset = read_dataset(spec.dev_data.path);
  const RunPaths first{workspace.folder(ids.front())};
  const Vocabulary vocabulary = Vocabulary::read(CheckpointPaths{first.checkpoint()}.vocab());
  const auto answers = decode_logits(mean, dataset, vocabulary, spec.train, ids.front());

  const RunPaths draft{workspace.root / fmt::format(".ensemble-{}", ::getpid())};
  fs::remove_all(draft.folder);
  make_folder(draft.folder);
  write_logits(draft.logits(), mean);
  const auto score = write_answers(draft, dataset, answers);
  const RunRecord entry = registry.add_ensemble("ensemble", description, ids, SystemClock().now_s());
  Json file = description;
  file["id"] = entry.id;
  write_file(draft.ensemble(), json_text(file));
  fs::rename(draft.folder, workspace.folder(entry.id));
  if (score)
    registry.set_evaluation({entry.id, "default", score->f1, score->exact_match, evaluation_settings(spec)});
  return registry.find_run(entry.id).value();
}

void print_result(const Program& program, const RunRecord& entry, const std::vector<RunRecord>& members) {
  double f1 = 0, exact_match = 0;
  bool scored = entry.f1.has_value();
  for (const auto& member : members) {
    scored = scored && member.f1 && member.exact_match;
    f1 += member.f1.value_or(0) / static_cast<double>(members.size());
    exact_match += member.exact_match.value_or(0) / static_cast<double>(members.size());
  }
  if (program.json) {
    Json list = Json::array();
    for (const auto& member : members)
      list.push_back({{"id", member.id}, {"f1", member.f1 ? Json(*member.f1) : Json()}});
    fmt::print("{}", json_text({{"schema_version", 1},
                                {"id", entry.id},
                                {"f1", scored ? Json(*entry.f1) : Json()},
                                {"exact_match", scored ? Json(*entry.exact_match) : Json()},
                                {"members_mean_f1", scored ? Json(f1) : Json()},
                                {"members", list}}));
    return;
  }
  std::vector<std::vector<std::string>> rows;
  const auto row = [&](const std::string& name, std::optional<double> f1_score, std::optional<double> exact) {
    rows.push_back({name, f1_score ? fmt::format("{:.4f}", *f1_score) : "-",
                    exact ? fmt::format("{:.4f}", *exact) : "-"});
  };
  for (const auto& member : members) row(member.id, member.f1, member.exact_match);
  if (scored) row("their mean", f1, exact_match);
  row(entry.id, entry.f1, entry.exact_match);
  fmt::print("{}", render_table({"entry", "F1", "EM"}, rows));
}

int ensemble(const Program& program, const EnsembleOptions& options) {
  if (!options.weights.empty() && options.weights.size() != options.ids.size()) {
    throw Error(fmt::format("{} weights for {} members", options.weights.size(), options.ids.size()),
                "--weights takes one number a member, e.g. --weights 2,1", ErrorCode::kUsage);
  }
  const WorkspacePaths workspace = program.workspace();
  Registry registry = Registry::open_existing(workspace.registry());
  const auto runs = find_members(registry, workspace, options.ids);
  std::vector<EnsembleMember> members;
  std::vector<std::string> ids;
  for (size_t i = 0; i < runs.size(); ++i) {
    ids.push_back(runs[i].id);
    members.push_back({ids.back(), options.weights.empty() ? 1.0 : options.weights[i],
                       read_logits(RunPaths{workspace.folder(ids.back())}.logits())});
  }
  const RunSpec spec = run_spec_from_json(runs.front().spec, "registry: spec of " + ids.front());
  const Json description = describe(runs, members, workspace, spec);
  const auto known = find_same(registry, description);
  if (known) say(program, fmt::format("{} is this ensemble already", known->id));
  const RunRecord entry =
      known ? *known : make_ensemble(registry, workspace, members, ids, spec, description);
  print_result(program, entry, runs);
  say(program, "next: expctl package --top 5");
  return 0;
}

}  // namespace

void add_ensemble(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("ensemble",
                                  "Average the span logits of several runs into a new entry, and score it");
  auto options = std::make_shared<EnsembleOptions>();
  verb->add_option("ID", options->ids, "The runs, e.g. run3 run5")->required()->expected(2, -1);
  verb->add_option("--weights", options->weights,
                   "One number a member, separated by commas (default: all alike)")
      ->delimiter(',');
  verb->callback(
      [&program, options] { program.action = [&program, options] { return ensemble(program, *options); }; });
}

}  // namespace expctl
