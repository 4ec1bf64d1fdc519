// `expctl ensemble ID ID ...`: a new entry, ens1, whose answers are those of several runs combined, scored;
// of a pool the best combinations.
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "cli/ensemble_choice.h"
#include "cli/ensemble_entry.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/text.h"
#include "reports/candidates.h"
#include "reports/leaderboard.h"
#include "reports/table.h"

namespace expctl {
namespace {

struct EnsembleOptions {
  std::vector<std::string> ids, pool, weights;
  std::string method = "logits", normalise = "none", select;
  SearchPlan plan;
};

/// An entry with the runs that it is made of.
struct Made {
  RunRecord entry;
  std::vector<RunRecord> members;
  Json selection;  ///< of this search; null: chosen by hand

  std::optional<double> mean(std::optional<double> RunRecord::*score) const {
    double sum = 0;
    for (const auto& member : members) {
      if (!(member.*score)) return std::nullopt;
      sum += *(member.*score) / static_cast<double>(members.size());
    }
    return sum;
  }
};

Json made_json(const Made& made) {
  Json members = Json::array();
  for (size_t i = 0; i < made.members.size(); ++i) {
    members.push_back({{"id", made.members[i].id},
                       {"weight", made.entry.spec["members"][i]["weight"]},
                       {"f1", json_or_null(made.members[i].f1)}});
  }
  return {{"id", made.entry.id},
          {"f1", json_or_null(made.entry.f1)},
          {"exact_match", json_or_null(made.entry.exact_match)},
          {"members_mean_f1", json_or_null(made.mean(&RunRecord::f1))},
          {"members", members},
          {"selection", made.selection}};
}

using Rows = std::vector<std::vector<std::string>>;

void add_row(Rows& rows, const std::string& name, std::optional<double> f1, std::optional<double> exact) {
  rows.push_back({name, score_text(f1), score_text(exact)});
}

void print_one(const Made& made) {
  Rows rows;
  for (const auto& member : made.members) add_row(rows, member.id, member.f1, member.exact_match);
  if (made.mean(&RunRecord::f1))
    add_row(rows, "their mean", made.mean(&RunRecord::f1), made.mean(&RunRecord::exact_match));
  add_row(rows, made.entry.id, made.entry.f1, made.entry.exact_match);
  fmt::print("{}", render_table({"entry", "F1", "EM"}, rows, stdout_style()));
}

void print_several(const std::vector<Made>& all) {
  Rows rows;
  for (const auto& made : all) {
    add_row(rows, made.entry.id, made.entry.f1, made.entry.exact_match);
    rows.back().push_back(params_text(made.entry));
  }
  fmt::print("{}", render_table({"entry", "F1", "EM", "members"}, rows, stdout_style()));
}

void print_result(const Program& program, const std::vector<Made>& all) {
  if (program.json) {
    Json json = made_json(all.front());
    json["schema_version"] = 1;
    Json others = Json::array();
    for (size_t i = 1; i < all.size(); ++i) others.push_back(made_json(all[i]));
    json["others"] = others;
    fmt::print("{}", json_text(json));
  } else if (all.size() == 1) {
    print_one(all.front());
  } else {
    print_several(all);
  }
}

Normalise parse_normalise(const std::string& name) {
  const std::map<std::string, Normalise> names = {
      {"none", Normalise::kNone}, {"scale", Normalise::kScale}, {"temperature", Normalise::kTemperature}};
  const auto found = names.find(name);
  if (found == names.end())
    throw Error(fmt::format("--normalise {}: there is no such way", name), "none, scale or temperature",
                ErrorCode::kUsage);
  return found->second;
}

SearchOptions::Kind parse_select(const std::string& name, Method method) {
  if (name == "exhaustive") return SearchOptions::Kind::kExhaustive;
  if (name != "greedy")
    throw Error(fmt::format("--select {}: there is no such search", name), "greedy or exhaustive",
                ErrorCode::kUsage);
  return method == Method::kSoup ? SearchOptions::Kind::kOnce : SearchOptions::Kind::kGreedy;
}

/// --weights, alike where there are none.
std::vector<double> parse_weights(const std::vector<std::string>& texts, const EnsembleMembers& members) {
  std::vector<double> weights(members.size(), 1.0);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto weight = parse_number<double>(texts[i]);
    if (!weight)
      throw Error(fmt::format("--weights: '{}' is no number", texts[i]),
                  "one number a member, separated by commas, e.g. --weights 2,1", ErrorCode::kUsage);
    weights[i] = *weight;
    check_weight(members.runs[i].id, weights[i]);
  }
  return weights;
}

/// Throws Error for options that say nothing together.
void check_options(const EnsembleOptions& options, Method method, bool is_search) {
  const auto refuse = [](const std::string& what, const std::string& hint) {
    throw Error(what, hint, ErrorCode::kUsage);
  };
  if (is_search && !options.weights.empty())
    refuse("--weights and --select: a search finds the weights itself", "leave one of them out");
  const SearchPlan defaults;
  const SearchOptions &own = options.plan.options, &usual = defaults.options;
  if (!is_search &&
      (options.plan.holdout != 0 || own.max_size != usual.max_size ||
       own.sorted_start != usual.sorted_start || own.bags != usual.bags || own.seed != usual.seed))
    refuse("--holdout, --max-size, --sorted-start, --bags, --seed: nothing is chosen here",
           "--select greedy chooses from a pool");
  if (options.select == "exhaustive" &&
      (own.max_size != usual.max_size || own.sorted_start != usual.sorted_start || own.bags != usual.bags))
    refuse("--max-size, --sorted-start, --bags: an exhaustive search tries every set of members",
           "they are of --select greedy");
  if (!(options.plan.holdout >= 0 && options.plan.holdout < 1))
    refuse(fmt::format("--holdout {}: not a share", options.plan.holdout), "e.g. 0.5: half of the questions");
  if (options.normalise != "none" && (method == Method::kNBest || method == Method::kSoup))
    refuse(fmt::format("--normalise {}: --method {} combines no logits", options.normalise, name_of(method)),
           "for logits and probabilities");
}

/// The command that hands the entry in, with what can be ranked beside it.
std::string package_command(const Program& program, const Registry& registry, const RunRecord& entry) {
  auto scored = find_candidates(registry, {});
  std::erase_if(scored, [](const Candidate& candidate) { return !candidate.record.f1; });
  const auto own = std::find_if(scored.begin(), scored.end(),
                                [&](const Candidate& candidate) { return candidate.record.id == entry.id; });
  if (own == scored.end()) return "";
  size_t count = 0;
  std::vector<std::string> others;
  for (const auto& candidate : scored) {
    if (candidate.evaluation == own->evaluation)
      ++count;
    else
      others.push_back(candidate.record.id);
  }
  return fmt::format("expctl{} package --top {}{}", workspace_option(program), std::min(kUsualTop, count),
                     others.empty() ? "" : " --except " + join(others, " "));
}

int ensemble(const Program& program, EnsembleOptions options) {
  const Method method = parse_method(options.method);
  if (options.select.empty() && options.plan.make > 1) options.select = "greedy";
  const bool is_search = !options.select.empty();
  check_options(options, method, is_search);
  if (is_search) options.plan.options.kind = parse_select(options.select, method);
  const Normalise normalise = parse_normalise(options.normalise);
  const WorkspacePaths workspace = program.workspace();
  Registry registry = Registry::open_existing(workspace.registry());

  auto words = options.ids;
  if (!options.pool.empty()) {
    for (const auto& id : find_pool(registry, workspace, options.pool, method)) {
      if (std::find(words.begin(), words.end(), id) == words.end()) words.push_back(id);
    }
  }
  if (!options.pool.empty() && words.size() < 2)
    throw Error(
        fmt::format("--pool {}: fewer than two runs that have succeeded and have {}", join(options.pool, " "),
                    combined_file(workspace, "", method).filename().string()),
        "expctl runs list shows the states");
  if (!options.weights.empty() && options.weights.size() != words.size()) {
    throw Error(
        fmt::format("{} for {}", counted(options.weights.size(), "weight"), counted(words.size(), "member")),
        "--weights takes one number a member, e.g. --weights 2,1", ErrorCode::kUsage);
  }
  const EnsembleMembers members = find_members(registry, workspace, words, method);
  const auto combiner =
      make_combiner(program, members, method, {normalise, options.plan.holdout, options.plan.options.seed});
  SearchResult found;
  if (is_search) {
    found = search_members(*combiner, members, method, options.plan);
    say(program, found.summary);
  } else {
    found.choices = {{parse_weights(options.weights, members), nullptr}};
  }

  EnsembleRecorder recorder(program, registry, members, method, *combiner);
  std::vector<Made> all;
  for (const auto& choice : found.choices) {
    Made made{recorder.record(choice), {}, choice.selection};
    for (const auto& member : made.entry.spec["members"])
      made.members.push_back(registry.resolve_run(member["id"].get<std::string>()));
    all.push_back(std::move(made));
  }
  print_result(program, all);
  if (const auto next = package_command(program, registry, all.front().entry); !next.empty())
    say(program, "next: " + next);
  return 0;
}

}  // namespace

void add_ensemble(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("ensemble", "Combine several runs into a new entry, and score it");
  verb->footer(
      "Examples: expctl ensemble run3 run5\n"
      "          expctl ensemble --pool sweep1 --select greedy --holdout 0.5\n"
      "          expctl ensemble --pool sweep1 --make 5");
  auto options = std::make_shared<EnsembleOptions>();
  SearchPlan& plan = options->plan;
  verb->add_option("ID", options->ids, "The runs, e.g. run3 run5");
  verb->add_option("--pool", options->pool,
                   "Runs to take or to choose from: sweeps (what has succeeded) or ids")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->add_option(
      "--method", options->method,
      "logits, probabilities, nbest (members of any program) or soup (their weights, one model)");
  verb->add_option("--weights", options->weights,
                   "One number a member, separated by commas (default: all alike)")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->add_option("--normalise", options->normalise,
                   "Bring the members' logits on one scale: none, scale, temperature (default: none)");
  verb->add_option("--select", options->select,
                   "Choose members and weights by F1: greedy (Caruana's, with replacement) or exhaustive");
  verb->add_option(
      "--holdout", plan.holdout,
      "Choose without this share of the articles, and score on them (default: 0, choose on all)");
  verb->add_option("--make", plan.make, "The N best different ensembles that the search has tried")
      ->check(CLI::Range(1, kMostCounted));
  verb->add_option("--max-size", plan.options.max_size,
                   "Greedy: at most so many members, repeats counted (10)")
      ->check(CLI::Range(2, 100));
  verb->add_option("--sorted-start", plan.options.sorted_start, "Greedy: begin with the N best members (1)")
      ->check(CLI::Range(1, kMostCounted));
  verb->add_option("--bags", plan.options.bags, "Greedy: N searches, each in half of the pool, added up (0)")
      ->check(CLI::Range(0, kMostCounted));
  verb->add_option("--seed", plan.options.seed, "Of the bags and of what is held out (0)");
  on_call(verb, program, [&program, options] { return ensemble(program, *options); });
}

}  // namespace expctl
