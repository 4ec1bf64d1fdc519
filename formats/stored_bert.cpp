#include "formats/stored_bert.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/files.h"
#include "core/run_paths.h"
#include "core/text.h"
#include "formats/tf_checkpoint.h"
#include "formats/wanted_tensors.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

void check_vocabulary_size(const StoredBert& bert, const CheckpointPaths& paths) {
  const std::string& text = bert.vocabulary_text;
  const auto pieces =
      std::count(text.begin(), text.end(), '\n') + (text.empty() || text.back() == '\n' ? 0 : 1);
  if (pieces == bert.config.vocab_size) return;
  throw Error(fmt::format("{}: {} pieces, but {} says vocab_size {}", paths.vocab().string(), pieces,
                          bert.config_file.string(), bert.config.vocab_size),
              "the vocabulary must be the one that the model was trained with");
}

WeightsSource source_of(const StoredBert& bert) {
  return {bert.weights_file, bert.config_file};
}

void add_tensor(StoredBert& bert, const WantedTensor& wanted, StoredTensor stored) {
  check_tensor(wanted, stored.view.dtype, stored.view.shape, source_of(bert));
  bert.tensors[wanted.canonical_name] = std::move(stored);
}

void open_safetensors(StoredBert& bert) {
  const auto file = std::make_shared<const SafeTensors>(SafeTensors::read(bert.weights_file));
  std::vector<std::string> stored_names;
  for (const auto& [name, view] : file->tensors()) stored_names.push_back(name);
  for (const auto& wanted : choose_tensors(stored_names, bert.config, source_of(bert)))
    add_tensor(bert, wanted, {file->at(wanted.name)});
  bert.owner = file;
}

void open_google_checkpoint(StoredBert& bert) {
  const auto file = std::make_shared<const TfCheckpoint>(TfCheckpoint::read(bert.weights_file));
  const auto has = [&](const std::string& name) { return file->contains(name); };
  for (const auto& wanted : choose_google_tensors(has, bert.config, source_of(bert))) {
    const bool transposed = google_bert_name(wanted.canonical_name).transposed;
    add_tensor(bert, wanted, {file->at(wanted.name), transposed});
  }
  bert.owner = file;
}

fs::path find_google_index(const CheckpointPaths& paths) {
  if (fs::exists(paths.google_index())) return paths.google_index();
  const auto found = find_files(paths.folder, "*.index");
  if (found.empty()) {
    throw Error(fmt::format("{}: there is no checkpoint in it (*.index)", paths.folder.string()),
                "Google's folder has bert_model.ckpt.index and bert_model.ckpt.data-*", ErrorCode::kNotFound);
  }
  if (found.size() == 1) return found.front();
  std::vector<std::string> names;
  for (const auto& file : found) names.push_back(file.filename().string());
  throw Error(fmt::format("{}: several checkpoints: {}", paths.folder.string(), join(names, ", ")),
              "leave one of them in the folder, or call it bert_model.ckpt");
}

void find_weights(StoredBert& bert, const CheckpointPaths& paths) {
  if (bert.config_file == paths.google_config())
    bert.weights_file = find_google_index(paths);
  else if (fs::exists(paths.weights()))
    bert.weights_file = paths.weights();
  else if (fs::exists(paths.pickled_weights()))
    bert.weights_file = paths.pickled_weights();
  else
    throw Error(
        fmt::format("{}: neither model.safetensors nor pytorch_model.bin in it", paths.folder.string()),
        "they are a model's weights; those in several files (model-00001-of-...) are not read",
        ErrorCode::kNotFound);
}

float float_of_bf16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

float float_of_half(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits >> 15) << 31;
  const uint32_t exponent = (bits >> 10) & 0x1f, fraction = bits & 0x3ff;
  if (exponent == 0) {  // zero and numbers below the smallest normal one
    const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t wide = exponent == 0x1f ? 0xff : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

void widen(const TensorView& view, std::span<float> values) {
  if (view.dtype == DType::kF32) {
    if (!values.empty()) std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
    return;
  }
  const auto widened = view.dtype == DType::kF16 ? float_of_half : float_of_bf16;
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t bits = 0;
    std::memcpy(&bits, view.bytes.data() + 2 * i, 2);
    values[i] = widened(bits);
  }
}

/// In squares, so that neither side leaves the cache line by line.
void transpose(const std::vector<float>& from, int64_t rows, int64_t columns, std::span<float> to) {
  constexpr int64_t kSquare = 32;
  for (int64_t r0 = 0; r0 < rows; r0 += kSquare) {
    for (int64_t c0 = 0; c0 < columns; c0 += kSquare) {
      for (int64_t r = r0; r < std::min(rows, r0 + kSquare); ++r) {
        for (int64_t c = c0; c < std::min(columns, c0 + kSquare); ++c)
          to[static_cast<size_t>(c * rows + r)] = from[static_cast<size_t>(r * columns + c)];
      }
    }
  }
}

}  // namespace

std::vector<int64_t> StoredTensor::shape() const {
  std::vector<int64_t> shape = view.shape;
  if (transposed) std::reverse(shape.begin(), shape.end());
  return shape;
}

void StoredTensor::read(std::span<float> values) const {
  if (!transposed) {
    widen(view, values);
    return;
  }
  std::vector<float> stored(values.size());
  widen(view, stored);
  transpose(stored, view.shape[0], view.shape[1], values);
}

bool StoredBert::is_pickled() const {
  return weights_file.filename() == CheckpointPaths{}.pickled_weights();
}

bool is_stored_bert(const fs::path& folder) {
  const CheckpointPaths paths{folder};
  return fs::is_regular_file(paths.config()) || fs::is_regular_file(paths.google_config());
}

StoredBert open_stored_bert(const fs::path& folder) {
  const CheckpointPaths paths{folder};
  const bool is_google = !fs::exists(paths.config()) && fs::exists(paths.google_config());
  StoredBert bert;
  bert.config_file = is_google ? paths.google_config() : paths.config();
  bert.config = read_bert_config(bert.config_file);
  check_tokenizer_config(paths.tokenizer_config());
  bert.vocabulary_text = read_file(paths.vocab());
  check_vocabulary_size(bert, paths);
  find_weights(bert, paths);
  if (is_google)
    open_google_checkpoint(bert);
  else if (!bert.is_pickled())
    open_safetensors(bert);
  return bert;
}

}  // namespace expctl
