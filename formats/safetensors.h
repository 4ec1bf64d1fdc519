// safetensors: an 8-byte little-endian header length, a JSON header, then raw tensors. Reading maps the file.
//
// Source of the format: the Hugging Face safetensors specification (0.4). Every offset is checked before use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace expctl {

enum class DType { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU8, kBool };

std::string_view name_of(DType dtype);  ///< "F32", as in the file
size_t size_of(DType dtype);            ///< bytes an element

/// The bytes of a tensor of this shape. Throws Error that `where` begins: a negative size, an overflow.
uint64_t byte_count(DType dtype, const std::vector<int64_t>& shape, const std::string& where);

/// A tensor that somebody else owns. `bytes` is aligned to nothing in particular.
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;

  int64_t element_count() const;
  /// The elements as T, copied. Throws Error where the dtype is another.
  template <typename T>
  std::vector<T> copy_as() const;
};

/// A file's tensors by name, sorted; the views live as long as this object (it owns the mapping or buffer).
class SafeTensors {
 public:
  /// Throws Error naming the file and the tensor: truncated, overlapping, wrong sizes, unknown dtype.
  static SafeTensors read(const std::filesystem::path& path);
  /// The same from memory (for fuzzing and tests); `bytes` must outlive the result.
  static SafeTensors parse(std::span<const std::byte> bytes, const std::string& source);

  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::string& source() const { return source_; }
  /// Throws Error (kNotFound) naming the file and what it holds that is near.
  const TensorView& at(const std::string& name) const;

 private:
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
  std::string source_;
  std::shared_ptr<const void> owner_;
};

/// Writes atomically (core/files.h), without a copy of the tensors in memory. They lie back to back in map
/// order, as the reference reader wants them.
void write_safetensors(const std::filesystem::path& path, const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata);

template <typename T>
TensorView view_of(const std::vector<T>& values, std::vector<int64_t> shape);

}  // namespace expctl
