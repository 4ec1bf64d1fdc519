// A tiny BERT with random weights in Hugging Face's layout, for data that nobody pre-trained a model on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace expctl {

struct TinyBertSize {
  int hidden = 64;
  int layers = 2;
  int heads = 4;
  int intermediate = 128;
  int max_position = 256;
};

/// Writes config.json, vocab.txt, tokenizer_config.json and model.safetensors into `folder`, which must
/// exist. Weights are normal with a deviation of 0.08 (a model this small, trained from random weights,
/// learns too slowly at BERT's 0.02), position embeddings sinusoidal (Vaswani et al. 2017, section 3.5),
/// biases 0, LayerNorm 1 and 0. Depends on `seed` alone.
void write_tiny_bert(const std::filesystem::path& folder, const std::vector<std::string>& vocabulary,
                     uint64_t seed, const TinyBertSize& size = {});

}  // namespace expctl
