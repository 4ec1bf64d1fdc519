// `expctl import DIR`: what another program has made becomes a run, scored here.
#include <fmt/core.h>

#include <algorithm>

#include "cli/folders.h"
#include "cli/foreign_files.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "core/clock.h"
#include "core/draft_folder.h"
#include "core/error.h"
#include "core/evaluation_settings.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/request.h"
#include "core/text.h"
#include "formats/logits_file.h"
#include "registry/registry.h"
#include "reports/leaderboard.h"
#include "reports/manifest.h"
#include "runner/attempt_results.h"
#include "runner/record_files.h"
#include "squad/answer_files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

struct ImportOptions {
  ForeignPlace place;
  std::string name;  ///< "": that of the folder
  fs::path dev;      ///< "": nothing is scored
};

/// Predictions as they were read, and their score where there is something to score them on.
struct Answers {
  std::string text;
  Predictions predictions;
  Input dev;
  std::optional<Score> score;
};

Answers read_answers(const Program& program, const fs::path& predictions_file, const fs::path& dev) {
  Answers answers;
  answers.text = read_file(predictions_file);
  answers.predictions = parse_predictions(answers.text, predictions_file.string());
  if (dev.empty()) return answers;
  const Dataset dataset = read_dataset(dev);
  if (!dataset.has_answers()) {
    throw Error(
        fmt::format("{}: it has questions without answers, so nothing can be scored on it", dev.string()),
        "--dev names a SQuAD 1.1 file with answers");
  }
  answers.dev = {fs::absolute(dev).lexically_normal().string(), sha256_file(dev)};
  answers.score = score_predictions(dataset, answers.predictions);
  const size_t questions = answers.score->questions.size(), unanswered = unanswered_count(*answers.score);
  if (unanswered == questions) {
    throw Error(
        fmt::format("{}: it answers none of the questions of {}", predictions_file.string(), dev.string()),
        "--dev names the file that the program has answered");
  }
  if (unanswered > 0) {
    say(program,
        fmt::format("warning: {} of {} questions are unanswered, which scores 0", unanswered, questions));
  }
  return answers;
}

/// Said now, for a submission with such an entry is refused.
void warn_of_nbest(const Program& program, const Answers& answers, const RunPaths& paths) {
  if (!fs::exists(paths.nbest())) return;
  const size_t differences =
      count_nbest_differences(answers.predictions, read_json(paths.nbest()), "the n-best answers");
  if (differences == 0) return;
  say(program, fmt::format("warning: predictions and n-best disagree in {}: expctl package will refuse "
                           "the run",
                           counted(differences, "place")));
}

/// The identity of what was taken: the hash over "path\0hash\n" of the files.
std::string content_sha256(const fs::path& folder) {
  Sha256 hash;
  for (const auto& file : list_files(folder)) hash.update(file.path + '\0' + file.sha256 + '\n');
  return hash.hex();
}

/// The windows that span logits are over: an ensemble of them has to know.
void set_windows(TrainSpec& train, const LogitsIdentity& identity) {
  for (const auto& [key, value] : {std::pair("eval_max_seq_length", identity.max_seq_length),
                                   {"eval_doc_stride", identity.doc_stride},
                                   {"eval_window", identity.window}})
    set_train_key(train, *find_train_key(key), setting_value("=" + value));
}

/// What the registry holds of the run: as a command's, with the content in place of a command line, so that
/// the same content with the same dev data is the same run.
RunSpec import_spec(const ImportOptions& options, const Input& dev, const RunPaths& content) {
  RunSpec spec;
  const fs::path& from = options.place.from;
  spec.name = !options.name.empty() ? options.name
                                    : (fs::is_directory(from) ? from.filename() : from.stem()).string();
  spec.train.seed = 0;  // nobody knows it
  if (fs::exists(content.logits())) set_windows(spec.train, read_logits(content.logits()).identity);
  spec.train = resolve(spec.train);
  spec.dev_data = dev;
  spec.command.argv = {"imported", content_sha256(content.folder)};
  spec.resources.gpus = 0;
  spec.config_folder = from.string();
  return spec;
}

/// The files that expctl itself adds to those of the program; every run has a log and a command line.
void add_own_files(const Program& program, const Answers& answers, const fs::path& from,
                   const RunPaths& paths) {
  if (answers.score) write_file(paths.eval(), score_line(*answers.score));
  if (!fs::exists(paths.log()))
    write_file(paths.log(), fmt::format("imported from {}, where no log was\n", from.string()));
  if (!fs::exists(paths.command()))
    write_file(paths.command(), fmt::format("# how {} was made is not known; it was taken in by\n{}\n",
                                            from.string(), command_text(program.arguments)));
}

/// In a folder beside the runs, which becomes the run's once it is whole.
RunRecord add_run(Registry& registry, const WorkspacePaths& workspace, const DraftFolder& draft,
                  const RunSpec& spec, const Answers& answers) {
  const RunPaths paths{draft.path()};
  NewImport entry{spec, {}, read_artifacts("", paths)};
  if (answers.score)
    entry.evaluation = {"", kDefaultEvaluation, answers.score->f1, answers.score->exact_match,
                        evaluation_settings(spec)};
  return registry.add_import(entry, SystemClock().now_s(), [&](const RunRecord& run) {
    WorkerRequest request;
    request.run_id = run.id;
    request.attempt = 0;
    request.spec = spec;
    write_file(paths.request(), json_text(to_json(request)));
    write_run_file(registry, run.id, paths);
    draft.become(workspace.folder(run.id));
  });
}

void print_result(const Program& program, const RunRecord& run, const fs::path& folder, bool is_new) {
  if (!program.json) {
    fmt::print("{}", runs_table({run}, stdout_style()));
    return;
  }
  Json json = run_json(run);
  json["schema_version"] = 1;
  json["folder"] = folder.string();
  json["new"] = is_new;
  fmt::print("{}", json_text(json));
}

void check_name(const std::string& name) {
  const bool has_control = std::any_of(name.begin(), name.end(),
                                       [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
  if (has_control)
    throw Error("--name has control characters in it", "a name of letters, digits and spaces",
                ErrorCode::kUsage);
}

int import_run(const Program& program, ImportOptions options) {
  check_name(options.name);
  options.place.from = folder_path(options.place.from.string());
  const ForeignFiles files = find_foreign_files(options.place);
  const Answers answers = read_answers(program, files.predictions, options.dev);
  const WorkspacePaths workspace = program.workspace();
  const DraftFolder draft(workspace.folder("import"));
  const RunPaths paths{draft.path()};
  write_file(paths.predictions(), answers.text);
  take_foreign_files(files, paths);
  warn_of_nbest(program, answers, paths);
  const RunSpec spec = import_spec(options, answers.dev, paths);
  Registry registry = Registry::open(workspace.registry());
  auto run = registry.find_run_by_identity(config_hash(spec), spec.train.seed);
  const bool is_new = !run;
  if (is_new) {
    add_own_files(program, answers, options.place.from, paths);
    run = add_run(registry, workspace, draft, spec, answers);
  } else {
    say(program, fmt::format("{} is there already as {}", options.place.from.string(), run->id));
  }
  print_result(program, *run, workspace.folder(run->id), is_new);
  say(program, answers.score ? fmt::format("next: expctl{} runs list --sort f1", workspace_option(program))
                             : "not scored: --dev names the SQuAD 1.1 file that it answers");
  return 0;
}

}  // namespace

void add_import(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("import", "Take in what another program has made as a run, scored here");
  auto options = std::make_shared<ImportOptions>();
  verb->add_option("DIR", options->place.from,
                   "The folder that the program wrote, or its predictions file alone")
      ->required();
  verb->add_option("--name", options->name, "What to call it (default: the folder's name)");
  verb->add_option("--dev", options->dev, "SQuAD 1.1 file to score it on (default: it is not scored)");
  verb->add_option("--predictions", options->place.predictions,
                   "Its predictions, {question id: text} (default: predictions.json)");
  verb->add_option("--nbest", options->place.nbest,
                   "Its n-best answers (default: nbest_predictions.json, where it is there)");
  verb->add_option(
      "--checkpoint", options->place.checkpoint,
      "Folder of its checkpoint, . for DIR's own files (default: checkpoint, or DIR where it is a "
      "model)");
  verb->add_option("--logs", options->place.logs, "Path or glob of its logs (default: *.log, logs/*)");
  verb->footer(
      "--predictions, --nbest, --checkpoint and --logs are paths in DIR. Example:\n"
      "  expctl import results/output --predictions eval_predictions.json --dev dev-v1.1.json --name torch");
  on_call(verb, program, [&program, options] { return import_run(program, *options); });
}

}  // namespace expctl
