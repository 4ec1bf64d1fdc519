// `expctl package --top 5`: the best entries as a submission folder, scored again and verified.
#include "reports/package.h"

#include <fmt/core.h>

#include "cli/models.h"
#include "cli/pack.h"
#include "cli/prediction.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "cli/worker_call.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/evaluation_settings.h"
#include "core/files.h"
#include "core/text.h"
#include "reports/package_entry.h"
#include "reports/table.h"
#include "runner/record_files.h"
#include "runner/signal_wait.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// The build leaves the archive in share/expctl beside bin.
fs::path source_archive() {
  const fs::path archive = self_path().parent_path().parent_path() / "share" / "expctl" / "source.tar.gz";
  if (fs::is_regular_file(archive)) return archive;
  throw Error(fmt::format("{} is missing: expctl's own source is part of a submission", archive.string()),
              "run the expctl that lies in the build folder, or copy its share/ with its bin/",
              ErrorCode::kNotFound);
}

void print_package(const Program& program, const Package& package, const fs::path& out,
                   const fs::path& archive) {
  if (program.json) {
    Json json = summary_json(package.submission);
    json["submission"] = out.string();
    json["archive"] = archive.empty() ? Json() : Json(archive.string());
    json["checks"] = checks_json(package.verification.checks);
    fmt::print("{}", json_text(json));
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& entry : package.submission.entries) {
    rows.push_back({entry.folder, entry.record.id, format_number(entry.record.f1.value()),
                    format_number(entry.record.exact_match.value())});
    if (entry.probability_score) rows.back().push_back(fmt::format("{:.6f}", *entry.probability_score));
  }
  std::vector<std::string> header = {"folder", "id", "F1", "EM"};
  if (rows.front().size() > header.size()) header.push_back("probability score");
  fmt::print("{}", render_table(header, rows, stdout_style()));
  fmt::print("mean F1 of the best {}: {}\n", package.submission.average,
             format_number(package.submission.top_mean));
  fmt::print("{}\n", out.string());
  if (!archive.empty()) fmt::print("{}\n", archive.string());
}

/// The command that checks a submission with all that it was checked with when it was made.
std::string verify_command(const fs::path& submission, const VerifyOptions& with) {
  std::vector<std::string> words = {"verify", submission.string(), "--dev", with.dev.string()};
  const std::pair<const char*, fs::path> others[] = {
      {"--train", with.train}, {"--init", with.init}, {"--unseen", with.unseen}};
  for (const auto& [option, path] : others) {
    if (!path.empty()) words.insert(words.end(), {option, path.string()});
  }
  return command_text(words);
}

/// So that what was handed in is never cleared away. The entries that the folder has, or had before.
std::vector<std::string> record(Registry& registry, const WorkspacePaths& workspace, const fs::path& folder,
                                const std::vector<std::string>& entries, double now_s) {
  return registry.set_submission(folder.string(), entries, now_s, [&](const auto& changed) {
    for (const auto& id : changed) write_run_file(registry, id, workspace.run(id));
  });
}

/// What an entry's other evaluation was made with, as --set says it.
std::vector<std::string> settings_of(const Registry& registry, const RunRecord& entry,
                                     const std::string& evaluation) {
  std::vector<std::string> settings;
  for (const auto& known : registry.evaluations(entry.id)) {
    if (known.name != evaluation || evaluation == kDefaultEvaluation) continue;
    const Json made_with = settings_of(known);
    for (const auto& [key, value] : made_with.items()) settings.push_back(setting_text(key, value));
  }
  return settings;
}

/// Predicts with an entry as `expctl predict` does. Throws Interrupted.
void predict_with(const Program& program, Predictor& predictor, const Registry& registry,
                  const RunRecord& entry, const std::string& evaluation, const fs::path& folder) {
  say(program, fmt::format("{} predicts the unseen questions", entry.id));
  make_folder(folder);
  const Models models = find_models(program, entry.id, settings_of(registry, entry, evaluation));
  predictor.predict(models, folder, folder);
}

void check_archive(const fs::path& archive, bool replace) {
  if (archive.empty() || replace || !fs::exists(archive)) return;
  throw Error(fmt::format("{} is there already", archive.string()),
              "--out names a new folder; --replace puts the new archive in its place");
}

/// As it is on record: absolute, without a trailing slash, of a link what it points to.
fs::path submission_folder(const fs::path& typed) {
  fs::path folder = fs::absolute(typed).lexically_normal();
  if (folder.filename().empty()) folder = folder.parent_path();
  return fs::is_symlink(folder) ? fs::weakly_canonical(folder) : folder;
}

int forget(const Program& program, const fs::path& typed) {
  const fs::path folder = submission_folder(typed);
  if (fs::exists(folder))
    throw Error(fmt::format("{} is still there", folder.string()),
                "it is forgotten once it has been deleted");
  Registry registry = Registry::open_existing(program.workspace().registry());
  const auto entries = record(registry, program.workspace(), folder, {}, SystemClock().now_s());
  if (entries.empty())
    throw Error(fmt::format("{}: no submission of that folder is on record", folder.string()),
                "the message of expctl rm names it", ErrorCode::kNotFound);
  say(program,
      fmt::format("{} is no longer on record; its entries were {}", folder.string(), join(entries, ", ")));
  return 0;
}

/// A signal ends it between two files, and leaves nothing half made. Throws Interrupted.
Package make_submission(const Registry& registry, const WorkspacePaths& workspace, PackageOptions options) {
  SignalWait signals({SIGINT, SIGTERM});
  options.between_files = [&signals] {
    if (const int signal = signals.wait(0); signal != 0) throw Interrupted{signal};
  };
  return package_submission(registry, workspace, options);
}

int package(const Program& program, PackageOptions options, bool archived) {
  options.out = submission_folder(options.out);
  const fs::path archive = archived ? fs::path(options.out.string() + ".tar.zst") : fs::path();
  check_archive(archive, options.replace);
  options.source_archive = source_archive();
  options.now_s = SystemClock().now_s();
  Registry registry = Registry::open_existing(program.workspace().registry());
  Predictor predictor(program, options.unseen);
  if (!options.unseen.empty()) {
    if (!fs::is_regular_file(options.unseen))
      throw Error(fmt::format("{}: no such file", options.unseen.string()), "--unseen names a SQuAD 1.1 file",
                  ErrorCode::kNotFound);
    options.predict = [&](const RunRecord& entry, const std::string& evaluation, const fs::path& folder) {
      predict_with(program, predictor, registry, entry, evaluation, folder);
    };
  }
  const Package made = make_submission(registry, program.workspace(), options);
  std::vector<std::string> ids;
  for (const auto& entry : made.submission.entries) ids.push_back(entry.record.id);
  record(registry, program.workspace(), options.out, ids, options.now_s);
  if (!archive.empty()) pack_folder(options.out, archive);
  print_package(program, made, options.out, archive);
  if (const fs::path old = options.out.string() + ".tar.zst"; !archived && fs::exists(old))
    say(program, fmt::format("warning: {} is of another submission; --archive with --replace packs this one",
                             old.string()));
  for (const auto& check : made.verification.checks) {
    if (check.result == CheckResult::kUnproven)
      say(program, fmt::format("unproven: {}: {}", check.rule, check.why));
  }
  say(program, fmt::format("verified, held to the rules '{}'; to check it again: {}", made.verification.rules,
                           verify_command(options.out, made.verified_with)));
  return 0;
}

}  // namespace

void add_package(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("package", "Make the submission folder of the best entries, and verify it");
  verb->footer("Example: expctl package --top 5");
  struct Options : PackageOptions {
    bool archived = false;
    bool forgotten = false;
  };
  auto options = std::make_shared<Options>();
  options->out = "submission";
  verb->add_option("ID", options->from,
                   "Runs, ensembles or sweeps to choose from (default: everything that is scored)");
  verb->add_option("--except", options->except, "Runs and ensembles that are not to be chosen");
  verb->add_option("--top", options->top, "How many entries to hand in (default: as the rules say, else 5)")
      ->check(CLI::Range(1, kMostCounted));
  verb->add_option("--average", options->average,
                   "How many of the best to average (default: as the rules say, else 3)")
      ->check(CLI::Range(1, kMostCounted));
  verb->add_option("--eval", options->evaluation,
                   "The evaluation that ranks (default: as the rules say, else the runs' own, \"default\")");
  verb->add_option("--rules", options->rules,
                   "A contest's rules, by name or file (default: those of the sweep file)");
  verb->add_option("--dev", options->dev, "Where the dev file lies now, if it has been moved");
  verb->add_option("--out", options->out, "A new folder (default: submission)");
  verb->add_option("--unseen", options->unseen,
                   "The judges' questions: every entry predicts them, and their probability score is told");
  verb->add_flag("--replace", options->replace,
                 "Put it in the place of the submission that is there, once it is whole");
  verb->add_flag("--archive", options->archived, "Also make OUT.tar.zst");
  verb->add_flag("--forget", options->forgotten,
                 "Make nothing: the folder OUT was deleted, and its entries may be removed again");
  on_call(verb, program, [&program, options] {
    return options->forgotten ? forget(program, options->out) : package(program, *options, options->archived);
  });
}

}  // namespace expctl
