// logits.safetensors: start f32[tokens], end f32[tokens], offsets i64[features + 1] of every real token of
// every feature, unmasked, in the order of `expctl features --dump`; metadata says over which features.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace expctl {

/// Two logits files may be averaged iff all of these are equal.
struct LogitsIdentity {
  std::string dataset_sha256;  ///< content_sha256 of the dataset
  std::string features_sha256;
  std::string max_seq_length;
  std::string doc_stride;
  std::string window;  ///< overlap | advance
  bool operator==(const LogitsIdentity&) const = default;
};

/// "doc_stride: 128 and 64; window: overlap and advance", or "" where they are equal.
std::string difference(const LogitsIdentity& a, const LogitsIdentity& b);

struct LogitsFile {
  LogitsIdentity identity;
  std::vector<float> start;      ///< [tokens]
  std::vector<float> end;        ///< [tokens]
  std::vector<int64_t> offsets;  ///< [features + 1], from 0 to tokens, never falling
};

/// Throws Error naming the file and what does not fit.
LogitsFile read_logits(const std::filesystem::path& path);
void write_logits(const std::filesystem::path& path, const LogitsFile& logits);

}  // namespace expctl
