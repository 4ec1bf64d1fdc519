// Writes a BERT as a folder in Hugging Face's layout.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "formats/bert_config.h"
#include "formats/safetensors.h"
#include "formats/stored_bert.h"

namespace expctl {

/// Writes config.json, tokenizer_config.json, vocab.txt and model.safetensors into `folder`, made where it
/// does not exist: what transformers' AutoModelForQuestionAnswering and expctl load. Tensors go by canonical
/// name (formats/bert_names.h); without "qa_outputs.weight" it is a BertModel, whose loader makes a new head.
/// Throws Error.
void write_bert_folder(const std::filesystem::path& folder, const BertConfig& config,
                       std::string_view vocabulary_text, const std::map<std::string, TensorView>& tensors);

/// The same of a model that has been looked into (not of a pickled one): any layout becomes Hugging Face's.
void write_bert_folder(const std::filesystem::path& folder, const StoredBert& bert);

}  // namespace expctl
