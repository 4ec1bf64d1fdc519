#include "core/train_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "core/error.h"
#include "core/text.h"

namespace expctl {
namespace {

TrainKey number(std::string_view name, TrainKey::Member member, double min,
                double max = std::numeric_limits<double>::infinity(), bool min_allowed = true) {
  return {.name = name, .member = member, .min = min, .max = max, .min_allowed = min_allowed};
}

TrainKey choice(std::string_view name, std::string TrainSpec::*member,
                std::vector<std::string_view> choices) {
  return {.name = name, .member = member, .choices = std::move(choices)};
}

TrainKey flag(std::string_view name, bool TrainSpec::*member) {
  return {.name = name, .member = member};
}

std::vector<TrainKey> make_table() {
  using T = TrainSpec;
  // Far above what anybody trains, and low enough that products of counts stay within 64 bits.
  constexpr double kMany = 1e9, kEpochs = 1e5;
  // What decays by 1 never moves: the bias correction would divide by 0, an average stay where it began.
  constexpr double kMaxDecay = 0.999999;
  return {
      number("epochs", &T::epochs, 0, kEpochs, false),
      number("max_steps", &T::max_steps, 0, kMany),
      number("batch_size", &T::batch_size, 1, kMany),
      number("micro_batch", &T::micro_batch, 0, kMany),
      number("learning_rate", &T::learning_rate, 0, 1, false),
      choice("schedule", &T::schedule, {"linear", "cosine", "constant"}),
      number("warmup_ratio", &T::warmup_ratio, 0, 1),
      choice("optimizer", &T::optimizer, {"adamw", "adam", "sgd", "lamb"}),
      number("weight_decay", &T::weight_decay, 0, 1),
      number("adam_beta1", &T::adam_beta1, 0, kMaxDecay),
      number("adam_beta2", &T::adam_beta2, 0, kMaxDecay),
      number("adam_epsilon", &T::adam_epsilon, 0, 1, false),
      flag("bias_correction", &T::bias_correction),
      number("max_grad_norm", &T::max_grad_norm, 0),
      number("layerwise_lr_decay", &T::layerwise_lr_decay, 0, 1, false),
      number("hidden_dropout", &T::hidden_dropout, 0, 0.99),
      number("attention_dropout", &T::attention_dropout, 0, 0.99),
      number("label_smoothing", &T::label_smoothing, 0, 0.99),
      number("ema_decay", &T::ema_decay, 0, kMaxDecay),
      number("rdrop", &T::rdrop, 0),
      choice("adversarial", &T::adversarial, {"none", "fgm"}),
      number("distillation", &T::distillation, 0, 1),
      choice("head", &T::head, {"linear", "mlp"}),
      number("max_seq_length", &T::max_seq_length, 8, 8192),
      number("doc_stride", &T::doc_stride, 1, 8192),
      choice("window", &T::window, {"overlap", "advance"}),
      number("max_query_length", &T::max_query_length, 0, 8192),
      number("eval_max_seq_length", &T::eval_max_seq_length, 0, 8192),
      number("eval_doc_stride", &T::eval_doc_stride, 0, 8192),
      choice("eval_window", &T::eval_window, {"", "overlap", "advance"}),
      number("n_best", &T::n_best, 1, 1000),
      number("max_answer_length", &T::max_answer_length, 1, 8192),
      choice("decode", &T::decode, {"run_squad", "run_qa"}),
      choice("precision", &T::precision, {"auto", "fp32", "bf16", "fp16"}),
      choice("eval_precision", &T::eval_precision, {"", "auto", "fp32", "bf16", "fp16"}),
      flag("deterministic", &T::deterministic),
      number("seed", &T::seed, 0, 9007199254740991.0),
      number("seed_init", &T::seed_init, -1, 9007199254740991.0),
      number("seed_data", &T::seed_data, -1, 9007199254740991.0),
      number("seed_dropout", &T::seed_dropout, -1, 9007199254740991.0),
      number("save_every", &T::save_every, 0, kMany),
      number("eval_every", &T::eval_every, 0, kMany),
  };
}

std::string written(const Json& value) {
  return value.is_number_float() ? format_number(value.get<double>()) : json_line(value);
}

[[noreturn]] void refuse(const TrainKey& key, const Json& value, const std::string& why) {
  throw Error(fmt::format("{} = {}: {}", key.name, written(value), why));
}

void check_range(const TrainKey& key, const Json& value, double number_value) {
  if (!std::isfinite(number_value)) refuse(key, value, "must be a finite number");
  const bool too_small = key.min_allowed ? number_value < key.min : number_value <= key.min;
  const auto limit = [](double x) { return fmt::format("{}", x); };
  if (too_small)
    refuse(key, value,
           fmt::format("must be {} {}", key.min_allowed ? "at least" : "greater than", limit(key.min)));
  if (number_value > key.max) refuse(key, value, fmt::format("must be at most {}", limit(key.max)));
}

template <typename T>
T checked(const TrainKey& key, const Json& value) {
  if constexpr (std::is_same_v<T, bool>) {
    if (!value.is_boolean()) refuse(key, value, "must be true or false");
    return value.get<bool>();
  } else if constexpr (std::is_same_v<T, int64_t>) {
    if (!value.is_number_integer()) refuse(key, value, "must be an integer");
    check_range(key, value, value.get<double>());
    return value.get<int64_t>();
  } else if constexpr (std::is_same_v<T, double>) {
    if (!value.is_number()) refuse(key, value, "must be a number");
    check_range(key, value, value.get<double>());
    return value.get<double>();
  } else {
    if (!value.is_string()) refuse(key, value, "must be a text");
    const auto text = value.get<std::string>();
    if (std::find(key.choices.begin(), key.choices.end(), text) == key.choices.end()) {
      refuse(key, value, fmt::format("must be one of {}", fmt::join(key.choices, ", ")));
    }
    return text;
  }
}

}  // namespace

const std::vector<TrainKey>& train_keys() {
  static const std::vector<TrainKey> table = make_table();
  return table;
}

const TrainKey* find_train_key(std::string_view name) {
  for (const auto& key : train_keys()) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

std::vector<std::string> train_key_names() {
  std::vector<std::string> names;
  for (const auto& key : train_keys()) names.emplace_back(key.name);
  return names;
}

void set_train_key(TrainSpec& spec, const TrainKey& key, const Json& value) {
  std::visit(
      [&](auto member) {
        using T = std::remove_reference_t<decltype(spec.*member)>;
        spec.*member = checked<T>(key, value);
      },
      key.member);
}

Json setting_value(const std::string& setting) {
  const std::string text = setting.substr(setting.find('=') + 1);
  const Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? Json(text) : json;
}

std::string apply_setting(TrainSpec& spec, const std::string& setting) {
  const auto equals = setting.find('=');
  const std::string name = setting.substr(0, equals);
  const TrainKey* key = find_train_key(name);
  if (equals == std::string::npos)
    throw Error(fmt::format("--set {}: not a setting 'key=value'", setting), "", ErrorCode::kUsage);
  if (key == nullptr) {
    throw Error(
        fmt::format("--set {}: no key is named '{}'{}", setting, name, did_you_mean(name, train_key_names())),
        "", ErrorCode::kUsage);
  }
  try {
    set_train_key(spec, *key, setting_value(setting));
  } catch (const Error& e) {
    throw Error(fmt::format("--set {}", e.what()), e.hint(), ErrorCode::kUsage);
  }
  return name;
}

Json get_train_key(const TrainSpec& spec, const TrainKey& key) {
  return std::visit([&](auto member) { return Json(spec.*member); }, key.member);
}

Json to_json(const TrainSpec& spec) {
  Json json = Json::object();
  for (const auto& key : train_keys()) json[std::string(key.name)] = get_train_key(spec, key);
  return json;
}

TrainSpec train_spec_from_json(const Json& json, const std::string& source) {
  TrainSpec spec;
  if (!json.is_object()) throw Error(fmt::format("{}: the training keys are not an object", source));
  for (const auto& [name, value] : json.items()) {
    const TrainKey* key = find_train_key(name);
    if (key == nullptr) {
      throw Error(fmt::format("{}: unknown key '{}'{}", source, name, did_you_mean(name, train_key_names())));
    }
    try {
      set_train_key(spec, *key, value);
    } catch (const Error& e) {
      throw Error(fmt::format("{}: {}", source, e.what()), e.hint());
    }
  }
  return spec;
}

void check_cpu_precision(const std::string& precision) {
  if (precision == "fp16")
    throw Error("precision = \"fp16\": the CPU computes in fp32 or bf16", "use \"bf16\", or \"auto\"");
}

TrainSpec resolve(TrainSpec spec) {
  if (spec.micro_batch == 0) spec.micro_batch = spec.batch_size;
  if (spec.micro_batch > spec.batch_size) {
    throw Error(
        fmt::format("micro_batch = {} is larger than batch_size = {}", spec.micro_batch, spec.batch_size));
  }
  for (auto seed : {&TrainSpec::seed_init, &TrainSpec::seed_data, &TrainSpec::seed_dropout}) {
    if (spec.*seed < 0) spec.*seed = spec.seed;
  }
  // [CLS], two [SEP] and one token of the question leave this much room for the context.
  const auto room = [](int64_t length) { return length - 4; };
  if (spec.window == "overlap" && spec.doc_stride >= room(spec.max_seq_length)) {
    throw Error(fmt::format("doc_stride = {} leaves no room to advance at max_seq_length = {}",
                            spec.doc_stride, spec.max_seq_length),
                "with window = \"overlap\" the stride is what two windows share; choose one below half of "
                "the length");
  }
  if (spec.eval_max_seq_length == 0) spec.eval_max_seq_length = spec.max_seq_length;
  if (spec.eval_window.empty()) spec.eval_window = spec.window;
  if (spec.eval_precision.empty()) spec.eval_precision = spec.precision;
  if (spec.eval_doc_stride == 0) {
    // A stride that fits the training length may not fit a shorter evaluation, beside a long question (Google
    // cuts them at 64 tokens): then half of what a typical one leaves.
    constexpr int64_t kLongQuestion = 64, kTypicalQuestion = 32;
    const int64_t length = spec.eval_max_seq_length;
    const bool fits =
        length >= spec.max_seq_length || spec.doc_stride < length - 3 - std::min(kLongQuestion, length / 2);
    const int64_t left = length - 3 - std::min(kTypicalQuestion, length / 4);
    spec.eval_doc_stride = fits ? spec.doc_stride : std::max<int64_t>(1, left / 2);
  }
  constexpr int64_t kShortest = 8;
  if (spec.eval_max_seq_length < kShortest) {
    throw Error(
        fmt::format("eval_max_seq_length = {}: must be at least {}", spec.eval_max_seq_length, kShortest));
  }
  if (spec.eval_window == "overlap" && spec.eval_doc_stride >= room(spec.eval_max_seq_length)) {
    throw Error(fmt::format("eval_doc_stride = {} leaves no room to advance at eval_max_seq_length = {}",
                            spec.eval_doc_stride, spec.eval_max_seq_length),
                "choose one below half of the length, or leave it out");
  }
  return spec;
}

}  // namespace expctl
