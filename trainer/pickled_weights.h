// pytorch_model.bin: a model's state_dict() as Python's torch.save() writes it, a zip file of data.pkl
// (formats/pickled_state.h) and one record a storage. The zip file is read by LibTorch.
#pragma once

#include <filesystem>

#include "formats/bert_config.h"
#include "trainer/parameters.h"

namespace expctl {

/// The tensors that a question-answering BERT has, by canonical name, fp32, contiguous, of their own memory;
/// the span head may be absent. Throws Error naming the file: not such a file (older than PyTorch 1.6,
/// damaged, more than a state_dict()), a tensor missing, of another shape, or of another type than float,
/// half and bfloat16.
Parameters read_pickled_weights(const std::filesystem::path& path, const BertConfig& config);

}  // namespace expctl
