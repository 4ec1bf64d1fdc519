// A TensorFlow V2 checkpoint, read without TensorFlow: PREFIX.index says where in the files
// PREFIX.data-NNNNN-of-NNNNN each tensor lies.
//
// Source: tensorflow/core/util/tensor_bundle and tensor_bundle.proto. The index is a sorted table
// (formats/table_file.h) from names to BundleEntryProto; the name "" holds BundleHeaderProto. The data files
// are mapped. Every offset is checked when the file is opened or the tensor asked for.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors.h"
#include "formats/table_file.h"

namespace expctl {

class TfCheckpoint {
 public:
  /// `index` is the path of PREFIX.index. Throws Error naming the file: absent, damaged, of a big-endian
  /// machine, or a data file that is absent (kNotFound).
  static TfCheckpoint read(const std::filesystem::path& index);
  /// The same from memory (for fuzzing and tests); what is viewed must outlive the result.
  static TfCheckpoint parse(std::string_view index, const std::vector<std::span<const std::byte>>& shards,
                            const std::string& source, Checksums checksums = Checksums::kVerify);

  bool contains(const std::string& name) const { return entries_.contains(name); }
  /// Checks the entry and all bytes of the tensor. Throws Error naming the tensor and the file: none of this
  /// name (kNotFound), split into partitions, not float, half or bfloat16, a size that is not its shape's,
  /// bytes that are not in the data file or whose checksum does not fit. The view lives as long as this
  /// object.
  TensorView at(const std::string& name) const;

  std::vector<std::string> names() const;  ///< sorted
  const std::string& source() const { return source_; }

 private:
  struct Shard {
    std::string file;
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;
  };

  void read_index(std::string_view index, const std::string& source, Checksums checksums);

  std::string source_;
  Checksums checksums_ = Checksums::kVerify;
  uint64_t shard_count_ = 0;
  std::map<std::string, std::string> entries_;  ///< BundleEntryProto by name
  std::vector<Shard> shards_;
};

}  // namespace expctl
