#include "formats/bert_folder.h"

#include "core/files.h"
#include "core/run_paths.h"

namespace expctl {

void write_bert_folder(const std::filesystem::path& folder, const BertConfig& config,
                       std::string_view vocabulary_text, const std::map<std::string, TensorView>& tensors) {
  const CheckpointPaths paths{folder};
  make_folder(folder);
  write_bert_config(paths.config(), config, tensors.contains("qa_outputs.weight"));
  write_tokenizer_config(paths.tokenizer_config(), config);
  write_file(paths.vocab(), vocabulary_text);
  write_safetensors(paths.weights(), tensors, {{"format", "pt"}});
}

void write_bert_folder(const std::filesystem::path& folder, const StoredBert& bert) {
  std::map<std::string, std::vector<float>> values;
  std::map<std::string, TensorView> views;
  for (const auto& [name, stored] : bert.tensors) {
    auto& numbers = values[name];
    numbers.resize(static_cast<size_t>(stored.view.element_count()));
    stored.read(numbers);
    views[name] = view_of(numbers, stored.shape());
  }
  write_bert_folder(folder, bert.config, bert.vocabulary_text, views);
}

}  // namespace expctl
