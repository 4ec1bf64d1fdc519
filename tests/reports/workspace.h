// A workspace of three scored runs and an ensemble of two of them, made by hand: every file that a submission
// takes.
#pragma once

#include <cmath>
#include <map>
#include <string>

#include "core/error.h"
#include "core/evaluation_settings.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/run_paths.h"
#include "formats/bert_folder.h"
#include "formats/stored_bert.h"
#include "formats/tiny_bert.h"
#include "registry/registry.h"
#include "runner/attempt_results.h"
#include "runner/record_files.h"
#include "squad/scoring.h"
#include "tests/support/support.h"

namespace expctl::test {

inline const char* kDevText =
    R"({"version":"1.1","data":[{"title":"t","paragraphs":[{"context":"the sky is blue, the grass is green","qas":[)"
    R"({"id":"q1","question":"sky?","answers":[{"text":"blue","answer_start":11}]},)"
    R"({"id":"q2","question":"grass?","answers":[{"text":"green","answer_start":30}]}]}]}]})";

inline const char* kTrainText =
    R"({"version":"1.1","data":[{"title":"u","paragraphs":[{"context":"the sea is deep","qas":[)"
    R"({"id":"t1","question":"sea?","answers":[{"text":"deep","answer_start":11}]}]}]}]})";

/// What fine-tuning makes of `init`: every number moved by `step`, and a span head.
inline void write_trained(const std::filesystem::path& init, const std::filesystem::path& folder, float step,
                          SpanHead head = SpanHead::kLinear) {
  StoredBert bert = open_stored_bert(init);
  bert.config.head = head;
  std::map<std::string, std::vector<float>> values;
  std::map<std::string, TensorView> tensors;
  const auto add = [&](const std::string& name, std::vector<float> numbers,
                       const std::vector<int64_t>& shape) {
    for (auto& number : numbers) number += step;
    values[name] = std::move(numbers);
    tensors[name] = view_of(values[name], shape);
  };
  for (const auto& [name, tensor] : bert.tensors) {
    std::vector<float> numbers(static_cast<size_t>(tensor.view.element_count()));
    tensor.read(numbers);
    add(name, std::move(numbers), tensor.shape());
  }
  const auto hidden = static_cast<size_t>(bert.config.hidden_size);
  if (head == SpanHead::kMlp) {
    const int64_t width = bert.config.hidden_size;
    add("qa_head.dense.weight", std::vector<float>(hidden * hidden, 0.1f), {width, width});
    add("qa_head.dense.bias", std::vector<float>(hidden, 0), {width});
  }
  add("qa_outputs.weight", std::vector<float>(2 * hidden, 0.1f), {2, bert.config.hidden_size});
  add("qa_outputs.bias", {0, 0}, {2});
  write_bert_folder(folder, bert.config, bert.vocabulary_text, tensors);
}

struct ScoredWorkspace {
  SpanHead head;
  TempDir dir;
  std::filesystem::path dev = dir / "dev.json", train = dir / "train.json", init = dir / "init";
  std::filesystem::path source = dir / "source.tar.gz";
  WorkspacePaths paths{dir / "runs"};

  explicit ScoredWorkspace(SpanHead of_runs = SpanHead::kLinear) : head(of_runs) {
    write_file(dev, kDevText);
    write_file(train, kTrainText);
    make_folder(init);
    write_tiny_bert(init, {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"}, 7, {8, 1, 2, 8, 384});
    write_file(source, "an archive");
    make_folder(paths.root);
    add_sweep({1, 2, 3});
    auto db = registry();
    const Json members = {{{"id", "run1"}, {"weight", 1.0}}, {{"id", "run2"}, {"weight", 2.0}}};
    const RunPaths draft{paths.folder("draft")};
    make_folder(draft.folder);
    write_file(draft.ensemble(), json_text({{"method", "logits"}, {"members", members}}));
    const Score score = write_answers(draft, "blue", "green grass");
    const Json description = {{"method", "logits"}, {"members", members}};
    const EvaluationRecord evaluation{"", "default", score.f1, score.exact_match,
                                      evaluation_settings(spec(1))};
    const std::string id =
        db.add_ensemble(
              {"ensemble", description, {"run1", "run2"}, evaluation, read_artifacts("", draft)}, 2000,
              [&](const std::string& given) { std::filesystem::rename(draft.folder, paths.folder(given)); })
            .id;
    write_run_file(db, id, {paths.folder(id)});
  }

  Registry registry() const { return Registry::open(paths.registry()); }

  /// Up to three succeeded runs, the second of which is right.
  void add_sweep(const std::vector<int64_t>& seeds, const CommandSpec& command = {},
                 const Input& teacher = {}) const {
    auto db = registry();
    const auto sweep = db.add_sweep("lr", "/x/lr.toml", std::to_string(seeds.front()), 1000);
    make_folder(paths.folder(sweep.id));
    write_file(paths.sweep_file(sweep.id), "name = \"lr\"\n");
    std::vector<RunSpec> specs;
    for (const int64_t seed : seeds) {
      specs.push_back(spec(seed, command));
      specs.back().teacher = teacher;
      if (!teacher.path.empty()) specs.back().train.distillation = 0.25;
    }
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
    s.train.head = name_of(head);
    s.train = resolve(s.train);
    s.params["learning_rate"] = 3e-5;
    s.dev_data = {dev.string(), sha256_file(dev)};
    s.train_data = {train.string(), sha256_file(train)};
    s.init = {init.string(), sha256_folder(init)};
    return s;
  }

 private:
  /// What an attempt leaves, and its end on record.
  void add_result(Registry& db, const std::string& id, const std::string& first,
                  const std::string& second) const {
    const RunPaths run{paths.folder(id)};
    make_folder(run.checkpoint());
    write_trained(init, run.checkpoint(), 0.01f * std::stof(id.substr(3)), head);
    write_file(run.log(), "log of " + id + "\n");
    write_file(run.metrics(), "{\"step\":1,\"loss\":2}\n");
    write_file(run.command(), "expctl-train\n");
    write_file(run.environment(), "{}");
    write_file(
        run.inference_stats(),
        R"({"schema_version":1,"total_inference_time_s":1.5,"sequence_length":384,"precision":"fp32"})");
    AttemptRecord attempt;
    attempt.run_id = id;
    attempt.token = id;
    attempt.started = 1001;
    db.start_attempt(id, attempt);
    AttemptResults results;
    results.metrics = {{1, 0.5, 3.0, 1e-5, 1001}, {2, 1.0, 2.0, 0, 1002}};
    const Score score = write_answers(run, first, second);
    results.evaluation = {id, "default", score.f1, score.exact_match, evaluation_settings(spec(1))};
    results.artifacts = read_artifacts(id, run);
    Outcome outcome;
    outcome.end = AttemptEnd::kSucceeded;
    outcome.ended = 1061;
    db.finish_attempt(id, outcome, false, results);
    write_run_file(db, id, run);
  }

  Score write_answers(const RunPaths& run, const std::string& first, const std::string& second) const {
    const auto nbest = [](const std::string& text) {
      const double rest = 1 / (1 + std::exp(2.0));
      return Json::array(
          {{{"text", text}, {"probability", 1 - rest}, {"start_logit", 3.0}, {"end_logit", 2.0}},
           {{"text", "grass"}, {"probability", rest}, {"start_logit", 1.0}, {"end_logit", 2.0}}});
    };
    write_file(run.predictions(), json_text({{"q1", first}, {"q2", second}}));
    write_file(run.nbest(), json_text({{"q1", nbest(first)}, {"q2", nbest(second)}}));
    const Score score = score_predictions(read_dataset(dev), {{"q1", first}, {"q2", second}});
    write_file(run.eval(), score_line(score));
    return score;
  }
};

}  // namespace expctl::test
