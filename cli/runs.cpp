// `expctl runs [list]` and `expctl runs show ID`: what the registry knows.
#include <fmt/core.h>

#include <algorithm>

#include "cli/run_progress.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "registry/record_json.h"
#include "registry/registry.h"
#include "reports/config_stats.h"
#include "reports/leaderboard.h"
#include "reports/runs_csv.h"
#include "reports/table.h"
#include "runner/sweep_progress.h"

namespace expctl {
namespace {

struct ListOptions {
  std::string where;
  std::string sort = "id";
  bool is_reversed = false;
  size_t limit = 0;  ///< 0: all
  bool by_config = false;
  bool csv = false;
};

RunProgress look_at(const Registry& registry, const RunRecord& run, const WorkspacePaths& workspace) {
  return progress_at_once(registry, run, workspace.run(run.id), SystemClock().now_s());
}

int list_runs(const Program& program, const ListOptions& options) {
  if (program.json && options.csv)
    throw Error("--json and --csv: one of them", "leave one out", ErrorCode::kUsage);
  const Registry registry = Registry::open_to_look(program.workspace().registry());
  const size_t limit = options.by_config ? 0 : options.limit;  // of configs then, not of runs
  const auto runs =
      registry.query_runs({parse_where(options.where), options.sort, options.is_reversed, limit});
  if (options.by_config) {
    auto configs = config_stats(runs);
    if (options.limit > 0 && configs.size() > options.limit) configs.resize(options.limit);
    fmt::print("{}", program.json ? json_text(config_json(configs)) : config_table(configs, stdout_style()));
  } else if (options.csv) {
    fmt::print("{}", runs_csv(runs));
  } else {
    const WorkspacePaths workspace = program.workspace();
    const auto doing = [&](const RunRecord& run) { return doing_text(look_at(registry, run, workspace)); };
    fmt::print("{}", program.json ? json_text(runs_json(runs)) : runs_table(runs, stdout_style(), doing));
  }
  return 0;
}

/// "1 failed (out_of_memory) after 12 s; 2 succeeded after 3 min 2 s"
std::string attempts_text(const std::vector<AttemptRecord>& attempts) {
  std::vector<std::string> parts;
  for (const auto& a : attempts) {
    const std::string reason = a.reason == FailReason::kNone ? "" : fmt::format(" ({})", name_of(a.reason));
    parts.push_back(a.end.empty() ? fmt::format("{} running", a.attempt)
                                  : fmt::format("{} {}{} after {}", a.attempt, a.end, reason,
                                                duration_text(a.ended - a.started)));
  }
  return join(parts, "; ");
}

/// Everything on record, for --json.
Json show_json(const Registry& registry, const RunRecord& run, const WorkspacePaths& workspace) {
  Json json = run_json(run);
  Json history = list_json(registry.attempts(run.id));
  for (auto& attempt : history) attempt.erase("token");
  json["schema_version"] = 1;
  json["sweep"] = run.sweep_id;
  json["message"] = run.message;
  json["tags"] = run.tags;
  json["attempts"] = run.attempts;
  json["attempt_history"] = history;
  json["stalled"] = run.state == RunState::kRunning && look_at(registry, run, workspace).silent_s > 0;
  json["created"] = run.created;
  json["started"] = run.started;
  json["ended"] = run.ended;
  json["folder"] = workspace.folder(run.id).string();
  json["members"] = registry.ensemble_members(run.id);
  json["evaluations"] = list_json(registry.evaluations(run.id));
  json["artifacts"] = list_json(registry.artifacts(run.id));
  json["spec"] = run.spec;
  return json;
}

std::vector<std::string> last_log_lines(const RunPaths& paths) {
  constexpr int kLines = 5;
  return split(tail_lines(trim(file_tail(paths.log())), kLines), '\n');
}

std::string show_text(const Registry& registry, const RunRecord& run, const WorkspacePaths& workspace) {
  std::vector<std::vector<std::string>> rows;
  const auto row = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) rows.push_back({name, value});
  };
  const bool is_running = run.state == RunState::kRunning;
  const RunProgress progress = is_running ? look_at(registry, run, workspace) : RunProgress();
  row("state",
      fmt::format("{}{}", name_of(run.state), is_running ? ", " + doing_text(progress) : std::string()));
  row("reason", std::string(name_of(run.reason)));
  for (const auto& line : split(run.message, '\n')) row("message", line);
  if (run.state == RunState::kFailed) {
    for (const auto& line : last_log_lines(workspace.run(run.id))) {
      if (run.message.find(line) == std::string::npos) row("log's end", line);
    }
  }
  row("sweep", run.sweep_id.empty() ? "" : fmt::format("{} ({})", run.sweep_id, run.name));
  row(run.is_ensemble() ? "members" : run.is_imported() ? "origin" : "parameters", params_text(run));
  if (run.is_ensemble()) {
    row("method", run.spec.value("method", ""));
    row("chosen", run.spec.value("selected", ""));
  } else {
    row("changed keys", changed_keys_text(run));
  }
  row("attempts", attempts_text(registry.attempts(run.id)));
  row("tags", join(run.tags, " "));
  row("created", local_time_text(run.created));
  row("started", local_time_text(run.started));
  row("ended", local_time_text(run.ended));
  for (const auto& e : registry.evaluations(run.id)) {
    row("evaluation " + e.name,
        fmt::format("F1 {}, exact match {}", format_number(e.f1), format_number(e.exact_match)));
  }
  if (progress.step > 0)
    row("last step", fmt::format("{} (loss {:.4f})", progress.step, progress.loss));
  else if (const auto last = registry.last_metric(run.id))
    row("last step", fmt::format("{} (loss {:.4f})", last->step, last->loss));
  row("folder", workspace.folder(run.id).string());
  return render_table({run.id, ""}, rows, stdout_style());
}

int show_run(const Program& program, const std::string& word) {
  const Registry registry = Registry::open_to_look(program.workspace().registry());
  const RunRecord run = registry.resolve_run(word);
  fmt::print("{}", program.json ? json_text(show_json(registry, run, program.workspace()))
                                : show_text(registry, run, program.workspace()));
  return 0;
}

void add_list_options(CLI::App& verb, ListOptions& options) {
  verb.add_option("--where", options.where,
                  "Those of which it is true: 'learning_rate<4e-5 and (f1>80 or tag=best)'; < <= > >= = != ~ "
                  "(contains), and, or, not");
  auto* sort = verb.add_option(
      "--sort", options.sort,
      "By id, f1, exact_match, state, name, seed, created, started, ended or a parameter (default: id)");
  auto* reverse = verb.add_flag("--reverse", options.is_reversed, "The other way round");
  verb.add_option("--limit", options.limit, "Show the first N")->check(CLI::Range(1, kMostCounted));
  auto* by_config = verb.add_flag("--by-config", options.by_config,
                                  "A line a config: mean and standard deviation over its seeds");
  verb.add_flag("--csv", options.csv, "Comma-separated values")->excludes(by_config);
  by_config->excludes(sort)->excludes(reverse);  // configs stand by their mean
}

}  // namespace

void add_runs(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("runs", "List the runs and ensembles, or show one");
  verb->footer("Example: expctl runs --sort f1 --limit 10");
  auto options = std::make_shared<ListOptions>();
  add_list_options(*verb, *options);
  verb->callback([&program, options] {
    if (!program.action) program.action = [&program, options] { return list_runs(program, *options); };
  });
  auto* list = verb->add_subcommand("list", "List them (the same as `expctl runs`)");
  list->footer("Example: expctl runs list --where 'learning_rate<4e-5 and f1>80' --csv");
  add_list_options(*list, *options);
  auto* show = verb->add_subcommand("show", "Everything on record about one");
  show->footer("Example: expctl runs show @");
  auto word = std::make_shared<std::string>();
  show->add_option("ID", *word, "run3, ens1, @ (the newest), @2")->required();
  on_call(show, program, [&program, word] { return show_run(program, *word); });
  add_replay(*verb, program);
  verb->require_subcommand(0, 1);
}

}  // namespace expctl
