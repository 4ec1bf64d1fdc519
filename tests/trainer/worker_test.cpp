#include "trainer/worker.h"

#include "core/error.h"
#include "core/files.h"
#include "core/request.h"
#include "core/run_paths.h"
#include "core/worker_exit.h"
#include "formats/logits_file.h"
#include "formats/safetensors.h"
#include "tests/trainer/small_training.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// Folders with data, a tiny model and run folders over them.
struct Runs {
  TempDir dir;
  WorkerRequest request;

  Runs() {
    const auto data = make_synthetic_data({.seed = 5, .train_paragraphs = 8, .dev_paragraphs = 2});
    write_file(dir / "train.json", dataset_text(data.train));
    write_file(dir / "dev.json", dataset_text(data.dev));
    make_folder(dir / "model");
    write_tiny_bert(dir / "model", learn_vocabulary(data.train, 200), 11,
                    {.hidden = 32, .layers = 2, .heads = 2, .intermediate = 48, .max_position = 160});
    request.run_id = "run1";
    request.spec.train = small_spec();
    request.spec.train.precision = request.spec.train.eval_precision = "fp32";
    request.spec.train_data.path = dir / "train.json";
    request.spec.dev_data.path = dir / "dev.json";
    request.spec.init.path = dir / "model";
  }

  RunPaths folder(const std::string& name) const {
    const RunPaths paths{dir / name};
    make_folder(paths.folder);
    write_file(paths.request(), json_text(to_json(request)));
    return paths;
  }
};

/// On one rank.
int run_worker(const std::filesystem::path& folder, const std::function<bool()>& is_terminated) {
  OneRank rank;
  return expctl::run_worker(folder, is_terminated, rank);
}

std::vector<Json> metrics(const RunPaths& paths) {
  std::vector<Json> lines;
  for (const auto& line : split(trim(read_file(paths.metrics())), '\n'))
    lines.push_back(parse_json(line, "metrics.jsonl"));
  return lines;
}

std::vector<Json> events(const RunPaths& paths) {
  std::vector<Json> lines = metrics(paths);
  std::erase_if(lines, [](const Json& line) { return !line.contains("event"); });
  return lines;
}

/// Told to end when it has been asked `times` times.
std::function<bool()> after(int times) {
  return [times]() mutable { return times-- <= 0; };
}

}  // namespace

TEST_CASE("worker: a training leaves all that the run folder is said to hold", "[trainer]") {
  const Runs runs;
  const auto run = runs.folder("run1");
  REQUIRE(run_worker(run.folder, never) == 0);
  for (const auto& file : {run.environment(), run.metrics(), run.logits(), run.predictions(), run.nbest(),
                           run.eval(), run.inference_stats(), CheckpointPaths{run.checkpoint()}.weights()}) {
    INFO(file);
    CHECK(std::filesystem::is_regular_file(file));
  }
  CHECK_FALSE(std::filesystem::exists(run.state()));
  const auto steps = metrics(run);
  REQUIRE(steps.size() == 5);
  for (size_t i = 0; i < steps.size(); ++i) CHECK(steps[i]["step"] == i + 1);
  CHECK(read_json(run.environment())["precision"] == "fp32");
}

TEST_CASE("worker: told to end, it saves, and the next attempt ends as if nothing had happened",
          "[trainer]") {
  const Runs runs;
  const auto straight = runs.folder("run1");
  REQUIRE(run_worker(straight.folder, never) == 0);
  // Asked before each of 5 steps, then before each batch of the prediction: in the training, and after it.
  for (const int times : {2, 5}) {
    INFO("told to end after " << times << " questions");
    const auto run = runs.folder("run" + std::to_string(times));
    REQUIRE(run_worker(run.folder, after(times)) == kExitTerminated);
    CHECK(std::filesystem::exists(run.state()));
    CHECK_FALSE(std::filesystem::exists(run.eval()));
    REQUIRE(run_worker(run.folder, never) == 0);
    CHECK_FALSE(std::filesystem::exists(run.state()));
    CHECK(read_file(run.logits()) == read_file(straight.logits()));
    CHECK(read_file(run.nbest()) == read_file(straight.nbest()));
    CHECK(read_file(CheckpointPaths{run.checkpoint()}.weights()) ==
          read_file(CheckpointPaths{straight.checkpoint()}.weights()));
    const auto steps = metrics(run);
    REQUIRE(steps.size() == 5);
    for (size_t i = 0; i < steps.size(); ++i) CHECK(steps[i]["loss"] == metrics(straight)[i]["loss"]);
  }
}

TEST_CASE("worker: lines of steps that a killed attempt had not saved are written once", "[trainer]") {
  Runs runs;
  runs.request.spec.train.save_every = 2;
  const auto run = runs.folder("run1");
  REQUIRE(run_worker(run.folder, after(3)) == kExitTerminated);
  // As kill -9 leaves it: steps beyond the saved one, the last of them half written.
  write_file(run.metrics(), read_file(run.metrics()) + "{\"step\":4,\"loss\":1}\n{\"step\":5,\"lo");
  REQUIRE(run_worker(run.folder, never) == 0);
  const auto steps = metrics(run);
  REQUIRE(steps.size() == 5);
  for (size_t i = 0; i < steps.size(); ++i) CHECK(steps[i]["step"] == i + 1);
}

TEST_CASE("worker: an attempt that ends at once has lost no more than the steps since it last saved",
          "[trainer]") {
  Runs runs;
  runs.request.spec.train.save_every = 2;
  const auto run = runs.folder("run1");
  int asked = 0;
  const auto dies_in_step_4 = [&]() -> bool {
    if (++asked > 3) throw std::runtime_error("killed");
    return false;
  };
  CHECK_THROWS_WITH(run_worker(run.folder, dies_in_step_4), "killed");
  const auto state = SafeTensors::read(run.state() / "state.safetensors");
  CHECK(parse_json(state.metadata().at("position"), "position")["step"] == 2);
  CHECK(metrics(run).size() == 3);
  REQUIRE(run_worker(run.folder, never) == 0);
  CHECK(metrics(run).size() == 5);
}

TEST_CASE("worker: a training that diverges says so by its exit code and an event", "[trainer]") {
  const Runs runs;
  auto model = load_checkpoint(runs.dir / "model", 3);
  model.parameters["qa_outputs.weight"].fill_(std::numeric_limits<float>::max());
  save_checkpoint(runs.dir / "model", model);
  const auto run = runs.folder("run1");
  REQUIRE(run_worker(run.folder, never) == kExitDiverged);
  CHECK(metrics(run).back()["event"] == "diverged");
  CHECK(metrics(run).back()["step"] == 1);
  CHECK_FALSE(std::filesystem::exists(run.checkpoint()));
  CHECK_FALSE(std::filesystem::exists(run.eval()));
}

TEST_CASE("worker: evaluating on the way adds events to the metrics and changes nothing else", "[trainer]") {
  Runs runs;
  const auto plain = runs.folder("run1");
  REQUIRE(run_worker(plain.folder, never) == 0);
  runs.request.spec.train.eval_every = 2;
  const auto run = runs.folder("run2");
  REQUIRE(run_worker(run.folder, never) == 0);
  const auto made = events(run);
  REQUIRE(made.size() == 2);
  for (size_t i = 0; i < made.size(); ++i) {
    CHECK(made[i]["event"] == "eval");
    CHECK(made[i]["step"] == 2 * (i + 1));
    CHECK(made[i]["f1"].get<double>() >= made[i]["exact_match"].get<double>());
  }
  CHECK(read_file(run.logits()) == read_file(plain.logits()));

  // Told to end in the evaluation after step 2: the next attempt makes it, as it would have been.
  const auto cut = runs.folder("run3");
  REQUIRE(run_worker(cut.folder, after(2)) == kExitTerminated);
  CHECK(metrics(cut).size() == 2);
  CHECK(events(cut).empty());
  REQUIRE(run_worker(cut.folder, never) == 0);
  const auto made_later = events(cut);
  REQUIRE(made_later.size() == 2);
  for (size_t i = 0; i < made.size(); ++i) {
    CHECK(made_later[i]["step"] == made[i]["step"]);
    CHECK(made_later[i]["f1"] == made[i]["f1"]);
  }
  // Told to end after it: it is not made twice.
  const auto between = runs.folder("run4");
  REQUIRE(run_worker(between.folder, after(3)) == kExitTerminated);
  CHECK(events(between).size() == 1);
  REQUIRE(run_worker(between.folder, never) == 0);
  CHECK(events(between).size() == 2);
}

TEST_CASE("worker: the order of a file, and the first gradients where they are asked for", "[trainer]") {
  Runs runs;
  const auto seeded = runs.folder("run1");
  REQUIRE(run_worker(seeded.folder, never) == 0);
  CHECK_FALSE(std::filesystem::exists(seeded.gradients()));
  write_file(runs.dir / "order.json", "[[1, 0]]");
  runs.request.order = runs.dir / "order.json";
  runs.request.save_gradients = true;
  const auto run = runs.folder("run2");
  CHECK_THROWS_WITH(run_worker(run.folder, never), Catch::Contains("not a permutation"));
  const auto vocabulary = Vocabulary::read(runs.dir / "model/vocab.txt");
  const auto features = make_features(read_dataset(runs.dir / "train.json"), vocabulary,
                                      training_feature_options(runs.request.spec.train));
  Json order = Json::array();
  for (size_t i = features.size(); i > 0; --i) order.push_back(i - 1);
  write_file(runs.dir / "order.json", json_text(Json::array({order, order, order})));
  REQUIRE(run_worker(run.folder, never) == 0);
  CHECK(metrics(run)[0]["loss"] != metrics(seeded)[0]["loss"]);
  CHECK(std::filesystem::is_regular_file(run.gradients()));
}

TEST_CASE("worker: deterministic algorithms are on or off as the key says", "[trainer]") {
  Runs runs;
  for (const bool wanted : {false, true}) {
    runs.request.spec.train.deterministic = wanted;
    const auto run = runs.folder(wanted ? "on" : "off");
    REQUIRE(run_worker(run.folder, never) == 0);
    CHECK(at::globalContext().deterministicAlgorithms() == wanted);
    CHECK(read_json(run.environment())["deterministic"] == wanted);
  }
}

TEST_CASE("worker: a prediction of a run's checkpoint is the run's own prediction", "[trainer]") {
  Runs runs;
  const auto run = runs.folder("run1");
  REQUIRE(run_worker(run.folder, never) == 0);
  runs.request.task = WorkerTask::kPredict;
  runs.request.spec.init.path = run.checkpoint();
  const auto again = runs.folder("prediction");
  REQUIRE(run_worker(again.folder, never) == 0);
  CHECK(read_file(again.logits()) == read_file(run.logits()));
  CHECK(read_file(again.eval()) == read_file(run.eval()));
  CHECK_FALSE(std::filesystem::exists(again.metrics()));
  CHECK_FALSE(std::filesystem::exists(again.checkpoint()));
}

TEST_CASE("worker: a length beyond the model's positions is refused before anything is computed",
          "[trainer]") {
  Runs runs;
  runs.request.spec.train.max_seq_length = 161;
  const auto run = runs.folder("run1");
  CHECK_THROWS_WITH(run_worker(run.folder, never),
                    Catch::Contains("a length of 161 tokens") && Catch::Contains("has 160 positions"));
  CHECK_FALSE(std::filesystem::exists(run.metrics()));
}

TEST_CASE("worker: a GPU that it cannot use is refused before anything is done", "[trainer]") {
  Runs runs;
  runs.request.devices.gpus = {"GPU-0"};
  const auto run = runs.folder("run1");
  CHECK_THROWS_WITH(run_worker(run.folder, never), Catch::Contains("on the CPU only") ||
                                                       Catch::Contains("does not load") ||
                                                       Catch::Contains("GPU"));
  CHECK_FALSE(std::filesystem::exists(run.environment()));
}

TEST_CASE("worker: the average is what is kept, and what is looked at on the way", "[trainer]") {
  Runs runs;
  TrainSpec& spec = runs.request.spec.train;
  spec.schedule = "constant";  // two steps are then the same of a short training and of a long one
  spec.learning_rate = 2e-2;
  spec.ema_decay = 0.9;
  spec.max_steps = 3;
  const auto averaged = runs.folder("run1");
  REQUIRE(run_worker(averaged.folder, never) == 0);
  spec.ema_decay = 0;
  const auto plain = runs.folder("run2");
  REQUIRE(run_worker(plain.folder, never) == 0);
  CHECK(read_file(averaged.logits()) != read_file(plain.logits()));
  for (size_t i = 0; i < 3; ++i) CHECK(metrics(averaged)[i]["loss"] == metrics(plain)[i]["loss"]);

  spec.ema_decay = 0.9;
  spec.max_steps = 6;
  spec.eval_every = 3;
  const auto longer = runs.folder("run3");
  REQUIRE(run_worker(longer.folder, never) == 0);
  REQUIRE(events(longer).size() == 1);
  CHECK(events(longer)[0]["f1"] == read_json(averaged.eval())["f1"]);
  CHECK(events(longer)[0]["f1"] != read_json(plain.eval())["f1"]);
}

namespace {

/// The logits that a model trained on the training data of `runs` gives to that data.
std::filesystem::path make_teacher(Runs& runs) {
  const WorkerRequest training = runs.request;
  const auto run = runs.folder("teacher");
  REQUIRE(run_worker(run.folder, never) == 0);
  runs.request.task = WorkerTask::kPredict;
  runs.request.spec.init.path = run.checkpoint();
  runs.request.spec.dev_data = runs.request.spec.train_data;
  const auto logits = runs.folder("logits");
  runs.request = training;
  REQUIRE(run_worker(logits.folder, never) == 0);
  return logits.logits();
}

}  // namespace

TEST_CASE("worker: a training learns from a teacher's logits, to the same bits after a break", "[trainer]") {
  Runs runs;
  const auto plain = runs.folder("run1");
  REQUIRE(run_worker(plain.folder, never) == 0);
  runs.request.spec.teacher = {make_teacher(runs), ""};
  runs.request.spec.train.distillation = 0.7;
  const auto straight = runs.folder("run2");
  REQUIRE(run_worker(straight.folder, never) == 0);
  CHECK(metrics(straight)[0]["loss"] != metrics(plain)[0]["loss"]);
  const auto run = runs.folder("run3");
  REQUIRE(run_worker(run.folder, after(2)) == kExitTerminated);
  REQUIRE(run_worker(run.folder, never) == 0);
  CHECK(read_file(CheckpointPaths{run.checkpoint()}.weights()) ==
        read_file(CheckpointPaths{straight.checkpoint()}.weights()));
}

TEST_CASE("worker: a teacher of something else is refused before anything is computed", "[trainer]") {
  Runs runs;
  const std::filesystem::path file = make_teacher(runs);
  const LogitsFile good = read_logits(file);
  runs.request.spec.teacher = {file, ""};
  const auto refused = [&](const std::string& why) {
    const auto run = runs.folder("run1");
    CHECK_THROWS_WITH(run_worker(run.folder, never), Catch::Contains(why));
    CHECK_FALSE(std::filesystem::exists(run.metrics()));
  };
  refused("nothing is learned from it with distillation = 0");
  runs.request.spec.train.distillation = 0.5;
  runs.request.spec.train.doc_stride = 40;
  refused("not the training data's logits: doc_stride: 32 and 40");
  runs.request.spec.train.doc_stride = 32;
  LogitsFile other = good;
  other.identity.features_sha256 = "x";
  write_logits(file, other);
  refused("its features are not those of the training");
  other = good;
  other.offsets[1] -= 1;
  write_logits(file, other);
  refused("its features are not those of the training");
  other = good;
  other.identity.dataset_sha256 = "x";
  write_logits(file, other);
  refused("not the training data's logits: dataset_sha256");
  write_logits(file, good);
  CHECK(run_worker(runs.folder("run2").folder, never) == 0);
  runs.request.spec.teacher = {};
  refused("there is no teacher to learn from");
}
