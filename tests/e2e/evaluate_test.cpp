// `expctl evaluate`: other evaluations of what has been trained, on record beside the run's own.
#include "core/json.h"
#include "core/run_paths.h"
#include "formats/logits_file.h"
#include "tests/e2e/short_sweep.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

TEST_CASE("evaluate: at another length, on other data, of runs and ensembles, each once", "[e2e]") {
  const Job job;
  job.succeeds({"demo", "demo"});
  write_file(job.dir / "s.toml", kSweep);
  job.succeeds({"sweep", "s.toml"});
  job.succeeds({"ensemble", "run1", "run2"});
  const RunPaths run{job.dir / "runs/run1"};

  // As the run was evaluated: the same bytes.
  const Json same = Json::parse(job.succeeds({"--json", "evaluate", "run1"}).out);
  CHECK(same["evaluation"] == "96-32");
  const RunPaths again = run.evaluation("96-32");
  for (const auto file : {&RunPaths::logits, &RunPaths::predictions, &RunPaths::nbest, &RunPaths::eval})
    CHECK(read_file((again.*file)()) == read_file((run.*file)()));
  CHECK(fs::exists(again.inference_stats()));

  // At another length, with a stride of its own.
  const auto at_48 = job.succeeds({"evaluate", "run1", "--set", "eval_max_seq_length=48"});
  const RunPaths shorter = run.evaluation("48-16");
  CHECK(at_48.out == read_file(shorter.eval()));
  CHECK(job.succeeds({"score", "demo/dev.json", shorter.predictions().string()}).out == at_48.out);
  CHECK(read_logits(shorter.logits()).identity.max_seq_length == "48");
  CHECK_THAT(job.succeeds({"runs", "show", "run1"}).out,
             Contains("evaluation 48-16") && Contains("evaluation default"));

  // Once is enough; another of the same name is refused, under another name it is made.
  CHECK_THAT(job.succeeds({"evaluate", "run1", "--set", "eval_max_seq_length=48"}).err,
             Contains("has this evaluation already"));
  std::vector<std::string> best_of_one = {"evaluate", "run1",    "--set", "eval_max_seq_length=48",
                                          "--set",    "n_best=1"};
  job.succeeds(best_of_one);
  CHECK(read_json(run.evaluation("48-16-n_best-1").nbest()).front().size() == 1);
  best_of_one.insert(best_of_one.end(), {"--name", "48-16"});
  const ProgramResult taken = job(best_of_one);
  CHECK(taken.exit_code == 1);
  CHECK_THAT(taken.err,
             Contains("run1 has another evaluation '48-16': n_best 20, not 1") && Contains("--name"));

  // What ranks is the run's own evaluation still.
  const Json list = Json::parse(job.succeeds({"--json", "runs", "list"}).out);
  CHECK(list["runs"][0]["f1"] == read_json(run.eval())["f1"]);

  job.succeeds({"evaluate", "ens1", "--data", "demo/dev.json"});
  const RunPaths ensemble{job.dir / "runs/ens1"};
  CHECK(read_file(ensemble.evaluation("dev-96-32").eval()) == read_file(ensemble.eval()));
}

TEST_CASE("evaluate: named after its data, and it leaves nothing where it fails", "[e2e]") {
  const Job job;
  job.succeeds({"demo", "demo"});
  write_file(job.dir / "s.toml", kSweep);
  job.succeeds({"train", "s.toml", "--set", "max_steps=1", "--set", "seed=1"});
  fs::copy(job.dir / "demo/dev.json", job.dir / ".new data (2).json");
  const std::vector<std::string> words = {"evaluate", "run1", "--data", ".new data (2).json"};
  const fs::path folder = job.dir / "runs/run1";
  const CheckpointPaths checkpoint{RunPaths{folder}.checkpoint()};
  fs::rename(checkpoint.weights(), job.dir / "weights");
  write_file(checkpoint.pickled_weights(), "no zip file");  // which is known only when it is loaded
  const ProgramResult failed = job(words);
  CHECK(failed.exit_code == 1);
  CHECK_THAT(failed.err, Contains("pytorch_model.bin: not a zip file"));
  CHECK_FALSE(fs::exists(folder / "evals"));
  for (const auto& entry : fs::directory_iterator(folder)) {
    INFO(entry.path());
    CHECK(entry.path().filename().string().find("new_data") == std::string::npos);
  }
  fs::rename(job.dir / "weights", checkpoint.weights());
  job.succeeds(words);
  CHECK(fs::exists(RunPaths{folder}.evaluation("_.new_data__2_-96-32").eval()));
}

TEST_CASE("predict and evaluate: a length is within the model's positions", "[e2e]") {
  const Job job;
  job.succeeds({"demo", "demo"});  // its model has 256
  write_file(job.dir / "s.toml", kSweep);
  job.succeeds({"train", "s.toml", "--set", "max_steps=1", "--set", "seed=1"});
  const std::string checkpoint = "runs/run1/checkpoint";
  for (const auto& words : {std::vector<std::string>{"evaluate", "run1"},
                            std::vector<std::string>{"predict", "run1", "--input", "demo/dev.json"},
                            std::vector<std::string>{"predict", checkpoint, "--input", "demo/dev.json"}}) {
    auto longer = words;
    longer.insert(longer.end(), {"--set", "eval_max_seq_length=257"});
    const ProgramResult refused = job(longer);
    CHECK(refused.exit_code == 1);
    CHECK_THAT(refused.err, Contains("a length of 257 tokens") && Contains("has 256 positions"));
  }
  // A folder tells of no length: the usual one, or as many as it has positions.
  job.succeeds({"predict", checkpoint, "--input", "demo/dev.json", "--out", "out"});
  CHECK(read_logits(RunPaths{job.dir / "out"}.logits()).identity.max_seq_length == "256");
}

TEST_CASE("evaluate: what it cannot do is said, and nothing is left", "[e2e]") {
  const Job job;
  job.succeeds({"demo", "demo"});
  write_file(job.dir / "s.toml", kSweep);
  job.succeeds({"train", "s.toml", "--set", "max_steps=1", "--set", "seed=1"});
  const auto refused = [&](std::vector<std::string> words, int exit_code, const std::string& message) {
    words.insert(words.begin(), {"evaluate"});
    const ProgramResult result = job(words);
    INFO(result.err);
    CHECK(result.exit_code == exit_code);
    CHECK_THAT(result.err, Contains(message));
    CHECK_FALSE(fs::exists(job.dir / "runs/run1/evals"));
  };
  refused({"run7"}, 3, "run7");
  refused({"run1", "--data", "absent.json"}, 3, "absent.json: no such file");
  refused({"run1", "--set", "learning_rate=1"}, 2, "--set learning_rate: nothing is trained here");
  refused({"run1", "--set", "eval_max_seq_lenth=48"}, 2, "did you mean 'eval_max_seq_length'?");
  refused({"run1", "--name", "../up"}, 2, "not a name for an evaluation");
  refused({"run1", "--name", "default"}, 2, "not a name for an evaluation");
  write_file(job.dir / "unseen.json",
             R"({"version":"1.1","data":[{"title":"t","paragraphs":[{"context":"Red.",)"
             R"("qas":[{"id":"1","question":"Which?"}]}]}]})");
  refused({"run1", "--data", "unseen.json"}, 1, "there is no score");
  write_file(job.dir / "demo/dev.json", read_file(job.dir / "demo/dev.json") + " ");
  refused({"run1"}, 1, "dev.json: it has changed since run1 was evaluated on it");
}

TEST_CASE("evaluate: of the training data it makes the logits that another training learns from", "[e2e]") {
  const Job job;
  job.succeeds({"demo", "demo"});
  write_file(job.dir / "s.toml", kSweep);
  job.succeeds({"sweep", "s.toml"});
  job.succeeds({"ensemble", "run1", "run2"});
  job.succeeds({"evaluate", "ens1", "--data", "demo/train.json", "--name", "train"});
  std::string text = kSweep;
  text.replace(text.find("[model]"), 0, "teacher = \"runs/ens1/evals/train/logits.safetensors\"\n");
  text.replace(text.find("max_steps"), 0, "distillation = 0.5\n");
  write_file(job.dir / "student.toml", text);
  job.succeeds({"sweep", "student.toml"});
  CHECK(read_json(job.dir / "runs/run4/eval.json")["f1"].get<double>() > 0);
  CHECK_THAT(job.succeeds({"compare", "run1", "run3"}).out,
             Catch::Contains("data.teacher") && Catch::Contains("distillation"));

  // At another length it does not fit, and that is said before anything starts.
  job.succeeds({"evaluate", "run1", "--data", "demo/train.json", "--name", "short", "--set",
                "eval_max_seq_length=64"});
  text.replace(text.find("ens1/evals/train"), 16, "run1/evals/short");
  write_file(job.dir / "student.toml", text);
  const ProgramResult refused = job({"sweep", "student.toml"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Catch::Contains("not the training data's logits: max_seq_length: 64 and 96") &&
                              Catch::Contains("--set eval_max_seq_length=96 --set eval_doc_stride=32"));
  write_file(job.dir / "runs/run1/evals/short/logits.safetensors", "no");
  CHECK(job({"sweep", "student.toml"}).exit_code == 1);
}
