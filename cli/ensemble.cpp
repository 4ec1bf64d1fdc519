// `expctl ensemble ID ID ...`: a new entry, ens1, whose span logits are the mean of its members', scored.
#include <fmt/core.h>

#include <algorithm>
#include <map>
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
#include "runner/record_files.h"
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

/// What ensemble.json holds but the id.
Json describe(const std::vector<EnsembleMember>& members, const WorkspacePaths& workspace,
              const RunSpec& spec) {
  Json list = Json::array();
  for (const auto& member : members) {
    const RunPaths paths{workspace.folder(member.id)};
    list.push_back(
        {{"id", member.id}, {"weight", member.weight}, {"logits_sha256", sha256_file(paths.logits())}});
  }
  return {{"schema_version", 1},
          {"method", "logits"},
          {"selected", "by hand"},
          {"members", list},
          {"data", {{"dev", {{"path", spec.dev_data.path}, {"sha256", spec.dev_data.sha256}}}}},
          {"train", to_json(spec.train)}};
}

/// What makes two ensembles the same one: the members' logits with their shares of the whole, in whatever
/// order.
std::map<std::string, double> identity_of(const Json& description) {
  double total = 0;
  for (const auto& member : description["members"]) total += member["weight"].get<double>();
  std::map<std::string, double> shares;
  for (const auto& member : description["members"]) {
    shares[member["id"].get<std::string>() + member["logits_sha256"].get<std::string>()] =
        member["weight"].get<double>() / total;
  }
  return shares;
}

std::optional<RunRecord> find_same(const Registry& registry, const Json& description) {
  RunFilter filter;
  filter.runs = false;
  for (const auto& known : registry.list_runs(filter)) {
    if (known.spec["method"] == description["method"] && identity_of(known.spec) == identity_of(description))
      return known;
  }
  return std::nullopt;
}

/// Answers of members that are decoded differently have no common form.
void check_decoding(const std::vector<RunRecord>& runs) {
  const auto decoding = [](const RunRecord& run) {
    const TrainSpec spec = run_spec_from_json(run.spec, "registry: spec of " + run.id).train;
    return Json{
        {"n_best", spec.n_best}, {"max_answer_length", spec.max_answer_length}, {"decode", spec.decode}};
  };
  for (const auto& run : runs) {
    if (decoding(run) == decoding(runs.front())) continue;
    throw Error(fmt::format("{} and {} are decoded differently: {} and {}", runs.front().id, run.id,
                            json_line(decoding(runs.front())), json_line(decoding(run))),
                "an ensemble's answers are decoded in one way");
  }
}

/// The answers of the averaged logits in a folder beside the runs, which becomes the entry's once it is
/// whole.
RunRecord make_ensemble(Registry& registry, const WorkspacePaths& workspace,
                        const std::vector<EnsembleMember>& members, const RunSpec& spec,
                        const Json& description) {
  const LogitsFile mean = mean_logits(members);
  const std::string& first = members.front().id;
  if (sha256_file(spec.dev_data.path) != spec.dev_data.sha256) {
    throw Error(fmt::format("{}: it has changed since {} was evaluated on it", spec.dev_data.path, first),
                "put the file back");
  }
  const Dataset dataset = read_dataset(spec.dev_data.path);
  const CheckpointPaths checkpoint{RunPaths{workspace.folder(first)}.checkpoint()};
  const auto answers = decode_logits(mean, dataset, Vocabulary::read(checkpoint.vocab()), spec.train, first);

  const DraftFolder draft(workspace.folder("ensemble"));
  const RunPaths paths{draft.path()};
  write_logits(paths.logits(), mean);
  const auto score = write_answers(paths, dataset, answers);
  NewEnsemble entry{"ensemble", description, {}, {}};
  for (const auto& member : members) entry.members.push_back(member.id);
  if (score) entry.evaluation = {"", "default", score->f1, score->exact_match, evaluation_settings(spec)};
  return registry.add_ensemble(entry, SystemClock().now_s(), [&](const std::string& id) {
    Json file = description;
    file["id"] = id;
    write_file(paths.ensemble(), json_text(file));
    write_run_file(registry, id, paths);
    draft.become(workspace.folder(id));
  });
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
  fmt::print("{}", render_table({"entry", "F1", "EM"}, rows, stdout_style()));
}

int ensemble(const Program& program, const EnsembleOptions& options) {
  if (!options.weights.empty() && options.weights.size() != options.ids.size()) {
    throw Error(fmt::format("{} weights for {} members", options.weights.size(), options.ids.size()),
                "--weights takes one number a member, e.g. --weights 2,1", ErrorCode::kUsage);
  }
  const WorkspacePaths workspace = program.workspace();
  Registry registry = Registry::open_existing(workspace.registry());
  const auto runs = find_members(registry, workspace, options.ids);
  check_decoding(runs);
  std::vector<EnsembleMember> members;
  for (size_t i = 0; i < runs.size(); ++i) {
    members.push_back({runs[i].id, options.weights.empty() ? 1.0 : options.weights[i],
                       read_logits(RunPaths{workspace.folder(runs[i].id)}.logits())});
  }
  const RunSpec spec = run_spec_from_json(runs.front().spec, "registry: spec of " + runs.front().id);
  const Json description = describe(members, workspace, spec);
  auto entry = find_same(registry, description);
  if (entry) say(program, fmt::format("{} is this ensemble already", entry->id));
  if (!entry) entry = make_ensemble(registry, workspace, members, spec, description);
  print_result(program, *entry, runs);
  const auto scored = registry.list_runs();
  const auto count =
      std::count_if(scored.begin(), scored.end(), [](const RunRecord& run) { return run.f1.has_value(); });
  say(program,
      fmt::format("next: expctl{} package --top {}", workspace_option(program), std::min<long>(5, count)));
  return 0;
}

}  // namespace

void add_ensemble(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("ensemble",
                                  "Average the span logits of several runs into a new entry, and score it");
  verb->footer("Example: expctl ensemble run3 run5");
  auto options = std::make_shared<EnsembleOptions>();
  verb->add_option("ID", options->ids, "The runs, e.g. run3 run5")->required()->expected(2, -1);
  verb->add_option("--weights", options->weights,
                   "One number a member, separated by commas (default: all alike)")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->callback(
      [&program, options] { program.action = [&program, options] { return ensemble(program, *options); }; });
}

}  // namespace expctl
