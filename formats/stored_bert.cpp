#include "formats/stored_bert.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/run_paths.h"

namespace expctl {
namespace {

void check_vocabulary_size(const StoredBert& bert, const CheckpointPaths& paths) {
  const std::string& text = bert.vocabulary_text;
  const auto pieces =
      std::count(text.begin(), text.end(), '\n') + (text.empty() || text.back() == '\n' ? 0 : 1);
  if (pieces == bert.config.vocab_size) return;
  throw Error(fmt::format("{}: {} pieces, but {} says vocab_size {}", paths.vocab().string(), pieces,
                          paths.config().string(), bert.config.vocab_size),
              "the vocabulary must be the one that the model was trained with");
}

void check_tensor(const std::string& name, const TensorView& view, const TensorShape& wanted,
                  const std::string& source) {
  if (view.shape != wanted.shape) {
    throw Error(fmt::format("{}: tensor '{}' has the shape [{}], config.json asks for [{}]", source, name,
                            fmt::join(view.shape, ", "), fmt::join(wanted.shape, ", ")));
  }
  if (view.dtype != DType::kF32 && view.dtype != DType::kF16 && view.dtype != DType::kBF16) {
    throw Error(fmt::format("{}: tensor '{}' is {}, not a floating-point type that BERT is stored in", source,
                            name, name_of(view.dtype)));
  }
}

std::map<std::string, std::string> find_tensors(const SafeTensors& weights, const BertConfig& config) {
  std::map<std::string, std::string> stored, names;
  for (const auto& [name, view] : weights.tensors()) {
    const std::string canonical = canonical_bert_name(name);
    if (!canonical.empty()) stored[canonical] = name;
  }
  for (const auto& wanted : bert_tensors(config)) {
    const auto found = stored.find(wanted.name);
    if (found != stored.end()) {
      check_tensor(found->second, weights.at(found->second), wanted, weights.source());
      names.insert(*found);
    } else if (!wanted.name.starts_with("qa_outputs.")) {
      throw Error(fmt::format("{}: the tensor '{}' is missing", weights.source(), wanted.name),
                  "is it a BERT of config.json's size?");
    }
  }
  return names;
}

}  // namespace

StoredBert open_stored_bert(const std::filesystem::path& folder) {
  const CheckpointPaths paths{folder};
  StoredBert bert;
  bert.config = read_bert_config(paths.config());
  bert.vocabulary_text = read_file(paths.vocab());
  check_vocabulary_size(bert, paths);
  bert.weights = SafeTensors::read(paths.weights());
  bert.names = find_tensors(bert.weights, bert.config);
  return bert;
}

}  // namespace expctl
