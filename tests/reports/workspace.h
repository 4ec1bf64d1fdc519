// A workspace of three scored runs and an ensemble of two of them, made by hand: every file that a submission
// takes.
#pragma once

#include <string>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/run_paths.h"
#include "formats/safetensors.h"
#include "registry/registry.h"
#include "squad/scoring.h"
#include "tests/support/support.h"

namespace expctl::test {

inline const char* kDevText =
    R"({"version":"1.1","data":[{"title":"t","paragraphs":[{"context":"the sky is blue, the grass is green","qas":[)"
    R"({"id":"q1","question":"sky?","answers":[{"text":"blue","answer_start":11}]},)"
    R"({"id":"q2","question":"grass?","answers":[{"text":"green","answer_start":30}]}]}]}]})";

struct ScoredWorkspace {
  TempDir dir;
  std::filesystem::path dev = dir / "dev.json";
  std::filesystem::path source = dir / "source.tar.gz";
  WorkspacePaths paths{dir / "runs"};

  ScoredWorkspace() {
    write_file(dev, kDevText);
    write_file(source, "an archive");
    make_folder(paths.root);
    add_sweep({1, 2, 3});
    auto db = registry();
    const Json members = {{{"id", "run1"}, {"weight", 1.0}}, {{"id", "run2"}, {"weight", 2.0}}};
    const std::string id =
        db.add_ensemble({"ensemble", {{"method", "logits"}, {"members", members}}, {"run1", "run2"}, {}}, 2000).id;
    make_folder(paths.folder(id));
    write_file(RunPaths{paths.folder(id)}.ensemble(), json_text({{"method", "logits"}, {"members", members}}));
    write_answers(db, id, "blue", "green grass");
  }

  Registry registry() const { return Registry::open(paths.registry()); }

  /// Up to three succeeded runs, the second of which is right.
  void add_sweep(const std::vector<int64_t>& seeds, const CommandSpec& command = {}) const {
    auto db = registry();
    const auto sweep = db.add_sweep("lr", "/x/lr.toml", std::to_string(seeds.front()), 1000);
    make_folder(paths.folder(sweep.id));
    write_file(paths.sweep_file(sweep.id), "name = \"lr\"\n");
    std::vector<RunSpec> specs;
    for (const int64_t seed : seeds) specs.push_back(spec(seed, command));
    const std::pair<const char*, const char*> answers[] = {
        {"blue", "red"}, {"blue", "green"}, {"red", "red"}};
    const auto runs = db.add_runs(sweep.id, specs, 1000);
    for (size_t i = 0; i < runs.size(); ++i) add_result(db, runs[i].id, answers[i].first, answers[i].second);
  }

  RunSpec spec(int64_t seed, const CommandSpec& command = {}) const {
    RunSpec s;
    s.command = command;
    s.name = "lr";
    s.train.seed = seed;
    s.train = resolve(s.train);
    s.params["learning_rate"] = 3e-5;
    s.dev_data = {dev.string(), sha256_file(dev)};
    return s;
  }

 private:
  /// What an attempt leaves, and its end on record.
  void add_result(Registry& db, const std::string& id, const std::string& first,
                  const std::string& second) const {
    const RunPaths run{paths.folder(id)};
    make_folder(run.checkpoint());
    const CheckpointPaths checkpoint{run.checkpoint()};
    const std::vector<float> values = {1, 2};
    write_safetensors(checkpoint.weights(), {{"w", view_of(values, {2})}}, {});
    write_file(checkpoint.config(), "{}");
    write_file(checkpoint.vocab(), "[PAD]\n");
    write_file(run.log(), "log of " + id + "\n");
    write_file(run.metrics(), "{\"step\":1,\"loss\":2}\n");
    write_file(run.command(), "expctl-train\n");
    write_file(run.environment(), "{}");
    write_file(run.inference_stats(),
               R"({"schema_version":1,"total_inference_time_s":1.5,"precision":"fp32"})");
    AttemptRecord attempt;
    attempt.run_id = id;
    attempt.token = id;
    attempt.started = 1001;
    db.start_attempt(id, attempt);
    AttemptResults results;
    results.metrics = {{1, 0.5, 3.0, 1e-5, 1001}, {2, 1.0, 2.0, 0, 1002}};
    write_answers(db, id, first, second);
    Outcome outcome;
    outcome.end = AttemptEnd::kSucceeded;
    outcome.ended = 1061;
    db.finish_attempt(id, outcome, false, results);
  }

  void write_answers(Registry& db, const std::string& id, const std::string& first,
                     const std::string& second) const {
    const RunPaths run{paths.folder(id)};
    const auto nbest = [](const std::string& text) {
      return Json::array({{{"text", text}, {"probability", 1.0}}});
    };
    write_file(run.predictions(), json_text({{"q1", first}, {"q2", second}}));
    write_file(run.nbest(), json_text({{"q1", nbest(first)}, {"q2", nbest(second)}}));
    const Score score = score_predictions(read_dataset(dev), {{"q1", first}, {"q2", second}});
    write_file(run.eval(), score_line(score));
    db.set_evaluation({id,
                       "default",
                       score.f1,
                       score.exact_match,
                       {{"dev_sha256", sha256_file(dev)}, {"max_seq_length", 384}}});
  }
};

}  // namespace expctl::test
