#include "formats/safetensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "core/text.h"
#include "formats/mapped_file.h"

namespace expctl {
namespace {

constexpr uint64_t kLargestHeader = 100'000'000;  // as the reference implementation
constexpr size_t kAlignment = 8;

struct DTypeRow {
  DType dtype;
  std::string_view name;
  size_t size;
};

constexpr std::array<DTypeRow, 10> kDTypes{{{DType::kF64, "F64", 8},
                                            {DType::kF32, "F32", 4},
                                            {DType::kF16, "F16", 2},
                                            {DType::kBF16, "BF16", 2},
                                            {DType::kI64, "I64", 8},
                                            {DType::kI32, "I32", 4},
                                            {DType::kI16, "I16", 2},
                                            {DType::kI8, "I8", 1},
                                            {DType::kU8, "U8", 1},
                                            {DType::kBool, "BOOL", 1}}};

template <typename T>
constexpr DType kDTypeOf = DType::kF32;
template <>
constexpr DType kDTypeOf<int64_t> = DType::kI64;

[[noreturn]] void refuse(const std::string& source, const std::string& why) {
  throw Error(fmt::format("{}: not a safetensors file: {}", source, why),
              "the file may be cut short; copy it again");
}

DType parse_dtype(const std::string& name, const std::string& where) {
  for (const auto& row : kDTypes) {
    if (row.name == name) return row.dtype;
  }
  throw Error(fmt::format("{}: unknown dtype '{}'", where, name));
}

TensorView parse_tensor(const Json& entry, std::span<const std::byte> data, const std::string& where) {
  TensorView view;
  view.dtype = parse_dtype(json_get<std::string>(entry, "dtype", where), where);
  const auto shape = json_get<Json>(entry, "shape", where);
  const auto offsets = json_get<Json>(entry, "data_offsets", where);
  const auto all_integers = [](const Json& list) {
    return list.is_array() &&
           std::all_of(list.begin(), list.end(), [](const Json& n) { return n.is_number_integer(); });
  };
  if (!all_integers(shape)) throw Error(where + ": 'shape' is no list of integers");
  if (!all_integers(offsets) || offsets.size() != 2)
    throw Error(where + ": 'data_offsets' are not two integers");
  for (const auto& n : shape) view.shape.push_back(n.get<int64_t>());
  const auto begin = offsets[0].get<int64_t>();
  const auto end = offsets[1].get<int64_t>();
  if (begin < 0 || end < begin || static_cast<uint64_t>(end) > data.size()) {
    throw Error(fmt::format("{}: bytes {} to {} are not in the file ({} bytes of data)", where, begin, end,
                            data.size()));
  }
  const auto needed = byte_count(view.dtype, view.shape, where);
  if (static_cast<uint64_t>(end - begin) != needed) {
    throw Error(fmt::format("{}: {} bytes where its shape needs {}", where, end - begin, needed));
  }
  view.bytes = data.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
  return view;
}

/// No byte may belong to two tensors; gaps (ours and others' of alignment) are allowed.
void check_overlaps(const std::map<std::string, TensorView>& tensors, const std::string& source) {
  std::vector<std::pair<const TensorView*, const std::string*>> sorted;
  for (const auto& [name, view] : tensors) {
    if (!view.bytes.empty()) sorted.emplace_back(&view, &name);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.first->bytes.data() < b.first->bytes.data(); });
  for (size_t i = 1; i < sorted.size(); ++i) {
    const auto& before = sorted[i - 1];
    if (before.first->bytes.data() + before.first->bytes.size() > sorted[i].first->bytes.data()) {
      throw Error(
          fmt::format("{}: tensors '{}' and '{}' overlap", source, *before.second, *sorted[i].second));
    }
  }
}

}  // namespace

std::string_view name_of(DType dtype) {
  for (const auto& row : kDTypes) {
    if (row.dtype == dtype) return row.name;
  }
  return "?";
}

size_t size_of(DType dtype) {
  for (const auto& row : kDTypes) {
    if (row.dtype == dtype) return row.size;
  }
  return 0;
}

uint64_t byte_count(DType dtype, const std::vector<int64_t>& shape, const std::string& where) {
  uint64_t count = size_of(dtype);
  for (const int64_t n : shape) {
    if (n < 0 || __builtin_mul_overflow(count, static_cast<uint64_t>(n), &count)) {
      throw Error(fmt::format("{}: a shape that no tensor can have", where));
    }
  }
  return count;
}

int64_t TensorView::element_count() const {
  return static_cast<int64_t>(bytes.size() / size_of(dtype));
}

template <typename T>
std::vector<T> TensorView::copy_as() const {
  if (dtype != kDTypeOf<T>) {
    throw Error(
        fmt::format("a tensor of {} was expected, but it is {}", name_of(kDTypeOf<T>), name_of(dtype)));
  }
  std::vector<T> values(static_cast<size_t>(element_count()));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

template <typename T>
TensorView view_of(const std::vector<T>& values, std::vector<int64_t> shape) {
  return {kDTypeOf<T>, std::move(shape), std::as_bytes(std::span<const T>(values))};
}

template std::vector<float> TensorView::copy_as<float>() const;
template std::vector<int64_t> TensorView::copy_as<int64_t>() const;
template TensorView view_of(const std::vector<float>& values, std::vector<int64_t> shape);
template TensorView view_of(const std::vector<int64_t>& values, std::vector<int64_t> shape);

SafeTensors SafeTensors::read(const std::filesystem::path& path) {
  const MappedFile mapped = map_file(path);
  auto file = parse(mapped.bytes, path.string());
  file.owner_ = mapped.owner;
  return file;
}

SafeTensors SafeTensors::parse(std::span<const std::byte> bytes, const std::string& source) {
  if (bytes.size() < 8) refuse(source, "shorter than its header's length");
  uint64_t length = 0;
  for (size_t i = 0; i < 8; ++i) length |= static_cast<uint64_t>(bytes[i]) << (8 * i);
  if (length > kLargestHeader) refuse(source, fmt::format("a header of {} bytes", length));
  if (length > bytes.size() - 8)
    refuse(source, fmt::format("a header of {} bytes in a file of {}", length, bytes.size()));
  const auto header_bytes = bytes.subspan(8, static_cast<size_t>(length));
  const auto header = parse_json({reinterpret_cast<const char*>(header_bytes.data()), header_bytes.size()},
                                 source + " (header)");
  if (!header.is_object()) refuse(source, "the header is no object");
  const auto data = bytes.subspan(8 + static_cast<size_t>(length));
  SafeTensors file;
  file.source_ = source;
  for (const auto& [name, entry] : header.items()) {
    if (name != "__metadata__") {
      file.tensors_[name] = parse_tensor(entry, data, fmt::format("{}: tensor '{}'", source, name));
      continue;
    }
    if (!entry.is_object()) refuse(source, "its metadata is no object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) refuse(source, fmt::format("metadata '{}' is no text", key));
      file.metadata_[key] = value.get<std::string>();
    }
  }
  check_overlaps(file.tensors_, source);
  return file;
}

const TensorView& SafeTensors::at(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found != tensors_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [other, view] : tensors_) names.push_back(other);
  throw Error(fmt::format("{}: no tensor '{}'{}", source_, name, did_you_mean(name, names)), {},
              ErrorCode::kNotFound);
}

void write_safetensors(const std::filesystem::path& path, const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) {
    header["__metadata__"] = Json::object();
    for (const auto& [key, value] : metadata) header["__metadata__"][key] = value;
  }
  // The reference reader refuses gaps, so tensors of 8-byte multiples stay aligned and others lie back to
  // back.
  size_t offset = 0;
  for (const auto& [name, view] : tensors) {
    header[name] = {{"dtype", name_of(view.dtype)},
                    {"shape", view.shape},
                    {"data_offsets", {offset, offset + view.bytes.size()}}};
    offset += view.bytes.size();
  }
  std::string text = json_line(header);
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  std::string length;
  for (size_t i = 0; i < 8; ++i) length.push_back(static_cast<char>((text.size() >> (8 * i)) & 0xff));
  std::vector<std::string_view> pieces = {length, text};
  for (const auto& [name, view] : tensors)
    pieces.emplace_back(reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size());
  write_file(path, pieces);
}

}  // namespace expctl
