// `expctl package --top 5`: the best entries as a submission folder, scored again and verified.
#include "reports/package.h"

#include <fmt/core.h>

#include "cli/models.h"
#include "cli/prediction.h"
#include "cli/program.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "reports/table.h"
#include "runner/record_files.h"

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

void print_package(const Program& program, const Package& package, const fs::path& out) {
  if (program.json) {
    Json json = summary_json(package.submission);
    json["submission"] = out.string();
    json["checks"] = checks_json(out, package.checks)["checks"];
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
}

/// So that what was handed in is never cleared away.
void record(Registry& registry, const WorkspacePaths& workspace, const Submission& submission,
            const PackageOptions& options) {
  std::vector<std::string> ids;
  for (const auto& entry : submission.entries) ids.push_back(entry.record.id);
  registry.set_submission(options.out.string(), ids, options.now_s, [&](const auto& changed) {
    for (const auto& id : changed) write_run_file(registry, id, RunPaths{workspace.folder(id)});
  });
}

/// Predicts with an entry as `expctl predict` does. Throws Interrupted.
void predict_with(const Program& program, const RunRecord& entry, const fs::path& questions,
                  const fs::path& folder) {
  say(program, fmt::format("{} predicts {}", entry.id, questions.string()));
  make_folder(folder);
  if (const int signal = predict_into(program, find_models(program, entry.id, {}), questions, folder, folder);
      signal != 0)
    throw Interrupted{signal};
}

int package(const Program& program, PackageOptions options) {
  if (!options.unseen.empty()) {
    if (!fs::is_regular_file(options.unseen))
      throw Error(fmt::format("{}: no such file", options.unseen.string()), "--unseen names a SQuAD 1.1 file",
                  ErrorCode::kNotFound);
    options.predict = [&](const RunRecord& entry, const fs::path& folder) {
      predict_with(program, entry, options.unseen, folder);
    };
  }
  options.out = fs::absolute(options.out).lexically_normal();
  if (options.out.filename().empty()) options.out = options.out.parent_path();
  if (options.average == 0) options.average = std::min<size_t>(3, options.top);
  options.source_archive = source_archive();
  options.now_s = SystemClock().now_s();
  Registry registry = Registry::open_existing(program.workspace().registry());
  const Package made = package_submission(registry, program.workspace(), options);
  record(registry, program.workspace(), made.submission, options);
  print_package(program, made, options.out);
  for (const auto& check : made.checks) {
    if (check.result == CheckResult::kUnproven)
      say(program, fmt::format("unproven: {}: {}", check.rule, check.why));
  }
  say(program, fmt::format("verified; to check it again: expctl verify {} --dev DEV_FILE",
                           shell_quote(options.out.string())));
  return 0;
}

}  // namespace

void add_package(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("package", "Make the submission folder of the best entries, and verify it");
  verb->footer("Example: expctl package --top 5");
  auto options = std::make_shared<PackageOptions>();
  options->out = "submission";
  options->average = 0;
  verb->add_option("ID", options->from,
                   "Runs, ensembles or sweeps to choose from (default: everything that is scored)");
  verb->add_option("--top", options->top, "How many entries to hand in (default: 5)")
      ->check(CLI::Range(1, kMostCounted));
  verb->add_option("--average", options->average,
                   "How many of the best to average (default: 3, or --top where that is less)")
      ->check(CLI::Range(1, kMostCounted));
  verb->add_option("--dev", options->dev, "Where the dev file lies now, if it has been moved");
  verb->add_option("--out", options->out, "A new folder (default: submission)");
  verb->add_option("--unseen", options->unseen,
                   "The judges' questions: every entry predicts them, and their probability score is told");
  verb->callback([&program, options] {
    program.action = [&program, options] {
      try {
        return package(program, *options);
      } catch (const Interrupted& interrupted) {
        return 128 + interrupted.signal;
      }
    };
  });
}

}  // namespace expctl
