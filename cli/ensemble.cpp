// `expctl ensemble ID ID ...`: a new entry, ens1, whose answers are those of several runs combined, scored;
// of a pool the best combinations.
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "cli/ensemble_choice.h"
#include "cli/program.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/text.h"
#include "reports/leaderboard.h"
#include "reports/package.h"
#include "reports/table.h"
#include "runner/attempt_results.h"
#include "runner/record_files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

struct EnsembleOptions {
  std::vector<std::string> ids, pool, weights;
  std::string method = "logits", normalise = "none", select;
  SearchPlan plan;
};

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

std::optional<RunRecord> find_same(const Registry& registry, const Json& description) {
  RunFilter filter;
  filter.runs = false;
  for (const auto& known : registry.list_runs(filter)) {
    if (identity_of(known.spec) == identity_of(description)) return known;
  }
  return std::nullopt;
}

/// One `expctl ensemble`: its members, loaded, and the entries that come of them.
class Maker {
 public:
  Maker(const Program& program, Registry& registry, const EnsembleMembers& members, Method method,
        MemberCombiner& combiner)
      : program_(program),
        workspace_(program.workspace()),
        registry_(registry),
        members_(members),
        method_(method),
        combiner_(combiner) {}

  /// Nothing where a signal has ended it. The answers are made in a folder beside the runs, which becomes the
  /// entry's once it is whole.
  std::optional<RunRecord> make(const EnsembleChoice& choice) {
    const Json description = describe(members_, method_, choice, combiner_.scales(), workspace_);
    if (auto same = find_same(registry_, description)) {
      const bool alike = same->spec.value("selection", Json()) == choice.selection;
      say(program_, fmt::format("{} is this ensemble already{}", same->id,
                                alike ? "" : "; how it was chosen then stays on record"));
      return same;
    }
    const DraftFolder draft(workspace_.folder("ensemble"));
    const RunPaths paths{draft.path()};
    signal_ = combiner_.write(choice.weights, draft.path());
    if (signal_ != 0) return std::nullopt;
    NewEnsemble entry{"ensemble", description, {}, {}, read_artifacts("", paths)};
    for (const auto& member : description["members"]) entry.members.push_back(member["id"]);
    if (fs::exists(paths.eval())) {
      const Json score = read_json(paths.eval());
      entry.evaluation = {"", "default", score["f1"], score["exact_match"],
                          evaluation_settings(members_.spec)};
    }
    return registry_.add_ensemble(entry, SystemClock().now_s(), [&](const std::string& id) {
      Json file = description;
      file["id"] = id;
      write_file(paths.ensemble(), json_text(file));
      write_run_file(registry_, id, paths);
      draft.become(workspace_.folder(id));
    });
  }

  int signal() const { return signal_; }

 private:
  const Program& program_;
  WorkspacePaths workspace_;
  Registry& registry_;
  const EnsembleMembers& members_;
  Method method_;
  MemberCombiner& combiner_;
  int signal_ = 0;
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
  const auto number = [](std::optional<double> score) { return score ? Json(*score) : Json(); };
  Json members = Json::array();
  for (size_t i = 0; i < made.members.size(); ++i) {
    members.push_back({{"id", made.members[i].id},
                       {"weight", made.entry.spec["members"][i]["weight"]},
                       {"f1", number(made.members[i].f1)}});
  }
  return {{"id", made.entry.id},
          {"f1", number(made.entry.f1)},
          {"exact_match", number(made.entry.exact_match)},
          {"members_mean_f1", number(made.mean(&RunRecord::f1))},
          {"members", members},
          {"selection", made.selection}};
}

using Rows = std::vector<std::vector<std::string>>;

void add_row(Rows& rows, const std::string& name, std::optional<double> f1, std::optional<double> exact) {
  const auto text = [](std::optional<double> score) { return score ? fmt::format("{:.4f}", *score) : "-"; };
  rows.push_back({name, text(f1), text(exact)});
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
  return fmt::format("expctl{} package --top {}{}", workspace_option(program), std::min<size_t>(5, count),
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
    try {
      found = search_members(*combiner, members, method, options.plan);
    } catch (const Interrupted& interrupted) {
      return 128 + interrupted.signal;
    }
    say(program, found.summary);
  } else {
    found.choices = {{parse_weights(options.weights, members), nullptr}};
  }

  Maker maker(program, registry, members, method, *combiner);
  std::vector<Made> all;
  for (const auto& choice : found.choices) {
    const auto entry = maker.make(choice);
    if (!entry) return 128 + maker.signal();
    Made made{*entry, {}, choice.selection};
    for (const auto& member : entry->spec["members"])
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
  verb->callback(
      [&program, options] { program.action = [&program, options] { return ensemble(program, *options); }; });
}

}  // namespace expctl
