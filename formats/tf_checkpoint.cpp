#include "formats/tf_checkpoint.h"

#include <fmt/core.h>

#include <optional>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "formats/crc32c.h"
#include "formats/mapped_file.h"
#include "formats/wire_reader.h"

namespace expctl {
namespace {

constexpr std::string_view kIndexEnding = ".index";

/// What of BundleEntryProto is needed.
struct Entry {
  uint64_t dtype = 0;  ///< tensorflow.DataType
  std::vector<int64_t> shape;
  bool unknown_rank = false;
  uint64_t shard = 0;
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t masked_crc = 0;
  bool partitioned = false;
};

/// TensorShapeProto: dim = 2 {size = 1}, unknown_rank = 3.
void read_shape(std::string_view message, const std::string& where, Entry& entry) {
  WireReader shape(message, where);
  while (const auto field = shape.next()) {
    if (field->number == 3) entry.unknown_rank = field->value != 0;
    if (field->number != 2) continue;
    int64_t size = 0;  // as Protocol Buffers leave out zeros
    WireReader dim(field->bytes, where);
    while (const auto part = dim.next()) {
      if (part->number == 1) size = static_cast<int64_t>(part->value);
    }
    entry.shape.push_back(size);
  }
}

Entry read_entry(std::string_view message, const std::string& where) {
  Entry entry;
  WireReader reader(message, where);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case 1:
        entry.dtype = field->value;
        break;
      case 2:
        read_shape(field->bytes, where, entry);
        break;
      case 3:
        entry.shard = field->value;
        break;
      case 4:
        entry.offset = field->value;
        break;
      case 5:
        entry.size = field->value;
        break;
      case 6:
        entry.masked_crc = field->value;
        break;
      case 7:
        entry.partitioned = true;
        break;
      default:
        break;
    }
  }
  return entry;
}

DType dtype_of(const Entry& entry, const std::string& where) {
  switch (entry.dtype) {
    case 1:
      return DType::kF32;
    case 14:
      return DType::kBF16;
    case 19:
      return DType::kF16;
    default:
      throw Error(
          fmt::format("{}: it is of TensorFlow's type {}, not float, half or bfloat16", where, entry.dtype));
  }
}

}  // namespace

void TfCheckpoint::read_index(std::string_view index, const std::string& source, Checksums checksums) {
  source_ = source;
  checksums_ = checksums;
  entries_ = read_table(index, source, checksums);
  const auto header = entries_.find("");
  if (header == entries_.end()) {
    throw Error(source + ": not a checkpoint's index: it has no header",
                "TensorFlow's V2 format is wanted: PREFIX.index with PREFIX.data-*");
  }
  WireReader reader(header->second, source + ": the header");
  while (const auto field = reader.next()) {
    if (field->number == 1) shard_count_ = field->value;
    if (field->number == 2 && field->value != 0)
      throw Error(source + ": it was written on a big-endian machine, which expctl does not read");
  }
  entries_.erase(header);
}

TfCheckpoint TfCheckpoint::read(const std::filesystem::path& index) {
  TfCheckpoint checkpoint;
  checkpoint.read_index(read_file(index), index.string(), Checksums::kVerify);
  std::string prefix = index.string();
  if (prefix.ends_with(kIndexEnding)) prefix.resize(prefix.size() - kIndexEnding.size());
  for (uint64_t i = 0; i < checkpoint.shard_count_; ++i) {
    const std::string file = fmt::format("{}.data-{:05}-of-{:05}", prefix, i, checkpoint.shard_count_);
    if (!std::filesystem::exists(file)) {
      throw Error(fmt::format("{}: no such file, but {} speaks of it", file, index.string()),
                  "copy all files of the checkpoint", ErrorCode::kNotFound);
    }
    const MappedFile mapped = map_file(file);
    checkpoint.shards_.push_back({file, mapped.bytes, mapped.owner});
  }
  return checkpoint;
}

TfCheckpoint TfCheckpoint::parse(std::string_view index,
                                 const std::vector<std::span<const std::byte>>& shards,
                                 const std::string& source, Checksums checksums) {
  TfCheckpoint checkpoint;
  checkpoint.read_index(index, source, checksums);
  for (const auto bytes : shards)
    checkpoint.shards_.push_back({fmt::format("{} (data {})", source, checkpoint.shards_.size()), bytes, {}});
  return checkpoint;
}

TensorView TfCheckpoint::at(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    throw Error(fmt::format("{}: no tensor '{}'{}", source_, name, did_you_mean(name, names())), {},
                ErrorCode::kNotFound);
  }
  const std::string where = fmt::format("{}: tensor '{}'", source_, name);
  const Entry entry = read_entry(found->second, where);
  if (entry.partitioned) {
    throw Error(where + ": it is split into partitions, which expctl does not read",
                "save the checkpoint without a partitioner");
  }
  if (entry.unknown_rank) throw Error(where + ": its shape is not known");
  const DType dtype = dtype_of(entry, where);
  const auto needed = byte_count(dtype, entry.shape, where);
  if (entry.size != needed)
    throw Error(fmt::format("{}: {} bytes where its shape needs {}", where, entry.size, needed));
  if (entry.shard >= shards_.size())
    throw Error(
        fmt::format("{}: it is said to lie in data file {} of {}", where, entry.shard, shards_.size()));
  const Shard& shard = shards_[entry.shard];
  const std::string in_shard = fmt::format("{}: tensor '{}'", shard.file, name);
  if (entry.offset > shard.bytes.size() || entry.size > shard.bytes.size() - entry.offset) {
    throw Error(fmt::format("{}: {} bytes at {} are not in the file ({} bytes)", in_shard, entry.size,
                            entry.offset, shard.bytes.size()),
                "the file may be cut short; copy it again");
  }
  const auto bytes = shard.bytes.subspan(entry.offset, entry.size);
  if (checksums_ == Checksums::kVerify && masked_crc32c(bytes) != entry.masked_crc)
    throw Error(in_shard + ": its checksum does not fit", "the file is damaged; copy it again");
  return {dtype, entry.shape, bytes};
}

std::vector<std::string> TfCheckpoint::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

}  // namespace expctl
