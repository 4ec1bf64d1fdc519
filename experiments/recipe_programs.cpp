#include "experiments/recipe_programs.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/text.h"
#include "experiments/recipe_flags.h"

namespace expctl {
namespace {

/// What Google's run_squad.py and those made from it do, whatever their flags: its own Adam without bias
/// correction, and questions cut at 64 tokens. (optimization.py and run_squad.py of google-research/bert.)
TrainSpec tensorflow_defaults() {
  TrainSpec spec;
  spec.epochs = 3;
  spec.batch_size = 32;
  spec.learning_rate = 5e-5;
  spec.warmup_ratio = 0.1;
  spec.weight_decay = 0.01;
  spec.adam_epsilon = 1e-6;
  spec.bias_correction = false;
  spec.window = "advance";
  spec.max_query_length = 64;
  spec.precision = "fp32";
  return spec;
}

/// NVIDIA's run_squad.py has smaller ones.
TrainSpec nvidia_defaults() {
  TrainSpec spec = tensorflow_defaults();
  spec.batch_size = 8;
  spec.learning_rate = 5e-6;
  return spec;
}

/// transformers' run_qa.py with its Trainer.
TrainSpec run_qa_defaults() {
  TrainSpec spec;
  spec.epochs = 3;
  spec.batch_size = 8;
  spec.learning_rate = 5e-5;
  spec.decode = "run_qa";
  spec.precision = "fp32";
  return spec;
}

/// transformers' older run_squad.py, whose features are Google's.
TrainSpec hugging_face_squad_defaults() {
  TrainSpec spec = run_qa_defaults();
  spec.window = "advance";
  spec.max_query_length = 64;
  spec.decode = "run_squad";
  return spec;
}

/// The batch of all GPUs and accumulated passes.
void set_batch(RecipeDraft& draft, int64_t gpus) {
  Recipe& recipe = draft.recipe;
  recipe.gpus = gpus;
  set_from_text(recipe.train, "batch_size", std::to_string(draft.gpu_batch * gpus * draft.accumulation));
  if (recipe.train.batch_size == draft.gpu_batch) return;
  recipe.train.micro_batch = draft.gpu_batch;  // changes no result, and needs the memory of one of them
  recipe.notes.push_back(
      fmt::format("batch_size: {} x {}{}", counted(static_cast<size_t>(gpus), "GPU"), draft.gpu_batch,
                  draft.accumulation > 1 ? fmt::format(" x {} accumulated", draft.accumulation) : ""));
}

/// NVIDIA's run_squad.py under Horovod trains with its --learning_rate times the number of processes.
void multiply_rate(Recipe& recipe) {
  if (recipe.gpus == 1) return;
  const double given = recipe.train.learning_rate;
  // Rounded as it would be typed: 3 x 1e-5 is 3e-5.
  set_from_text(recipe.train, "learning_rate",
                fmt::format("{:.12g}", given * static_cast<double>(recipe.gpus)));
  recipe.notes.push_back(
      fmt::format("learning_rate: {} x {}; that program multiplies its argument {} by the number of GPUs",
                  format_number(given), recipe.gpus, format_number(given)));
}

/// Vocabulary and config belong to the folder of the initial weights.
void settle_init(RecipeDraft& draft) {
  Recipe& recipe = draft.recipe;
  for (const auto& file : draft.init_files) {
    const std::string folder = folder_of(*file.value);
    if (recipe.init.empty()) recipe.init = folder;
    (recipe.init == folder ? recipe.implied : recipe.unmapped).push_back(file.text);
  }
}

void set_warmup(RecipeDraft& draft) {
  Recipe& recipe = draft.recipe;
  if (draft.warmup_steps.value_or(0) == 0) return;
  const int64_t steps = *draft.warmup_steps, all_steps = recipe.train.max_steps;
  if (all_steps == 0) {
    recipe.unmapped.push_back(
        fmt::format("--warmup_steps {}: a sweep file has warmup_ratio, a part of all steps", steps));
    return;
  }
  set_from_text(recipe.train, "warmup_ratio",
                fmt::format("{:.12g}", static_cast<double>(steps) / static_cast<double>(all_steps)));
  recipe.notes.push_back(fmt::format("warmup_ratio: {} of {} steps", steps, all_steps));
}

void finish(RecipeDraft& draft) {
  settle_init(draft);
  set_warmup(draft);
  Recipe& recipe = draft.recipe;
  if (recipe.train.precision == "auto")
    recipe.notes.push_back(
        "precision: fp16 there; auto is bf16 or, where there are no such products, fp32 (a GPU also has "
        "fp16)");
  const auto missing = [&](std::string& path, const std::string& key, const std::string& usual) {
    if (!path.empty()) return;
    path = usual;
    recipe.notes.push_back(fmt::format("{}: the command line names none; put in yours", key));
  };
  missing(recipe.train_file, "train", "train-v1.1.json");
  missing(recipe.dev_file, "dev", "dev-v1.1.json");
  missing(recipe.init, "init", "models/bert-base-uncased");
}

Recipe with_flags(const std::string& program, const TrainSpec& defaults, FlagFamily family,
                  const std::vector<RecipeFlag>& flags, int64_t gpus, bool may_multiply) {
  RecipeDraft draft;
  draft.recipe.program = program;
  draft.recipe.train = defaults;
  draft.gpu_batch = defaults.batch_size;
  for (const auto& flag : flags) apply_flag(draft, family, flag);
  set_batch(draft, gpus);
  if (may_multiply && draft.is_horovod) multiply_rate(draft.recipe);
  finish(draft);
  return std::move(draft.recipe);
}

bool any_named(const std::vector<RecipeFlag>& flags, const std::vector<std::string>& names) {
  return std::any_of(flags.begin(), flags.end(), [&](const RecipeFlag& flag) {
    return std::find(names.begin(), names.end(), flag.name) != names.end();
  });
}

/// Three programs have the file name run_squad.py; their flags tell them apart.
Recipe run_squad_py(const std::vector<RecipeFlag>& flags, int64_t gpus) {
  if (any_named(flags, {"model_name_or_path", "model_type", "per_gpu_train_batch_size"}))
    return with_flags("Hugging Face's run_squad.py", hugging_face_squad_defaults(), FlagFamily::kHuggingFace,
                      flags, gpus, false);
  if (any_named(flags, {"horovod", "amp", "noamp", "use_fp16", "use_xla", "nouse_xla"}))
    return with_flags("NVIDIA's run_squad.py", nvidia_defaults(), FlagFamily::kTensorFlow, flags, gpus, true);
  return with_flags("Google's run_squad.py", tensorflow_defaults(), FlagFamily::kTensorFlow, flags, gpus,
                    false);
}

/// The arguments of NVIDIA's script in their order, with what it takes where one is not given.
constexpr std::array<std::pair<const char*, const char*>, 11> kScriptArguments = {{{"batch size", "8"},
                                                                                   {"learning rate", "5e-6"},
                                                                                   {"precision", "fp16"},
                                                                                   {"XLA", "true"},
                                                                                   {"GPUs", "8"},
                                                                                   {"sequence length", "384"},
                                                                                   {"doc stride", "128"},
                                                                                   {"model", "large"},
                                                                                   {"SQuAD version", "1.1"},
                                                                                   {"initial checkpoint", ""},
                                                                                   {"epochs", "2.0"}}};

/// The same as flags of its run_squad.py.
std::vector<RecipeFlag> script_flags(const std::vector<std::string>& values) {
  const std::string model = values[7] == "large" ? "uncased_L-24_H-1024_A-16" : "uncased_L-12_H-768_A-12";
  const std::string checkpoint =
      values[9].empty() ? fmt::format("data/download/google_pretrained_weights/{}/bert_model.ckpt", model)
                        : values[9];
  const std::string data = fmt::format("data/download/squad/v{0}/", values[8]);
  std::vector<RecipeFlag> flags;
  const auto add = [&](const std::string& name, const std::string& value) {
    flags.push_back({name, value, fmt::format("--{}={}", name, value)});
  };
  add("train_batch_size", values[0]);
  add("learning_rate", values[1]);
  add("amp", values[2] == "fp16" ? "true" : "false");
  add("max_seq_length", values[5]);
  add("doc_stride", values[6]);
  add("init_checkpoint", checkpoint);
  add("num_train_epochs", values[10]);
  add("train_file", data + "train-v" + values[8] + ".json");
  add("predict_file", data + "dev-v" + values[8] + ".json");
  add("horovod", "true");
  return flags;
}

Recipe run_squad_sh(const std::vector<std::string>& arguments) {
  std::vector<std::string> values;
  for (size_t i = 0; i < kScriptArguments.size(); ++i) {
    const bool is_given = i < arguments.size() && !arguments[i].empty();
    values.push_back(is_given ? arguments[i] : kScriptArguments[i].second);
  }
  const int64_t gpus = positive_count(fmt::format("GPUs {} (argument 5)", values[4]), values[4]);
  Recipe recipe = with_flags("NVIDIA's run_squad.sh", nvidia_defaults(), FlagFamily::kTensorFlow,
                             script_flags(values), gpus, true);
  recipe.implied.clear();  // nobody has written these
  recipe.unmapped.push_back(fmt::format("XLA {} (argument 4)", values[3]));
  if (values[8] != "1.1")
    recipe.unmapped.push_back(fmt::format("SQuAD version {} (argument 9): expctl has 1.1 only", values[8]));
  for (size_t i = kScriptArguments.size(); i < arguments.size(); ++i)
    recipe.unmapped.push_back(fmt::format("{} (argument {})", arguments[i], i + 1));
  recipe.notes.push_back("train, dev: where that script looks for them");
  return recipe;
}

const std::vector<std::string>& program_names() {
  static const std::vector<std::string> names = {"run_qa.py", "run_squad.py", "run_squad.sh",
                                                 "run_squad_hvd.py"};
  return names;
}

}  // namespace

std::string base_name(const std::string& word) {
  return word.substr(word.rfind('/') + 1);
}

bool is_recipe_program(const std::string& word) {
  const auto& names = program_names();
  return std::find(names.begin(), names.end(), base_name(word)) != names.end();
}

std::string recipe_program_names() {
  return join(program_names(), ", ");
}

Recipe program_recipe(const std::string& word, const std::vector<std::string>& arguments, int64_t gpus) {
  const std::string name = base_name(word);
  if (name == "run_squad.sh") return run_squad_sh(arguments);
  const auto flags = split_flags(arguments);
  const int64_t processes = std::max<int64_t>(gpus, 1);
  if (name == "run_squad.py") return run_squad_py(flags, processes);
  if (name == "run_squad_hvd.py")
    return with_flags("Lambda's run_squad_hvd.py", tensorflow_defaults(), FlagFamily::kTensorFlow, flags,
                      processes, false);
  return with_flags("Hugging Face's run_qa.py", run_qa_defaults(), FlagFamily::kHuggingFace, flags, processes,
                    false);
}

}  // namespace expctl
