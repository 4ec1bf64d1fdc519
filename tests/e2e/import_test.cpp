// `expctl import` and `expctl import-recipe`: what other programs have made, and how they made it.
#include <map>
#include <sstream>

#include "core/run_paths.h"
#include "core/text.h"
#include "formats/tiny_bert.h"
#include "squad/learn_vocabulary.h"
#include "squad/synthetic.h"
#include "tests/e2e/command_sweep.h"
#include "tests/support/fake_gpus.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

/// Commands typed in a folder of their own.
struct Workplace {
  TempDir dir;
  FakeGpus gpus{8};

  Workplace() {
    write_file(dir / "dev.json", kOneQuestion);
    make_folder(dir / "bin");
    fs::create_symlink("/bin/true", dir / "bin/mpirun");
  }

  ProgramResult operator()(std::vector<std::string> words) const {
    words.insert(words.begin(), (bin_dir() / "expctl").string());
    // A dry run only asks whether there are an expctl-train, an mpirun and the GPUs.
    auto environment = gpus.environment();
    environment.insert(environment.end(), {"EXPCTL_TRAIN=/bin/true",
                                           "PATH=" + (dir / "bin").string() + ":" + std::getenv("PATH")});
    return run_program(words, dir.path(), environment);
  }

  /// What a command that succeeds prints.
  std::string says(const std::vector<std::string>& words) const {
    const ProgramResult result = (*this)(words);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return result.out;
  }

  void write(const std::string& name, const std::string& text) const {
    make_folder((dir / name).parent_path());
    write_file(dir / name, text);
  }

  /// One message of one or two lines, and neither a row nor a folder.
  void refuses(const std::vector<std::string>& words, int exit_code, const std::string& message) const {
    const ProgramResult result = (*this)(words);
    INFO(result.err);
    CHECK(result.exit_code == exit_code);
    CHECK_THAT(result.err, Contains(message));
    CHECK(result.out.empty());
    CHECK(split(trim(result.err), '\n').size() <= 2);
    CHECK_FALSE(fs::exists(dir / "runs"));
    CHECK_FALSE(fs::exists(dir / "sweep.toml"));
  }
};

/// The lines of the contest's notes that begin with a text, as they are typed.
std::vector<std::string> contest_commands(const std::string& beginning) {
  std::vector<std::string> commands;
  std::istringstream notes(read_file(shared_dir() / "notes/contest.md"));
  for (std::string line; std::getline(notes, line);) {
    const std::string command(trim(line));
    if (command.starts_with(beginning)) commands.push_back(command);
  }
  return commands;
}

/// Data and a model of BERT's length, where a command line says that they are.
void lay_out(const Workplace& work, const std::vector<std::string>& data, const std::string& model) {
  const SyntheticData made = make_synthetic_data({1, 20, 5, 0.06});
  for (const auto& folder : data) {
    work.write(folder + "/train-v1.1.json", dataset_text(made.train));
    work.write(folder + "/dev-v1.1.json", dataset_text(made.dev));
  }
  make_folder(work.dir / model);
  TinyBertSize size;
  size.max_position = 512;
  constexpr int kVocabularySize = 300;
  write_tiny_bert(work.dir / model, learn_vocabulary(made.train, kVocabularySize), 1, size);
}

/// The hyper-parameters of a command line, of which the sweep file passes a dry run.
Json imported_recipe(const Workplace& work, const std::string& command) {
  fs::remove(work.dir / "sweep.toml");
  work.write("recipe.sh", command + "\n");
  const Json recipe = Json::parse(work.says({"--json", "import-recipe", "recipe.sh", "--out", "sweep.toml"}));
  CHECK_THAT(work.says({"sweep", "sweep.toml", "--dry-run"}), Contains("new"));
  CHECK(recipe["sweep_file"] == read_file(work.dir / "sweep.toml"));
  return recipe;
}

}  // namespace

TEST_CASE("import: the published predictions stand on the leaderboard with their exact scores", "[e2e]") {
  SKIP_UNLESS(!shared_dir().empty(), "no ../shared");
  const Workplace work;
  const fs::path squad = shared_dir() / "squad";
  const std::map<std::string, std::pair<double, double>> known = {
      {"bert-ensemble", {92.19557978351129, 86.20624408703878}},
      {"logistic-regression", {50.98153647324482, 40.14191106906339}}};
  for (const auto& [name, scores] : known) {
    make_folder(work.dir / name);
    expctl::copy_file(squad / "predictions" / (name + ".json"), work.dir / name / "predictions.json");
    work.says({"import", name, "--dev", (squad / "dev-v1.1.json").string()});
  }
  const Json runs = Json::parse(work.says({"--json", "runs", "list", "--sort", "f1"}))["runs"];
  REQUIRE(runs.size() == known.size());
  for (const auto& run : runs) {
    INFO(run.dump());
    CHECK(run["state"] == "succeeded");
    CHECK(run["f1"] == known.at(run["name"]).first);
    CHECK(run["exact_match"] == known.at(run["name"]).second);
  }
  CHECK(runs[0]["name"] == "bert-ensemble");
  CHECK_THAT(work.says({"runs", "list"}), Contains("92.1956") && Contains("50.9815"));
  const std::string file = (squad / "predictions/bert-ensemble.json").string();
  const ProgramResult again = work({"import", file, "--dev", (squad / "dev-v1.1.json").string()});
  CHECK(again.exit_code == 0);
  CHECK_THAT(again.err, Contains("is there already as run1"));
}

TEST_CASE("import: a whole folder becomes a run that can be looked at and handed in", "[e2e]") {
  const Workplace work;
  work.write("theirs/eval_predictions.json", R"({"q1": "blue"})");
  work.write("theirs/eval_nbest_predictions.json", R"({"q1": [{"text": "blue", "probability": 1.0}]})");
  work.write("theirs/train.log", "step 1\n");
  work.write("theirs/model/model.bin", "weights");
  const std::vector<std::string> import_it = {"import", "theirs/",  "--predictions", "eval_predictions.json",
                                              "--dev",  "dev.json", "--checkpoint",  "model",
                                              "--name", "torch"};
  CHECK_THAT(work.says(import_it), Contains("run1") && Contains("100.0000") && Contains("torch"));
  const RunPaths run{work.dir / "runs/run1"};
  CHECK(read_file(run.predictions()) == R"({"q1": "blue"})");
  CHECK(read_file(run.eval()) == work.says({"score", "dev.json", "theirs/eval_predictions.json"}));
  CHECK(read_file(run.log()) == "step 1\n");
  CHECK(read_file(run.checkpoint() / "model.bin") == "weights");
  CHECK(read_json(run.run())["state"] == "succeeded");
  CHECK(read_json(run.request())["spec"]["name"] == "torch");
  CHECK(work.says({"logs", "run1"}) == "step 1\n");
  CHECK_THAT(work.says({"runs", "show", "run1"}),
             Contains("imported from " + (work.dir / "theirs").string()));

  CHECK_THAT(work(import_it).err, Contains("is there already as run1"));
  work.write("theirs/eval_predictions.json", R"({"q1": "red"})");
  const ProgramResult other = work(import_it);
  CHECK_THAT(other.out, Contains("run2"));
  CHECK_THAT(other.err, Contains("warning: predictions and n-best disagree in 1 place"));
  work.write("theirs/eval_nbest_predictions.json", R"({"q1": [{"text": "red", "probability": 1.0}]})");
  CHECK_THAT(work.says(import_it), Contains("run3"));
  const std::vector<std::string> pack = {"package", "run1", "run3", "--top", "2", "--average", "1"};
  const ProgramResult twice = work(pack);
  CHECK(twice.exit_code == 6);
  CHECK_THAT(twice.err, Contains("run1 and run3 are the same checkpoint") && Contains("--except"));
  work.write("theirs/model/model.bin", "other weights");
  CHECK_THAT(work.says(import_it), Contains("run4"));
  work.says({"package", "run1", "run4", "--top", "2", "--average", "1"});
  CHECK(read_file(work.dir / "submission/run1/logs/train.log") == "step 1\n");
  CHECK_FALSE(fs::exists(work.dir / "submission/run1/training/sweep.toml"));
  CHECK_THAT(read_file(work.dir / "submission/methodology.md"),
             Contains("among 2 imported runs") && Contains("- run1 (torch): imported from "));
  CHECK_THAT(work({"stop", "run1"}).err, Contains("run1 is succeeded already"));
}

TEST_CASE("import: predictions alone, unscored or beside runs of a sweep", "[e2e]") {
  const Workplace work;
  work.write("answers.json", R"({"q1": "blue"})");
  const ProgramResult unscored = work({"import", "answers.json"});
  CHECK(unscored.exit_code == 0);
  CHECK_THAT(unscored.err, Contains("not scored: --dev names"));
  const Json scored = Json::parse(work.says({"--json", "import", "answers.json", "--dev", "dev.json"}));
  CHECK(scored["id"] == "run2");
  CHECK(scored["new"] == true);
  CHECK(scored["f1"] == 100.0);
  write_sweep(work.dir, R"("echo '{\"q1\": \"blue\"}' > predictions.json")");
  CHECK(sweep(work.dir, 0)[0]["id"] == "run3");
  CHECK_THAT(work.says({"package", "--top", "2", "--average", "1"}), Contains("run2") && Contains("run3"));
}

TEST_CASE("import: what cannot be taken leaves neither a run nor a folder", "[e2e]") {
  const Workplace work;
  make_folder(work.dir / "empty");
  work.write("other/eval_predictions.json", "{}");
  work.write("list/predictions.json", "[1]");
  work.write("broken/predictions.json", "{\"q1\": ");
  work.write("numbers/predictions.json", R"({"q1": 1})");
  work.write("strange/predictions.json", R"({"q9": "blue"})");
  work.write("good/predictions.json", R"({"q1": "blue"})");
  work.write("void/predictions.json", "");
  work.write("unseen.json",
             R"({"data":[{"paragraphs":[{"context":"a","qas":[{"id":"q1","question":"b"}]}]}]})");
  work.refuses({"import", "absent"}, 3, "absent: no such folder or file");
  work.refuses({"import", "empty"}, 3, "there is no predictions.json in it");
  work.refuses({"import", "other"}, 3, "--predictions names one of eval_predictions.json");
  work.refuses({"import", "list"}, 1, "not an object of question ids and answers");
  work.refuses({"import", "broken"}, 1, "broken/predictions.json");
  work.refuses({"import", "void"}, 1, "void/predictions.json");
  work.refuses({"import", "numbers"}, 1, "the answer to question 'q1' is not a text");
  work.refuses({"import", "strange", "--dev", "dev.json"}, 1, "it answers none of the questions");
  work.refuses({"import", "good", "--dev", "absent.json"}, 3, "absent.json");
  work.refuses({"import", "good", "--dev", "unseen.json"}, 1, "it has questions without answers");
  work.refuses({"import", "good", "--nbest", "x.json"}, 3, "--nbest x.json: there is none in");
  work.refuses({"import"}, 2, "DIR");
  // Once the predictions have been read: a second file that is unfit.
  work.write("good/nbest_predictions.json", "[]");
  const ProgramResult unfit = work({"import", "good", "--dev", "dev.json"});
  CHECK(unfit.exit_code == 1);
  CHECK_THAT(unfit.err, Contains("nbest_predictions.json: not an object"));
  CHECK((!fs::exists(work.dir / "runs") || fs::is_empty(work.dir / "runs")));
}

TEST_CASE("import-recipe: the contest's three command lines become sweep files that pass a dry run",
          "[e2e]") {
  SKIP_UNLESS(!shared_dir().empty(), "no ../shared");
  const auto nvidia = contest_commands("bash scripts/run_squad.sh"), lambda = contest_commands("mpirun ");
  REQUIRE(nvidia.size() == 2);
  REQUIRE(lambda.size() == 1);
  const Workplace work;
  lay_out(work, {"data/download/squad/v1.1"},
          "data/download/google_pretrained_weights/uncased_L-12_H-768_A-12");
  for (const auto& [command, gpus] : {std::pair(nvidia[0], 8), std::pair(nvidia[1], 4)}) {
    const Json recipe = imported_recipe(work, command);
    INFO(recipe["sweep_file"].get<std::string>());
    CHECK(recipe["gpus"] == gpus);
    CHECK(recipe["train"]["batch_size"] == 10 * gpus);
    CHECK(recipe["train"]["learning_rate"] == (gpus == 8 ? 4e-5 : 2e-5));  // 5e-6 a GPU
    CHECK(recipe["train"]["epochs"] == 1.1);
    CHECK(recipe["train"]["max_seq_length"] == 384);
    CHECK(recipe["train"]["doc_stride"] == 128);
  }
  lay_out(work, {"squad/v1.1"}, "uncased_L-12_H-768_A-12");
  const Json recipe = imported_recipe(work, lambda[0]);
  INFO(recipe["sweep_file"].get<std::string>());
  CHECK(recipe["gpus"] == 4);
  CHECK(recipe["train"]["batch_size"] == 48);
  CHECK(recipe["train"]["learning_rate"] == 3e-5);
  CHECK(recipe["train"]["epochs"] == 2.0);
  CHECK(recipe["train"]["max_seq_length"] == 384);
  CHECK(recipe["train"]["window"] == "advance");
  CHECK_THAT(recipe["unmapped"].dump(), Contains("-H localhost:4") && Contains("--allow-run-as-root"));
}

TEST_CASE("import-recipe: to stdout, from stdin, and what it could not map on stderr", "[e2e]") {
  const Workplace work;
  const std::string expctl = (bin_dir() / "expctl").string();
  const ProgramResult result = run_program(
      {"/bin/sh", "-c",
       "echo 'python run_qa.py --model_name_or_path m --optim adafactor' | " + expctl + " import-recipe -"});
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, Contains("init = \"m\"") && Contains("#   --optim adafactor\n"));
  CHECK_THAT(result.err, Contains("could not be mapped: --optim adafactor"));
  work.write("r.sh", "python run_qa.py --model_name_or_path m\n");
  work.write("there.toml", "mine");
  const ProgramResult kept = work({"import-recipe", "r.sh", "--out", "there.toml"});
  CHECK(kept.exit_code == 1);
  CHECK_THAT(kept.err, Contains("there.toml is there already"));
  CHECK(read_file(work.dir / "there.toml") == "mine");
}

TEST_CASE("import-recipe: wrong inputs are one message each", "[e2e]") {
  const Workplace work;
  work.write("empty.sh", "");
  work.write("other.sh", "#!/bin/sh\npython train.py --learning_rate 1e-5\n");
  work.write("bad.sh", "#!/bin/sh\npython run_qa.py --learning_rate fast\n");
  const auto refuses = [&](const std::string& file, int exit_code, const std::string& message) {
    work.refuses({"import-recipe", file, "--out", "sweep.toml"}, exit_code, message);
  };
  refuses("absent.sh", 3, "absent.sh");
  refuses("empty.sh", 1, "empty.sh: no command line of run_qa.py");
  refuses("other.sh", 1, "other.sh: no command line of run_qa.py");
  refuses("bad.sh", 1, "bad.sh:2: learning_rate = \"fast\": must be a number");
  work.refuses({"import-recipe"}, 2, "FILE");
}

TEST_CASE("recipes: each of the contest's programs has its command job beside its native equivalent",
          "[e2e]") {
  for (const char* name : {"nvidia_run_squad", "lambda_run_squad_hvd", "hugging_face_run_qa"}) {
    INFO(name);
    const fs::path folder = source_dir() / "experiments/recipes";
    CHECK_THAT(read_file(folder / (std::string(name) + ".toml")),
               Contains("[train]") && !Contains("[command]"));
    CHECK_THAT(read_file(folder / (std::string(name) + "_command.toml")),
               Contains("[command]") && !Contains("[train]"));
  }
}

TEST_CASE("an imported run stands after the registry was lost and made anew", "[e2e]") {
  const TempDir folder;
  write_file(folder / "dev.json", kOneQuestion);
  write_file(folder / "predictions.json", "{\"q1\": \"nothing of it\"}");
  const auto expctl = [&](std::vector<std::string> words) {
    words.insert(words.begin(),
                 {(bin_dir() / "expctl").string(), "--json", "--workspace", (folder / "runs").string()});
    return run_program(words);
  };
  REQUIRE(expctl({"import", (folder / "predictions.json").string(), "--dev", (folder / "dev.json").string()})
              .exit_code == 0);
  const auto shown = Json::parse(expctl({"runs", "show", "run1"}).out);
  CHECK(expctl({"registry", "check"}).exit_code == 0);
  for (const auto& file : find_files(folder / "runs", "registry.db*")) std::filesystem::remove(file);
  const auto rebuilt = expctl({"registry", "rebuild"});
  INFO(rebuilt.err);
  CHECK(rebuilt.exit_code == 0);
  CHECK(Json::parse(expctl({"runs", "show", "run1"}).out) == shown);
  CHECK(expctl({"registry", "check"}).exit_code == 0);
}
