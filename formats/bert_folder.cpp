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

}  // namespace expctl
