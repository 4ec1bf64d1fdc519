#include "experiments/recipe_flags.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "core/error.h"
#include "core/text.h"

namespace expctl {
namespace {

using Take = std::function<bool(RecipeDraft&, const RecipeFlag&)>;

/// What a flag means: `take` returns false where its value says nothing that a sweep file can say.
struct FlagMeaning {
  std::string name;
  Take take;
};

const std::string& value_of(const RecipeFlag& flag) {
  if (!flag.value) throw Error(fmt::format("{}: its value is missing", flag.text));
  return *flag.value;
}

/// A flag alone is true.
bool truth_of(const RecipeFlag& flag) {
  static const std::vector<std::string> kFalse = {"false", "False", "0", "no", "f", "n"};
  return !flag.value || std::find(kFalse.begin(), kFalse.end(), *flag.value) == kFalse.end();
}

FlagMeaning key(const std::string& name, const std::string& key_name) {
  return {name, [key_name](RecipeDraft& draft, const RecipeFlag& flag) {
            set_from_text(draft.recipe.train, key_name, value_of(flag));
            return true;
          }};
}

FlagMeaning path(const std::string& name, std::string Recipe::*member) {
  return {name, [member](RecipeDraft& draft, const RecipeFlag& flag) {
            draft.recipe.*member = value_of(flag);
            return true;
          }};
}

FlagMeaning count(const std::string& name, int64_t RecipeDraft::*member) {
  return {name, [member](RecipeDraft& draft, const RecipeFlag& flag) {
            draft.*member = positive_count(flag.text, value_of(flag));
            return true;
          }};
}

/// One that agrees with what expctl does where its truth is `usual`.
FlagMeaning implied(const std::string& name, std::optional<bool> usual = {}) {
  return {name, [usual](RecipeDraft& draft, const RecipeFlag& flag) {
            if (usual && truth_of(flag) != *usual) return false;
            draft.recipe.implied.push_back(flag.text);
            return true;
          }};
}

/// A switch between single precision and this one; switched off it leaves another that is on.
FlagMeaning half(const std::string& name, const std::string& precision) {
  return {name, [precision](RecipeDraft& draft, const RecipeFlag& flag) {
            std::string& chosen = draft.recipe.train.precision;
            if (truth_of(flag))
              chosen = precision;
            else if (chosen == precision)
              chosen = "fp32";
            return true;
          }};
}

/// A file that expctl takes from the folder of `init`, which is not known yet.
FlagMeaning init_file(const std::string& name) {
  return {name, [](RecipeDraft& draft, const RecipeFlag& flag) {
            value_of(flag);
            draft.init_files.push_back(flag);
            return true;
          }};
}

bool take_schedule(RecipeDraft& draft, const RecipeFlag& flag) {
  std::string name = value_of(flag);
  if (name == "constant_with_warmup") name = "constant";
  if (name != "linear" && name != "cosine" && name != "constant") return false;
  draft.recipe.train.schedule = name;
  return true;
}

bool take_optimizer(RecipeDraft& draft, const RecipeFlag& flag) {
  const std::string& name = value_of(flag);
  const bool is_adamw = name.starts_with("adamw_torch") || name == "adamw_hf";
  if (!is_adamw && name != "sgd") return false;
  draft.recipe.train.optimizer = is_adamw ? "adamw" : "sgd";
  return true;
}

/// -1 is Hugging Face's "by epochs".
bool take_max_steps(RecipeDraft& draft, const RecipeFlag& flag) {
  if (value_of(flag) == "-1")
    draft.recipe.train.max_steps = 0;
  else
    set_from_text(draft.recipe.train, "max_steps", value_of(flag));
  return true;
}

bool take_warmup_steps(RecipeDraft& draft, const RecipeFlag& flag) {
  TrainSpec scratch;  // a count with the same limits
  set_from_text(scratch, "max_steps", value_of(flag));
  draft.warmup_steps = scratch.max_steps;
  return true;
}

bool take_data_dir(RecipeDraft& draft, const RecipeFlag& flag) {
  const std::string& folder = value_of(flag);
  draft.recipe.train_file = folder + (folder.ends_with('/') ? "" : "/") + "train-v1.1.json";
  draft.recipe.dev_file = folder + (folder.ends_with('/') ? "" : "/") + "dev-v1.1.json";
  return true;
}

bool take_init_checkpoint(RecipeDraft& draft, const RecipeFlag& flag) {
  draft.recipe.init = folder_of(value_of(flag));
  const std::string file = value_of(flag).substr(value_of(flag).rfind('/') + 1);
  if (file != "bert_model.ckpt")
    draft.recipe.notes.push_back(
        fmt::format("init: of {} the folder; expctl reads its bert_model.ckpt.* or the only *.index in it",
                    value_of(flag)));
  return true;
}

bool take_horovod(RecipeDraft& draft, const RecipeFlag& flag) {
  draft.is_horovod = truth_of(flag);
  draft.recipe.implied.push_back(flag.text);
  return true;
}

bool take_model_type(RecipeDraft& draft, const RecipeFlag& flag) {
  if (value_of(flag) != "bert") return false;
  draft.recipe.implied.push_back(flag.text);
  return true;
}

std::vector<FlagMeaning> common_flags() {
  return {key("learning_rate", "learning_rate"),
          key("num_train_epochs", "epochs"),
          key("max_seq_length", "max_seq_length"),
          key("doc_stride", "doc_stride"),
          key("max_query_length", "max_query_length"),
          key("n_best_size", "n_best"),
          key("max_answer_length", "max_answer_length"),
          path("train_file", &Recipe::train_file),
          path("predict_file", &Recipe::dev_file),
          implied("output_dir"),
          implied("do_train", true),
          implied("do_predict", true),
          implied("do_eval", true),
          implied("do_lower_case", true),
          implied("version_2_with_negative", false)};
}

std::vector<FlagMeaning> tensorflow_flags() {
  return {count("train_batch_size", &RecipeDraft::gpu_batch),
          count("num_accumulation_steps", &RecipeDraft::accumulation),
          key("warmup_proportion", "warmup_ratio"),
          key("save_checkpoints_steps", "save_every"),
          half("use_fp16", "auto"),
          half("amp", "auto"),
          init_file("vocab_file"),
          init_file("bert_config_file"),
          {"init_checkpoint", take_init_checkpoint},
          {"horovod", take_horovod},
          implied("use_tpu", false)};
}

std::vector<FlagMeaning> hugging_face_flags() {
  return {count("per_device_train_batch_size", &RecipeDraft::gpu_batch),
          count("per_gpu_train_batch_size", &RecipeDraft::gpu_batch),
          count("gradient_accumulation_steps", &RecipeDraft::accumulation),
          key("warmup_ratio", "warmup_ratio"),
          key("weight_decay", "weight_decay"),
          key("adam_beta1", "adam_beta1"),
          key("adam_beta2", "adam_beta2"),
          key("adam_epsilon", "adam_epsilon"),
          key("max_grad_norm", "max_grad_norm"),
          key("save_steps", "save_every"),
          key("seed", "seed"),
          key("data_seed", "seed_data"),
          {"max_steps", take_max_steps},
          {"warmup_steps", take_warmup_steps},
          {"lr_scheduler_type", take_schedule},
          {"optim", take_optimizer},
          {"data_dir", take_data_dir},
          {"model_type", take_model_type},
          path("model_name_or_path", &Recipe::init),
          path("validation_file", &Recipe::dev_file),
          half("fp16", "auto"),
          half("bf16", "bf16"),
          implied("overwrite_output_dir"),
          implied("overwrite_cache"),
          implied("pad_to_max_length")};
}

const std::vector<FlagMeaning>& flags_of(FlagFamily family) {
  const auto joined = [](std::vector<FlagMeaning> flags) {
    const auto common = common_flags();
    flags.insert(flags.end(), common.begin(), common.end());
    return flags;
  };
  static const auto tensorflow = joined(tensorflow_flags()), hugging_face = joined(hugging_face_flags());
  return family == FlagFamily::kTensorFlow ? tensorflow : hugging_face;
}

const FlagMeaning* find_flag(FlagFamily family, const std::string& name) {
  for (const auto& flag : flags_of(family)) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

/// "-1" is a value, "-np" a flag.
bool is_value(const std::string& word) {
  return !word.starts_with('-') || (word.find_first_not_of("-+.0123456789eE") == std::string::npos &&
                                    word.find_first_of("0123456789") != std::string::npos);
}

}  // namespace

std::vector<RecipeFlag> split_flags(const std::vector<std::string>& words) {
  std::vector<RecipeFlag> flags;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.empty()) continue;  // an option of a script that was left out
    if (is_value(word)) {
      flags.push_back({"", word, word});
      continue;
    }
    const size_t equals = word.find('=');
    const size_t begin = std::min(word.find_first_not_of('-'), word.size());
    RecipeFlag flag{
        word.substr(begin, equals == std::string::npos ? equals : std::max(equals, begin) - begin), {}, word};
    std::replace(flag.name.begin(), flag.name.end(), '-', '_');
    if (equals != std::string::npos) {
      flag.value = word.substr(equals + 1);
    } else if (i + 1 < words.size() && !words[i + 1].empty() && is_value(words[i + 1])) {
      flag.value = words[++i];
      flag.text += " " + *flag.value;
    }
    flags.push_back(std::move(flag));
  }
  return flags;
}

void apply_flag(RecipeDraft& draft, FlagFamily family, const RecipeFlag& flag) {
  const FlagMeaning* meaning = find_flag(family, flag.name);
  RecipeFlag said = flag;
  if (meaning == nullptr && flag.name.starts_with("no") && !flag.value) {  // --noamp, --no_fp16
    const std::string name = flag.name.substr(flag.name.starts_with("no_") ? 3 : 2);
    meaning = find_flag(family, name);
    said.value = "false";
  }
  if (meaning == nullptr || !meaning->take(draft, said)) draft.recipe.unmapped.push_back(flag.text);
}

void set_from_text(TrainSpec& spec, const std::string& key, const std::string& text) {
  Json value = text;
  if (const auto whole = parse_number<int64_t>(text))
    value = *whole;
  else if (const auto real = parse_number<double>(text))
    value = *real;
  set_train_key(spec, *find_train_key(key), value);
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
}

int64_t positive_count(const std::string& what, const std::string& text) {
  constexpr int64_t kMany = 100'000;  // three of them multiplied stay within 64 bits
  const auto value = parse_number<int64_t>(text);
  if (!value || *value < 1 || *value > kMany)
    throw Error(fmt::format("{}: must be an integer from 1 to {}", what, kMany));
  return *value;
}

}  // namespace expctl
