#include "core/key_aliases.h"

#include <algorithm>
#include <string>
#include <utility>

namespace expctl {

std::string_view own_key(std::string_view foreign) {
  // Of transformers' run_qa.py and run_squad.py, Google's and NVIDIA's run_squad.py, and of everyday speech.
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"lr", "learning_rate"},
      {"num_train_epochs", "epochs"},
      {"num_epochs", "epochs"},
      {"train_batch_size", "batch_size"},
      {"per_device_train_batch_size", "batch_size"},
      {"per_gpu_train_batch_size", "batch_size"},
      {"warmup_proportion", "warmup_ratio"},
      {"warmup", "warmup_ratio"},
      {"gradient_accumulation_steps", "micro_batch"},  // batch_size divided by it
      {"fp16", "precision"},
      {"bf16", "precision"},
      {"amp", "precision"},
      {"warmup_steps", "warmup_ratio"},
      {"num_warmup_steps", "warmup_ratio"},
      {"dropout", "hidden_dropout"},
      {"hidden_dropout_prob", "hidden_dropout"},
      {"attention_probs_dropout_prob", "attention_dropout"},
      {"model_name_or_path", "init"},
      {"init_checkpoint", "init"},
      {"train_file", "train"},
      {"validation_file", "dev"},
      {"predict_file", "dev"},
      {"lr_scheduler_type", "schedule"},
      {"adam_eps", "adam_epsilon"},
      {"n_best_size", "n_best"},
      {"max_answer_len", "max_answer_length"},
      {"wd", "weight_decay"},
  };
  std::string name(foreign);
  std::replace(name.begin(), name.end(), '-', '_');
  for (const auto& [theirs, own] : kNames) {
    if (theirs == name) return own;
  }
  return {};
}

}  // namespace expctl
