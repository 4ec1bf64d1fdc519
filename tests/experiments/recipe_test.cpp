#include "experiments/recipe.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/text.h"
#include "experiments/recipe_toml.h"
#include "experiments/sweep_file.h"
#include "tests/support/support.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

const std::string kTensorFlowFlags =
    " --vocab_file=bert/vocab.txt --bert_config_file=bert/bert_config.json "
    "--init_checkpoint=bert/bert_model.ckpt"
    " --do_train=True --train_file=squad/train-v1.1.json --do_predict=True"
    " --predict_file=squad/dev-v1.1.json --output_dir=/results ";

Recipe read(const std::string& text) {
  return read_recipe(text, "r.sh");
}

/// The one run of the sweep file made from a command line, which has to be a sweep file.
RunSpec run_of(const std::string& text) {
  const auto runs = expand(parse_sweep(recipe_toml(read(text), "r"), "r.toml", "/job"));
  REQUIRE(runs.size() == 1);
  return runs[0];
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// The command line of a sweep's first run, or the script that its shell is given.
std::string command_text(const SweepSpec& sweep) {
  const auto& argv = sweep.base.command.argv;
  std::vector<std::string> words;
  for (const auto& word : argv) words.push_back(shell_quote(word));
  std::string text = argv[1] == "-c" ? argv[2] : join(words, " ");
  for (const auto& axis : sweep.space)
    text = replaced(text, "{" + axis.key + "}", scalar_text(axis.values[0]));
  return replaced(text, "{seed}", std::to_string(sweep.seeds[0]));
}

bool holds(const std::vector<std::string>& texts, const std::string& wanted) {
  return std::find(texts.begin(), texts.end(), wanted) != texts.end();
}

}  // namespace

TEST_CASE("recipe: the arguments of NVIDIA's script in their order", "[experiments]") {
  const RunSpec run =
      run_of("bash scripts/run_squad.sh 4 1e-6 fp32 false 3 320 100 base 1.1 w/bert_model.ckpt 1.5");
  CHECK(run.train.batch_size == 12);
  CHECK(run.train.micro_batch == 4);
  CHECK(run.train.learning_rate == 3e-6);  // run_squad.py multiplies the rate by the number of GPUs
  CHECK(run.train.precision == "fp32");
  CHECK(run.train.max_seq_length == 320);
  CHECK(run.train.doc_stride == 100);
  CHECK(run.train.epochs == 1.5);
  CHECK(run.train.warmup_ratio == 0.1);
  CHECK(run.train.window == "advance");
  CHECK(run.train.max_query_length == 64);
  CHECK(run.train.decode == "run_squad");
  CHECK_FALSE(run.train.bias_correction);
  CHECK(run.train.weight_decay == 0.01);
  CHECK(run.resources.gpus == 3);
  CHECK(run.init.path == "/job/w");
  CHECK(run.train_data.path == "/job/data/download/squad/v1.1/train-v1.1.json");
  CHECK(run.dev_data.path == "/job/data/download/squad/v1.1/dev-v1.1.json");
}

TEST_CASE("recipe: what NVIDIA's script takes where an argument is missing", "[experiments]") {
  const RunSpec run = run_of("./run_squad.sh 10");
  CHECK(run.train.batch_size == 80);
  CHECK(run.train.learning_rate == 4e-5);
  CHECK(run.train.precision == "auto");
  CHECK(run.train.epochs == 2.0);
  CHECK(run.resources.gpus == 8);
  CHECK_THAT(run.init.path, Contains("uncased_L-24_H-1024_A-16"));
  const Recipe more = read("./run_squad.sh 10 5e-6 fp16 true 1 384 128 base 2.0 w/bert_model.ckpt 2 extra");
  CHECK(more.unmapped == std::vector<std::string>{"XLA true (argument 4)",
                                                  "SQuAD version 2.0 (argument 9): expctl has 1.1 only",
                                                  "extra (argument 12)"});
  CHECK(more.train.learning_rate == 5e-6);
}

TEST_CASE("recipe: the flags of run_squad.py, by themselves and under Horovod", "[experiments]") {
  const RunSpec google = run_of("python run_squad.py" + kTensorFlowFlags);
  CHECK(google.train.batch_size == 32);
  CHECK(google.train.learning_rate == 5e-5);
  CHECK(google.train.epochs == 3.0);
  CHECK(google.resources.gpus == 1);
  CHECK(google.init.path == "/job/bert");
  const Recipe nvidia = read("mpirun -np 2 python run_squad.py" + kTensorFlowFlags +
                             "--train_batch_size=6 --learning_rate=1e-5 --horovod \"--amp\" --use_xla "
                             "--save_checkpoints_steps 1000");
  CHECK(nvidia.program == "NVIDIA's run_squad.py");
  CHECK(nvidia.train.batch_size == 12);
  CHECK(nvidia.train.learning_rate == 2e-5);
  CHECK(nvidia.train.precision == "auto");
  CHECK(nvidia.train.save_every == 1000);
  CHECK(nvidia.unmapped == std::vector<std::string>{"--use_xla"});
  CHECK(read("python run_squad.py" + kTensorFlowFlags + "--noamp --amp=false").train.precision == "fp32");
}

TEST_CASE("recipe: Lambda's Horovod version keeps the rate, and its launcher gives the GPUs",
          "[experiments]") {
  const Recipe recipe =
      read("mpirun -np 4 -H localhost:4 -mca pml ob1 -x PATH --allow-run-as-root python3 " +
           ("run_squad_hvd.py" + kTensorFlowFlags) +
           "--train_batch_size=12 --learning_rate=3e-5 --num_train_epochs=2.0 --horovod=true");
  CHECK(recipe.gpus == 4);
  CHECK(recipe.train.batch_size == 48);
  CHECK(recipe.train.learning_rate == 3e-5);
  CHECK(recipe.unmapped == std::vector<std::string>{"mpirun -H localhost:4", "mpirun -mca pml ob1",
                                                    "mpirun -x PATH", "mpirun --allow-run-as-root"});
  CHECK(read("mpirun \"\" -np 2 python run_squad_hvd.py").gpus == 2);
  CHECK(holds(recipe.implied, "--vocab_file=bert/vocab.txt"));
  CHECK(holds(recipe.implied, "--horovod=true"));
}

TEST_CASE("recipe: Hugging Face's flags, with a launcher, visible GPUs or neither", "[experiments]") {
  const std::string flags =
      " --model_name_or_path models/bert --train_file t.json --validation_file d.json --do_train --do_eval"
      " --per_device_train_batch_size 12 --learning_rate 3e-5 --num_train_epochs 2 --max_seq_length 384"
      " --doc_stride 128 --output_dir out ";
  const RunSpec run =
      run_of("python run_qa.py" + flags +
             "--seed 7 --warmup_ratio 0.1 --bf16 --optim adamw_torch "
             "--lr_scheduler_type cosine --weight_decay=0.01 --gradient-accumulation-steps 2");
  CHECK(run.train.batch_size == 24);
  CHECK(run.train.seed == 7);
  CHECK(run.train.warmup_ratio == 0.1);
  CHECK(run.train.precision == "bf16");
  CHECK(run.train.schedule == "cosine");
  CHECK(run.train.weight_decay == 0.01);
  CHECK(run.train.window == "overlap");
  CHECK(run.train.max_query_length == 0);
  CHECK(run.train.decode == "run_qa");
  CHECK(run.dev_data.path == "/job/d.json");
  CHECK(run.init.path == "/job/models/bert");
  CHECK(run.resources.gpus == 1);
  CHECK(read("torchrun --nproc_per_node=4 --nnodes 2 run_qa.py" + flags).train.batch_size == 96);
  CHECK(read("python -m torch.distributed.launch --nproc_per_node 8 run_qa.py" + flags).gpus == 8);
  CHECK(read("CUDA_VISIBLE_DEVICES=0,1 python run_qa.py" + flags).gpus == 2);
  CHECK(read("accelerate launch --num_processes 2 run_qa.py" + flags).gpus == 2);
}

TEST_CASE("recipe: Hugging Face's older run_squad.py has Google's features", "[experiments]") {
  const Recipe recipe = read(
      "SQUAD=/data\npython run_squad.py --model_type bert --model_name_or_path m --data_dir $SQUAD "
      "--per_gpu_train_batch_size 12 --max_steps -1 --warmup_steps 100 --fp16 --fp16_opt_level O1");
  CHECK(recipe.program == "Hugging Face's run_squad.py");
  CHECK(recipe.train.window == "advance");
  CHECK(recipe.train.max_query_length == 64);
  CHECK(recipe.train.decode == "run_squad");
  CHECK(recipe.train_file == "/data/train-v1.1.json");
  CHECK(recipe.unmapped ==
        std::vector<std::string>{"--fp16_opt_level O1",
                                 "--warmup_steps 100: a sweep file has warmup_ratio, a part of all steps"});
  CHECK(read("python run_squad.py --model_type bert --max_steps 400 --warmup_steps 100").train.warmup_ratio ==
        0.25);
}

TEST_CASE("recipe: everything that says nothing to a sweep file is named in it", "[experiments]") {
  const Recipe recipe = read(
      "python run_qa.py --model_name_or_path m --optim adafactor --label_smoothing_factor 0.1 "
      "--dataset_name squad --logging_steps 50 stray --do_train False");
  CHECK(recipe.unmapped == std::vector<std::string>{"--optim adafactor", "--label_smoothing_factor 0.1",
                                                    "--dataset_name squad", "--logging_steps 50", "stray",
                                                    "--do_train False"});
  const std::string toml = recipe_toml(recipe, "r");
  for (const auto& words : recipe.unmapped) CHECK_THAT(toml, Contains("#   " + words + "\n"));
  CHECK_THAT(toml, Contains("train: the command line names none"));
}

TEST_CASE("recipe: the project's native recipes are what their command recipes train", "[experiments]") {
  const auto folder = test::source_dir() / "experiments/recipes";
  for (const std::string name : {"nvidia_run_squad", "lambda_run_squad_hvd", "hugging_face_run_qa"}) {
    INFO(name);
    const SweepSpec command = read_sweep(folder / (name + "_command.toml"));
    const SweepSpec native = read_sweep(folder / (name + ".toml"));
    const Recipe recipe = read(command_text(command));
    TrainSpec train = recipe.train;
    train.seed = native.base.train.seed;
    CHECK(train == native.base.train);
    CHECK(recipe.gpus == native.base.resources.gpus);
    CHECK(recipe.gpus == command.base.resources.gpus);
    CHECK(command.seeds == native.seeds);
  }
}

TEST_CASE("recipe: the best ones are plain trainings with one technique each", "[experiments]") {
  const auto folder = test::source_dir() / "experiments/recipes";
  const SweepSpec plain = read_sweep(folder / "best_teachers.toml");
  const auto check = [&](const SweepSpec& best, auto TrainSpec::*technique) {
    TrainSpec train = best.base.train;
    CHECK(train.*technique != plain.base.train.*technique);
    train.*technique = plain.base.train.*technique;
    CHECK(train == plain.base.train);
    CHECK(best.base.init.path == plain.base.init.path);
    CHECK(best.base.train_data.path == plain.base.train_data.path);
  };
  check(read_sweep(folder / "best.toml"), &TrainSpec::adversarial);
  check(read_sweep(folder / "best_distilled.toml"), &TrainSpec::distillation);
}

TEST_CASE("recipe: odd paths and names stay what they are", "[experiments]") {
  const RunSpec run = run_of(
      "python run_qa.py --model_name_or_path 'a \"b\"\\c' --train_file '\x01\x7f' "
      "--validation_file \"d\xc3\xa9v\" --note '\x02'");
  CHECK(run.init.path == "/job/a \"b\"\\c");
  CHECK(run.train_data.path == "/job/\x01\x7f");
  CHECK(run.dev_data.path == "/job/d\xc3\xa9v");
  CHECK_THAT(recipe_toml(read("python run_qa.py --model_name_or_path $BERT/m"), "r"),
             Contains("init: what the text does not set is left as it is, $BERT/m"));
  CHECK_THROWS_WITH(recipe_toml(read("python run_qa.py --model_name_or_path '\xff'"), "r"),
                    Contains("not UTF-8"));
}

TEST_CASE("recipe: what is no command line of these programs is refused with its place", "[experiments]") {
  CHECK_THAT(refusal(""), Contains("r.sh: no command line of run_qa.py, run_squad.py"));
  CHECK_THAT(refusal("python train.py --learning_rate 1e-5"), Contains("r.sh: no command line of"));
  CHECK_THAT(refusal("echo run_qa.py"), Contains("no command line of"));
  CHECK(refusal("python run_qa.py\n\npython run_squad.py") ==
        "r.sh:3: run_squad.py is called again here, after line 1");
  CHECK(refusal("python run_qa.py --learning_rate fast") ==
        "r.sh:1: learning_rate = \"fast\": must be a number");
  CHECK(refusal("\npython run_qa.py --learning_rate") == "r.sh:2: --learning_rate: its value is missing");
  CHECK(refusal("python run_qa.py --per_device_train_batch_size 0") ==
        "r.sh:1: --per_device_train_batch_size 0: must be an integer from 1 to 100000");
  CHECK(refusal("bash run_squad.sh 10 5e-6 fp16 true many") ==
        "r.sh:1: GPUs many (argument 5): must be an integer from 1 to 100000");
  CHECK(refusal("mpirun -np x python run_squad_hvd.py") ==
        "r.sh:1: -np x: must be an integer from 1 to 100000");
  CHECK_THAT(refusal("python run_qa.py --doc_stride 400"),
             Contains("r.sh:1: doc_stride = 400 leaves no room"));
}
