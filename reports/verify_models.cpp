#include "reports/verify_models.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "core/error.h"
#include "core/hash.h"
#include "core/tiles.h"
#include "formats/mapped_file.h"
#include "formats/new_head.h"
#include "formats/stored_bert.h"
#include "reports/recorded_inputs.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// A checkpoint of an entry.
struct ModelView {
  const EntryView& entry;
  std::string member;  ///< "": the entry has one model only
  fs::path folder;
  std::string name;  ///< for messages

  /// The settings of the run that left it; of a soup, of each run that went into it.
  std::vector<RunSpec> specs() const {
    std::vector<RunSpec> specs;
    for (const auto& run : member.empty() ? entry.runs() : std::vector{member})
      specs.push_back(entry.spec(run));
    return specs;
  }
};

/// Calls look(model) for each model of each entry; what it throws is a problem of that model. An entry
/// without one in Hugging Face's layout is unproven.
template <typename F>
void for_each_model(const SubmissionView& view, Findings& findings, const F& look) {
  for (const auto& entry : view.entries) {
    const auto models = entry.models();
    if (models.empty())
      findings.unproven.push_back(
          entry.is_of_other_program()
              ? fmt::format("{} has no checkpoint that expctl-train made", entry.folder)
              : fmt::format("{} has no checkpoint: its weights were cleared away", entry.folder));
    for (const auto& model : models) {
      const fs::path folder = entry.paths.checkpoint(model);
      try {
        look(ModelView{entry, model, folder, view.name_of_file(folder / "")});
      } catch (const std::exception& e) {
        findings.problems.emplace_back(e.what());
      }
    }
  }
}

/// Whether no element of this width has all the bits of `exponent`, which infinities and NaN have. Written so
/// that the compiler looks at several at once.
template <typename Bits>
bool all_finite(std::span<const std::byte> bytes, Bits exponent) {
  Bits found = 0;
  const size_t count = bytes.size() / sizeof(Bits);
  for (size_t i = 0; i < count; ++i) {
    Bits bits = 0;
    std::memcpy(&bits, bytes.data() + i * sizeof bits, sizeof bits);
    found |= static_cast<Bits>((bits & exponent) == exponent);
  }
  return found == 0;
}

bool all_finite(const TensorView& view) {
  switch (view.dtype) {
    case DType::kF32:
      return all_finite<uint32_t>(view.bytes, 0x7f800000);
    case DType::kF16:
      return all_finite<uint16_t>(view.bytes, 0x7c00);
    case DType::kBF16:
      return all_finite<uint16_t>(view.bytes, 0x7f80);
    default:
      return true;
  }
}

/// The first tensor with a number that is none; "" where all are finite. Of a mapped file no more is held in
/// memory than is being looked at.
std::string not_finite_tensor(const StoredBert& bert) {
  std::vector<const std::pair<const std::string, StoredTensor>*> tensors;
  for (const auto& tensor : bert.tensors) tensors.push_back(&tensor);
  const bool is_mapped = bert.weights_file.extension() == ".safetensors";
  std::vector<char> finite(tensors.size());
  for_each_tile(static_cast<int64_t>(tensors.size()), [&](int64_t i, int64_t) {
    const TensorView& view = tensors[static_cast<size_t>(i)]->second.view;
    finite[static_cast<size_t>(i)] = all_finite(view);
    if (is_mapped) release_pages(view.bytes);
  });
  const auto found = std::find(finite.begin(), finite.end(), false);
  return found == finite.end() ? "" : tensors[static_cast<size_t>(found - finite.begin())]->first;
}

bool same_numbers(const StoredTensor& a, const StoredTensor& b) {
  const bool as_stored = a.view.dtype == b.view.dtype && a.transposed == b.transposed;
  if (as_stored)
    return a.view.bytes.size() == b.view.bytes.size() &&
           std::memcmp(a.view.bytes.data(), b.view.bytes.data(), a.view.bytes.size()) == 0;
  std::vector<float> left(static_cast<size_t>(a.view.element_count())), right(left.size());
  if (a.view.element_count() != b.view.element_count()) return false;
  a.read(left);
  b.read(right);
  return left == right;
}

/// Its gradient is zero but for rounding, so that nothing need move it (notes on Adam: noise may): what adds
/// the same to the logits of every token.
bool may_stay(const std::string& name, const BertConfig& config) {
  const std::string last_norm =
      fmt::format("bert.encoder.layer.{}.output.LayerNorm.bias", config.num_hidden_layers - 1);
  return name.ends_with("attention.self.key.bias") || name == "qa_outputs.bias" ||
         (name == last_norm && config.head == SpanHead::kLinear);
}

/// Whether a tensor of a head that --init lacks is as one of these runs' seeds made it.
bool is_new(const std::string& name, const StoredTensor& tensor, const std::vector<RunSpec>& specs) {
  const TensorShape shape{name, tensor.shape()};
  std::vector<float> values(static_cast<size_t>(tensor.view.element_count()));
  tensor.read(values);
  return std::any_of(specs.begin(), specs.end(), [&](const RunSpec& spec) {
    return values == new_head_values(shape, static_cast<uint64_t>(spec.train.seed_init));
  });
}

/// What of the model is as it was.
std::vector<std::string> unmoved_tensors(const StoredBert& model, const StoredBert& init,
                                         const std::vector<RunSpec>& specs) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : model.tensors) {
    if (may_stay(name, model.config)) continue;
    const auto before = init.tensors.find(name);
    const bool is_as_before =
        before == init.tensors.end() ? is_new(name, tensor, specs) : same_numbers(tensor, before->second);
    if (is_as_before) names.push_back(name);
  }
  return names;
}

/// Files of --init that are not those that the rules prescribe.
void check_published_files(const SubmissionView& view, Findings& findings) {
  for (const auto& [name, sha256] : view.rules.init_files) {
    const fs::path file = view.options.init / name;
    if (!fs::is_regular_file(file))
      findings.problems.push_back(
          fmt::format("{} is missing: the model that {} prescribes has it", file.string(), view.rules.name));
    else if (sha256_file(file) != sha256)
      findings.problems.push_back(fmt::format("{} is not the one that {} prescribes, by its SHA-256",
                                              file.string(), view.rules.name));
  }
}

bool any_models(const SubmissionView& view) {
  return std::any_of(view.entries.begin(), view.entries.end(),
                     [](const EntryView& entry) { return !entry.models().empty(); });
}

}  // namespace

void check_checkpoints(const SubmissionView& view, Findings& findings) {
  for_each_model(view, findings, [&](const ModelView& model) {
    const StoredBert bert = open_stored_bert(model.folder);
    const std::string& name = model.name;
    for (const auto& spec : model.specs()) {
      if (spec.train.head != name_of(bert.config.head))
        findings.problems.push_back(fmt::format("{}: its span head is '{}', its run was to train '{}'", name,
                                                name_of(bert.config.head), spec.train.head));
    }
    if (bert.is_pickled()) {
      findings.unproven.push_back(fmt::format("{}: its weights are a pickled file, which is not read", name));
      return;
    }
    if (!bert.has_head()) findings.problems.push_back(fmt::format("{}: it has no span head", name));
    if (const std::string tensor = not_finite_tensor(bert); !tensor.empty())
      findings.problems.push_back(fmt::format("{}: {} holds numbers that are not finite", name, tensor));
  });
}

void check_architecture(const SubmissionView& view, Findings& findings) {
  for_each_model(view, findings, [&](const ModelView& model) {
    const CheckpointPaths paths{model.folder};
    const std::string& name = model.name;
    const Json config = read_json(paths.config());
    const SpanHead head = bert_config_from_json(config, view.name_of_file(paths.config())).head;
    if (head != SpanHead::kLinear)
      findings.unproven.push_back(
          fmt::format("{}: its output layer is changed (expctl_head '{}'): {}", name, name_of(head),
                      view.rules.changed_head.empty() ? "the rules do not say whether it may be"
                                                      : view.rules.changed_head));
    for (const auto& [key, value] : view.rules.architecture.items()) {
      const Json found = config.value(key, Json());
      if (found != value)
        findings.problems.push_back(fmt::format("{}: {} is {}; {} prescribes {}", name, key, found.dump(),
                                                view.rules.name, value.dump()));
    }
    if (!view.rules.vocabulary_sha256.empty() &&
        view.sha256_of(paths.vocab()) != view.rules.vocabulary_sha256)
      findings.problems.push_back(
          fmt::format("{}: vocab.txt is not the vocabulary that {} prescribes", name, view.rules.name));
  });
}

void check_init(const SubmissionView& view, Findings& findings) {
  if (view.options.init.empty()) {
    findings.unproven.emplace_back(
        "without the weights that runs began from (--init) nothing is known of them");
    return;
  }
  check_published_files(view, findings);
  const std::string sha256 =
      view.options.init_sha256.empty() ? sha256_folder(view.options.init) : view.options.init_sha256;
  check_recorded_input(view, &RunSpec::init, sha256, view.options.init, "began from", findings);
  if (!any_models(view)) return;  // another program may begin from anything
  const StoredBert init = open_stored_bert(view.options.init);
  for_each_model(view, findings, [&](const ModelView& view_of_model) {
    const StoredBert model = open_stored_bert(view_of_model.folder);
    const std::string& name = view_of_model.name;
    if (!same_encoder(model.config, init.config))
      findings.problems.push_back(
          fmt::format("{}: it has other sizes than {}", name, init.config_file.string()));
    if (init.has_head() && model.config.head != init.config.head)
      findings.problems.push_back(
          fmt::format("{}: it has another span head than {}", name, init.config_file.string()));
    if (model.vocabulary_text != init.vocabulary_text)
      findings.problems.push_back(
          fmt::format("{}: it has another vocabulary than {}", name, view.options.init.string()));
  });
}

void check_trained(const SubmissionView& view, Findings& findings) {
  if (view.options.init.empty()) {
    findings.unproven.emplace_back("without the weights that runs began from (--init) none can be compared");
    return;
  }
  const StoredBert init = open_stored_bert(view.options.init);
  for_each_model(view, findings, [&](const ModelView& view_of_model) {
    const StoredBert model = open_stored_bert(view_of_model.folder);
    const std::string& name = view_of_model.name;
    if (init.is_pickled() || model.is_pickled()) {
      findings.unproven.push_back(fmt::format("{}: weights in a pickled file are not read", name));
      return;
    }
    const auto unmoved = unmoved_tensors(model, init, view_of_model.specs());
    if (unmoved.empty()) return;
    findings.problems.push_back(fmt::format("{}: {} tensors are as they were before fine-tuning (e.g. {})",
                                            name, unmoved.size(), unmoved.front()));
  });
}

}  // namespace expctl
