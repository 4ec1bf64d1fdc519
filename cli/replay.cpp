// `expctl runs replay ID --check`: the training done again from what is on record, in a folder of its own,
// and compared with what it left the first time.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "cli/terminal.h"
#include "cli/verbs.h"
#include "cli/worker_call.h"
#include "core/draft_folder.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "registry/registry.h"
#include "registry/spec_of.h"
#include "reports/table.h"
#include "runner/attempt_request.h"
#include "runner/attempt_results.h"
#include "runner/claim.h"
#include "runner/find_worker.h"
#include "runner/input_check.h"
#include "runner/removal.h"
#include "runner/replay_check.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

void check_replayable(const RunRecord& run) {
  if (run.is_ensemble() || run.is_imported() || spec_of(run).is_command()) {
    throw Error(fmt::format("{} was not trained by expctl-train: it cannot be done again", run.id),
                "only native runs of a sweep are replayed", ErrorCode::kUsage);
  }
  if (run.state != RunState::kSucceeded)
    throw Error(fmt::format("{} is {}: there is nothing to compare with", run.id, name_of(run.state)));
}

/// Trains in `folder` on what is free now.
void train_again(const RunRecord& run, const fs::path& folder) {
  const RunSpec spec = spec_of(run);
  InputCheck().check(spec);
  const fs::path worker = find_worker(self_path());
  LocalDevices machine(worker);
  const auto slot = machine.take(spec.resources);
  if (!slot) throw Error("the GPUs that it needs are in use", "try again when they are free");
  const std::string token = new_token();
  call_worker(make_request(run, 1, token, slot->devices(), worker, RunPaths{folder}), folder,
              "the replay of " + run.id);
}

void print_checks(const Program& program, const RunRecord& run, const std::vector<ReplayCheck>& checks) {
  if (program.json) {
    Json list = Json::array();
    for (const auto& check : checks)
      list.push_back({{"what", check.what}, {"same", check.is_same}, {"why", check.why}});
    fmt::print("{}", json_text({{"schema_version", 1}, {"id", run.id}, {"checks", list}}));
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& check : checks)
    rows.push_back({check.what, check.is_same ? "same" : "differs", check.why});
  fmt::print("{}", render_table({run.id, "", ""}, rows, stdout_style()));
}

int replay(const Program& program, const std::string& word) {
  const Registry registry = Registry::open_to_look(program.workspace().registry());
  const RunRecord run = registry.resolve_run(word);
  check_replayable(run);
  const DraftFolder draft(program.workspace().folder(run.id));
  train_again(run, draft.path());
  const RunPaths paths{draft.path()};
  std::vector<ReplayCheck> checks = {compare_steps(registry.metrics(run.id), read_metrics(paths))};
  for (auto& check : compare_files(registry.artifacts(run.id), read_artifacts(run.id, paths)))
    checks.push_back(std::move(check));
  print_checks(program, run, checks);
  const bool is_same =
      std::all_of(checks.begin(), checks.end(), [](const ReplayCheck& check) { return check.is_same; });
  if (!is_same) {
    const fs::path kept = program.workspace().root / (std::string(kReplayPrefix) + run.id);
    fs::remove_all(kept);
    draft.become(kept);
    say(program, fmt::format("what came out now is in {}; expctl gc --delete removes it", kept.string()));
  }
  return is_same ? 0 : static_cast<int>(ErrorCode::kError);
}

}  // namespace

void add_replay(CLI::App& runs, Program& program) {
  auto* verb = runs.add_subcommand("replay", "Train a run again and compare: its steps, weights and answers");
  struct Options {
    std::string id;
    bool checks = false;
  };
  auto options = std::make_shared<Options>();
  verb->add_option("ID", options->id, "run3, a tag, ...")->required();
  verb->add_flag("--check", options->checks,
                 "Compare what comes out, to the last bit; exit code 1 where it differs")
      ->required();
  on_call(verb, program, [&program, options] { return replay(program, options->id); });
  verb->footer("Another machine may round otherwise.\nExample: expctl runs replay run3 --check");
}

}  // namespace expctl
