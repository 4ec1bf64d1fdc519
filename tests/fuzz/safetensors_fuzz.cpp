// safetensors: weights and logits files.
#include "formats/safetensors.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET({
  const auto file = expctl::SafeTensors::parse(std::as_bytes(std::span(text.data(), text.size())), "fuzz");
  for (const auto& [name, view] : file.tensors()) {
    if (view.dtype == expctl::DType::kF32) view.copy_as<float>();
  }
})
