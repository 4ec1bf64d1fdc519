// Writes TensorFlow checkpoints for tests, the index by leveldb's own TableBuilder.
#pragma once

#include <fmt/core.h>
#include <leveldb/env.h>
#include <leveldb/options.h>
#include <leveldb/table_builder.h>

#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "core/files.h"
#include "formats/crc32c.h"
#include "tests/support/support.h"

namespace expctl::test {

/// Writes a table with leveldb.
inline void write_table(const std::filesystem::path& path, const std::map<std::string, std::string>& entries,
                        size_t block_size = 4096,
                        leveldb::CompressionType compression = leveldb::kNoCompression) {
  leveldb::WritableFile* opened = nullptr;
  REQUIRE(leveldb::Env::Default()->NewWritableFile(path.string(), &opened).ok());
  const std::unique_ptr<leveldb::WritableFile> file(opened);
  leveldb::Options options;
  options.block_size = block_size;
  options.compression = compression;
  leveldb::TableBuilder builder(options, file.get());
  for (const auto& [key, value] : entries) builder.Add(key, value);
  REQUIRE(builder.Finish().ok());
  REQUIRE(file->Close().ok());
}

inline std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

/// A field of a Protocol Buffers message: a number, and an inner message.
inline std::string field(uint64_t number, uint64_t value) {
  return varint(number << 3) + varint(value);
}
inline std::string field(uint64_t number, const std::string& message) {
  return varint(number << 3 | 2) + varint(message.size()) + message;
}

inline std::string shape_message(const std::vector<int64_t>& shape) {
  std::string message;
  for (const auto n : shape) message += field(2, field(1, static_cast<uint64_t>(n)));
  return message;
}

struct TfTensor {
  uint64_t dtype = 1;  ///< DT_FLOAT
  std::vector<int64_t> shape;
  std::string bytes;
  uint64_t shard = 0;
  std::string more_fields;  ///< of its BundleEntryProto
};

inline TfTensor tf_floats(std::vector<int64_t> shape, const std::vector<float>& values, uint64_t shard = 0) {
  return {1, std::move(shape), {reinterpret_cast<const char*>(values.data()), 4 * values.size()}, shard, {}};
}

struct TfBundle {
  std::map<std::string, TfTensor> tensors;
  uint64_t shards = 1;
  std::string header_fields;
  size_t block_size = 4096;

  /// PREFIX.index and PREFIX.data-*.
  void write(const std::filesystem::path& prefix) const {
    std::map<std::string, std::string> entries{{"", field(1, shards) + header_fields}};
    std::vector<std::string> data(shards);
    for (const auto& [name, tensor] : tensors) {
      std::string& bytes = data.at(tensor.shard);
      const uint32_t crc = masked_crc32c(std::as_bytes(std::span(tensor.bytes)));
      std::string crc_bytes(4, '\0');
      std::memcpy(crc_bytes.data(), &crc, 4);
      entries[name] = field(1, tensor.dtype) + field(2, shape_message(tensor.shape)) +
                      field(3, tensor.shard) + field(4, bytes.size()) + field(5, tensor.bytes.size()) +
                      varint(6 << 3 | 5) + crc_bytes + tensor.more_fields;
      bytes += tensor.bytes;
    }
    write_table(prefix.string() + ".index", entries, block_size);
    for (size_t i = 0; i < shards; ++i)
      write_file(fmt::format("{}.data-{:05}-of-{:05}", prefix.string(), i, shards), data[i]);
  }
};

/// The text with one bit of one byte turned over.
inline std::string damaged(std::string text, size_t at) {
  text.at(at) = static_cast<char>(text[at] ^ 0x10);
  return text;
}

}  // namespace expctl::test
