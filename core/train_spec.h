// The training keys of a sweep file ([train], docs/sweep_file.md): names, types, defaults and limits in one
// table.
//
// The table serves whoever turns keys into values or back: the TOML reader, --set, request.json, the config
// hash, reports.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/json.h"

namespace expctl {

/// Defaults are those of Hugging Face's run_qa with the usual SQuAD command line; decoding is run_squad.py's.
struct TrainSpec {
  double epochs = 2.0;
  int64_t max_steps = 0;        ///< optimizer steps; 0: by epochs
  int64_t batch_size = 12;      ///< features an optimizer step
  int64_t micro_batch = 0;      ///< features a forward pass; 0: batch_size
  double learning_rate = 3e-5;  ///< peak
  std::string schedule = "linear";
  double warmup_ratio = 0.0;  ///< part of all steps
  std::string optimizer = "adamw";
  double weight_decay = 0.0;
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  double adam_epsilon = 1e-8;
  bool bias_correction = true;
  double max_grad_norm = 1.0;  ///< global norm; 0: no clipping
  double layerwise_lr_decay = 1.0;
  double hidden_dropout = 0.1;
  double attention_dropout = 0.1;
  double label_smoothing = 0.0;
  double ema_decay = 0.0;
  double rdrop = 0.0;
  std::string adversarial = "none";
  double distillation = 0.0;  ///< the part of the loss that is by the teacher's logits
  std::string head = "linear";
  int64_t max_seq_length = 384;  ///< tokens, special ones included
  int64_t doc_stride = 128;      ///< tokens; see window
  std::string window = "overlap";
  int64_t max_query_length = 0;  ///< tokens; 0: the question is never cut
  int64_t eval_max_seq_length =
      0;  ///< 0: as in training; likewise the next two (doc stride: half of the room if it does not fit)
  int64_t eval_doc_stride = 0;
  std::string eval_window;  ///< "": as in training
  int64_t n_best = 20;
  int64_t max_answer_length = 30;  ///< tokens
  std::string decode = "run_squad";
  std::string precision = "auto";
  std::string eval_precision;  ///< "": as precision
  bool deterministic = true;
  int64_t seed = 42;
  int64_t seed_init = -1;  ///< -1: seed; likewise the next two
  int64_t seed_data = -1;
  int64_t seed_dropout = -1;
  int64_t save_every = 0;  ///< steps; 0: every 5 minutes
  int64_t eval_every = 0;  ///< steps; 0: only at the end

  bool operator==(const TrainSpec&) const = default;
};

/// One key: where it lives in TrainSpec and which values it may take.
struct TrainKey {
  using Member =
      std::variant<bool TrainSpec::*, int64_t TrainSpec::*, double TrainSpec::*, std::string TrainSpec::*>;

  std::string_view name;
  Member member;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool min_allowed = true;                     ///< false: the value must be greater than min
  std::vector<std::string_view> choices = {};  ///< of a text key
};

/// In the order of docs/sweep_file.md, which is also the order in files.
const std::vector<TrainKey>& train_keys();

/// Null where there is no such key.
const TrainKey* find_train_key(std::string_view name);

std::vector<std::string> train_key_names();

/// Sets one key. `value` must be a JSON scalar (an integer is taken where a real number is wanted). Throws
/// Error "learning_rate = -1: must be greater than 0", without a place: the caller knows it.
void set_train_key(TrainSpec& spec, const TrainKey& key, const Json& value);

/// The value of a "key=value": JSON, or a bare word as text.
Json setting_value(const std::string& setting);

/// "key=value" of --set; the value is read as JSON, a bare word as text. Returns the key. Throws Error
/// (kUsage).
std::string apply_setting(TrainSpec& spec, const std::string& setting);

/// The value of one key.
Json get_train_key(const TrainSpec& spec, const TrainKey& key);

/// Every key, in table order.
Json to_json(const TrainSpec& spec);

/// Inverse of to_json. Keys that are absent keep their defaults; an unknown one is an Error that names
/// `source`.
TrainSpec train_spec_from_json(const Json& json, const std::string& source);

/// Throws Error for a precision that a CPU does not compute in (fp16).
void check_cpu_precision(const std::string& precision);

/// The defaults that depend on other keys filled in: micro_batch, seeds, eval_*. Throws Error naming the keys
/// where they do not go together: a micro-batch larger than the batch, a stride that leaves no room to
/// advance.
TrainSpec resolve(TrainSpec spec);

}  // namespace expctl
