#include "runner/removal.h"

#include <filesystem>

#include "core/error.h"
#include "core/files.h"
#include "runner/folder_records.h"
#include "runner/record_check.h"
#include "runner/record_files.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;
namespace fs = std::filesystem;

namespace {

EntryUse use_of(const std::string& id, RunState state, std::optional<double> f1, int64_t position) {
  EntryUse use;
  use.run.id = id;
  use.run.state = state;
  use.run.f1 = f1;
  use.run.position = position;
  use.state_bytes = 20;
  use.weights_bytes = 10;
  return use;
}

std::vector<std::string> words_of(const std::vector<Clearing>& plan) {
  std::vector<std::string> words;
  for (const auto& one : plan) words.push_back(one.id + " " + std::string(name_of(one.spare)));
  return words;
}

using Words = std::vector<std::string>;

void place(const fs::path& file, const std::string& text) {
  make_folder(file.parent_path());
  write_file(file, text);
}

/// A sweep of three runs that have ended, with folders.
struct Workspace {
  TempDir dir;
  WorkspacePaths paths{dir.path()};
  Registry registry = Registry::open(paths.registry());

  Workspace() {
    std::vector<RunSpec> specs(3);
    for (size_t i = 0; i < specs.size(); ++i) {
      specs[i].name = "lr";
      specs[i].train.seed = static_cast<int64_t>(i) + 1;
      specs[i].train = resolve(specs[i].train);
    }
    const auto sweep = registry.add_sweep("lr", "/x/lr.toml", "", 100);
    place(paths.sweep_file(sweep.id), "content");
    for (const auto& run : registry.add_runs(sweep.id, specs, 100)) end(run.id);
    write_sweep_files(registry, sweep.id, paths);
  }

  void end(const std::string& id) {
    const RunPaths run{paths.folder(id)};
    place(run.checkpoint() / "model.safetensors", "weights");
    AttemptRecord attempt;
    attempt.token = "t";
    attempt.started = 100;
    registry.start_attempt(id, attempt);
    Outcome outcome;
    outcome.ended = 200;
    AttemptResults results;
    results.artifacts = {{id, "checkpoint/model.safetensors", 7, ""}, {id, "checkpoint.txt", 4, ""}};
    registry.finish_attempt(id, outcome, false, results);
    place(run.folder / "checkpoint.txt", "text");
    write_run_file(registry, id, run);
  }

  void add_ensemble(const Words& members) {
    const auto added = registry.add_ensemble({"ens", {{"schema_version", 1}}, members, std::nullopt}, 300);
    place(RunPaths{paths.folder(added.id)}.ensemble(), json_text(added.spec));
    write_run_file(registry, added.id, RunPaths{paths.folder(added.id)});
  }

  /// What the check of rows and folders finds; sizes, not hashes.
  Words differences() {
    Words found;
    for (const auto& d : check_records(registry, paths, false)) found.push_back(d.id + ": " + d.what);
    return found;
  }
};

}  // namespace

TEST_CASE("clearing: optimizer states go first, then weights from the lowest score on", "[runner]") {
  std::vector<EntryUse> entries = {
      use_of("run1", RunState::kSucceeded, 80, 1), use_of("run2", RunState::kSucceeded, 70, 2),
      use_of("run3", RunState::kFailed, std::nullopt, 3), use_of("run4", RunState::kSucceeded, 90, 4)};
  CHECK(words_of(plan_clearing(entries, {})) == Words{"run1 optimizer state", "run2 optimizer state",
                                                      "run3 optimizer state", "run4 optimizer state"});
  for (auto& entry : entries) entry.state_bytes = 0;
  CHECK(plan_clearing(entries, {}).empty());
  CHECK(words_of(plan_clearing(entries, {.weights = true, .keep = 1})) ==
        Words{"run3 weights", "run2 weights", "run1 weights"});
  CHECK(words_of(plan_clearing(entries, {.weights = true, .keep = 0})) ==
        Words{"run3 weights", "run2 weights", "run1 weights", "run4 weights"});
}

TEST_CASE("clearing: what is in use, has a tag or may go on keeps everything", "[runner]") {
  std::vector<EntryUse> entries = {
      use_of("run1", RunState::kRunning, std::nullopt, 1),
      use_of("run2", RunState::kStopped, std::nullopt, 2), use_of("run3", RunState::kQueued, std::nullopt, 3),
      use_of("run4", RunState::kSucceeded, 60, 4), use_of("run5", RunState::kSucceeded, 61, 5)};
  entries[3].is_kept = true;
  entries[4].run.tags = {"best"};
  CHECK(plan_clearing(entries, {.weights = true, .keep = 0}).empty());
  entries[3].is_kept = false;
  CHECK(words_of(plan_clearing(entries, {.weights = true, .keep = 0})) ==
        Words{"run4 optimizer state", "run4 weights"});
}

TEST_CASE("clearing: the folder and its artifacts are gone, the rest is there, and records agree",
          "[runner]") {
  Workspace w;
  REQUIRE(w.differences() == Words{});
  const auto plan = plan_clearing(entries_in_use(w.registry, w.paths), {.weights = true, .keep = 0});
  REQUIRE(words_of(plan) == Words{"run3 weights", "run2 weights", "run1 weights"});
  CHECK(plan[0].bytes == 7);
  clear(w.registry, w.paths, plan[0]);
  CHECK_FALSE(fs::exists(w.dir / "run3/checkpoint"));
  const auto left = w.registry.artifacts("run3");
  REQUIRE(left.size() == 1);
  CHECK(left[0].path == "checkpoint.txt");
  CHECK(w.differences() == Words{});
  CHECK(leftovers(w.registry, w.paths).empty());
}

TEST_CASE("removal: row, folder and lines of the sweep go together, and the number is not given again",
          "[runner]") {
  Workspace w;
  remove_entry(w.registry, w.paths, "run3");
  CHECK_FALSE(w.registry.find_run("run3"));
  CHECK_FALSE(fs::exists(w.dir / "run3"));
  CHECK_THAT(read_file(w.paths.sweep_runs("sweep1")), !Catch::Contains("run3"));
  CHECK(w.differences() == Words{});
  CHECK(leftovers(w.registry, w.paths).empty());
  RunSpec spec;
  spec.train.seed = 9;
  spec.train = resolve(spec.train);
  CHECK(w.registry.add_runs("sweep1", {spec}, 400)[0].id == "run4");
}

TEST_CASE("removal: what is in use or may go on stays, with the reason", "[runner]") {
  Workspace w;
  w.add_ensemble({"run1", "run2"});
  w.registry.set_submission("/x/submission", {"run3"}, 500);
  write_run_file(w.registry, "run3", RunPaths{w.paths.folder("run3")});
  CHECK_THROWS_WITH(remove_entry(w.registry, w.paths, "run1"), "run1 is a member of ens1");
  CHECK_THROWS_WITH(remove_entry(w.registry, w.paths, "run3"), "run3 lies in the submission /x/submission");
  CHECK_THROWS_WITH(remove_entry(w.registry, w.paths, "run9"), Catch::Contains("run9"));
  RunSpec spec;
  spec.train.seed = 9;
  spec.train = resolve(spec.train);
  w.registry.add_runs("sweep1", {spec}, 400);
  CHECK_THROWS_WITH(remove_entry(w.registry, w.paths, "run4"), "run4 is queued");
  write_sweep_files(w.registry, "sweep1", w.paths);
  CHECK(w.differences() == Words{});
  CHECK(entries_in_use(w.registry, w.paths)[2].is_kept);
  remove_entry(w.registry, w.paths, "ens1");
  remove_entry(w.registry, w.paths, "run1");
  CHECK(w.differences() == Words{});
}

TEST_CASE("a submission made again in the same folder is on record in place of the first", "[runner]") {
  Workspace w;
  CHECK(w.registry.set_submission("/x/submission", {"run2", "run1"}, 500) == Words{"run2", "run1"});
  CHECK(w.registry.set_submission("/x/submission", {"run3", "run2"}, 600) == Words{"run3", "run2", "run1"});
  CHECK(w.registry.submissions_of("run1").empty());
  REQUIRE(w.registry.submissions_of("run2").size() == 1);
  CHECK(w.registry.submissions_of("run2")[0].place == 2);
  CHECK(w.registry.submissions_of("run2")[0].created == 600);
}

TEST_CASE("removal: what a killed one has left goes with the next of the same entry", "[runner]") {
  Workspace w;
  place(w.dir / ".removed-run3" / "of" / "before", "x");
  CHECK(leftovers(w.registry, w.paths).size() == 1);
  remove_entry(w.registry, w.paths, "run3");
  CHECK(leftovers(w.registry, w.paths).empty());
}

TEST_CASE("clearing: what came into use since it was planned stays", "[runner]") {
  Workspace w;
  const auto plan = plan_clearing(entries_in_use(w.registry, w.paths), {.weights = true, .keep = 0});
  REQUIRE(plan.size() == 3);
  w.registry.set_tag("best", "run3");
  write_run_file(w.registry, "run3", RunPaths{w.paths.folder("run3")});
  CHECK_THROWS_WITH(clear(w.registry, w.paths, plan[0]), "run3 is best");
  w.add_ensemble({"run1", "run2"});
  CHECK_THROWS_WITH(clear(w.registry, w.paths, plan[1]), "run2 is a member of ens1");
  remove_entry(w.registry, w.paths, "ens1");
  remove_entry(w.registry, w.paths, "run1");
  CHECK_THROWS_AS(clear(w.registry, w.paths, plan[2]), Error);
  CHECK_FALSE(fs::exists(w.dir / "run1"));
  CHECK(fs::exists(w.dir / "run3/checkpoint"));
  CHECK(w.differences() == Words{});
}

TEST_CASE(
    "removal: members may go with their ensemble, and numbers are not given again by a registry made anew",
    "[runner]") {
  Workspace w;
  w.add_ensemble({"run1", "run2"});
  CHECK_THROWS_WITH(check_removable(w.registry, w.paths, {"run1"}), "run1 is a member of ens1");
  CHECK_NOTHROW(check_removable(w.registry, w.paths, {"ens1", "run1"}));
  remove_entry(w.registry, w.paths, "ens1");
  CHECK(read_folders(w.paths).rows.highest_ids.at(IdKind::kEnsemble) == 1);
}

TEST_CASE("removal: what a queued run begins from stays", "[runner]") {
  Workspace w;
  RunSpec spec;
  spec.train.seed = 9;
  spec.train = resolve(spec.train);
  spec.init.path = (w.paths.folder("run2") / "checkpoint").string();
  w.registry.add_runs("sweep1", {spec}, 400);
  CHECK_THROWS_WITH(check_removable(w.registry, w.paths, {"run2"}),
                    "a run that is not over begins or learns from run2");
  CHECK_NOTHROW(check_removable(w.registry, w.paths, {"run1"}));
  CHECK(words_of(plan_clearing(entries_in_use(w.registry, w.paths), {.weights = true, .keep = 0})) ==
        Words{"run3 weights", "run1 weights"});
}

TEST_CASE("removal: what a queued run learns from stays", "[runner]") {
  Workspace w;
  RunSpec spec;
  spec.train.distillation = 0.5;
  spec.train = resolve(spec.train);
  spec.teacher.path = (w.paths.folder("run2") / "evals/train/logits.safetensors").string();
  w.registry.add_runs("sweep1", {spec}, 400);
  CHECK_THROWS_WITH(check_removable(w.registry, w.paths, {"run2"}),
                    "a run that is not over begins or learns from run2");
  CHECK_NOTHROW(check_removable(w.registry, w.paths, {"run1"}));
}

TEST_CASE("removal: what a queued run begins from stays, whichever way leads to it", "[runner]") {
  Workspace w;
  const TempDir elsewhere;
  fs::create_directory_symlink(w.dir.path(), elsewhere / "runs");
  RunSpec spec;
  spec.train.seed = 9;
  spec.train = resolve(spec.train);
  spec.init.path = (elsewhere / "runs/run2/checkpoint").string();
  w.registry.add_runs("sweep1", {spec}, 400);
  const auto refused = "a run that is not over begins or learns from run2";
  CHECK_THROWS_WITH(check_removable(w.registry, w.paths, {"run2"}), refused);
  const WorkspacePaths linked{elsewhere / "runs"};
  CHECK_THROWS_WITH(check_removable(w.registry, linked, {"run2"}), refused);
  fs::create_directory_symlink(w.dir / "run1/checkpoint", elsewhere / "weights");
  spec.train.seed = 10;
  spec.train = resolve(spec.train);
  spec.init.path = (elsewhere / "weights").string();
  w.registry.add_runs("sweep1", {spec}, 400);
  CHECK_THROWS_WITH(check_removable(w.registry, linked, {"run1"}),
                    "a run that is not over begins or learns from run1");
  CHECK_NOTHROW(check_removable(w.registry, linked, {"run3"}));
}

TEST_CASE("removal: drafts of programs that were killed are left over, those at work are not", "[runner]") {
  Workspace w;
  place(w.dir / ".unseen.draft-99999999" / "half", "x");  // no process has so great a number
  place(w.dir / "run1/.128-46.draft-99999999" / "half", "x");
  place(w.dir / ".import.draft-1" / "half", "x");  // the first process always lives
  CHECK(leftovers(w.registry, w.paths) ==
        std::vector<fs::path>{w.dir / ".unseen.draft-99999999", w.dir / "run1/.128-46.draft-99999999"});
}
