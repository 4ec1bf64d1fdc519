#include "trainer/pickled_weights.h"

#include <caffe2/serialize/inline_container.h>
#include <fmt/format.h>

#include <fstream>

#include "core/error.h"
#include "core/run_paths.h"
#include "formats/pickled_state.h"
#include "formats/wanted_tensors.h"

namespace expctl {
namespace {

/// A file of another form would only get LibTorch's word for a broken zip file.
void check_is_zip(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw errno_error("cannot open " + path.string(), errno);
  std::string beginning(4, '\0');
  file.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  if (beginning == "PK\3\4") return;
  throw Error(fmt::format("{}: not a zip file, as torch.save() has written since PyTorch 1.6", path.string()),
              "load it in Python and save it again, or save model.safetensors");
}

class File {
 public:
  explicit File(const std::filesystem::path& path) : source_(path.string()), zip_(source_) {
    if (zip_.hasRecord("byteorder") && record_text("byteorder") == "big")
      throw Error(source_ + ": it was written on a big-endian machine, which expctl does not read");
    // Names, shapes and places of the tensors: some 100 bytes a tensor.
    constexpr size_t kLargestPickle = size_t{16} << 20;
    if (zip_.getRecordSize("data.pkl") > kLargestPickle)
      throw Error(source_ + ": its data.pkl is larger than 16 MiB: no state of a BERT");
    tensors_ = parse_pickled_state(record_text("data.pkl"), source_);
  }

  const std::map<std::string, PickledTensor>& tensors() const { return tensors_; }

  /// A floating-point tensor of a type that BERT is stored in.
  torch::Tensor read(const std::string& name) {
    const PickledTensor& pickled = tensors_.at(name);
    const torch::ScalarType type = scalar_type(pickled.dtype);
    const auto [bytes, size] = zip_.getRecord("data/" + pickled.storage);
    if (size / size_of(pickled.dtype) < static_cast<size_t>(pickled.storage_size)) {
      throw Error(fmt::format("{}: tensor '{}': its storage has {} elements, not {}", source_, name,
                              size / size_of(pickled.dtype), pickled.storage_size));
    }
    auto* begin =
        static_cast<std::byte*>(bytes.get()) + static_cast<size_t>(pickled.offset) * size_of(pickled.dtype);
    const auto stored = torch::from_blob(begin, pickled.shape, pickled.strides, type);
    return torch::empty(pickled.shape).copy_(stored);
  }

 private:
  std::string record_text(const std::string& name) {
    const auto [bytes, size] = zip_.getRecord(name);
    return {static_cast<const char*>(bytes.get()), size};
  }

  static torch::ScalarType scalar_type(DType dtype) {
    if (dtype == DType::kF16) return torch::kHalf;
    return dtype == DType::kBF16 ? torch::kBFloat16 : torch::kFloat;
  }

  std::string source_;
  caffe2::serialize::PyTorchStreamReader zip_;
  std::map<std::string, PickledTensor> tensors_;
};

Parameters read_parameters(const std::filesystem::path& path, const BertConfig& config) {
  File file(path);
  const WeightsSource source{path, CheckpointPaths{path.parent_path()}.config()};
  std::vector<std::string> stored_names;
  for (const auto& [name, tensor] : file.tensors()) stored_names.push_back(name);
  Parameters parameters;
  for (const auto& wanted : choose_tensors(stored_names, config, source)) {
    const PickledTensor& pickled = file.tensors().at(wanted.name);
    check_tensor(wanted, pickled.dtype, pickled.shape, source);
    parameters[wanted.canonical_name] = file.read(wanted.name);
  }
  return parameters;
}

}  // namespace

Parameters read_pickled_weights(const std::filesystem::path& path, const BertConfig& config) {
  check_is_zip(path);
  try {
    return read_parameters(path, config);
  } catch (const c10::Error& e) {
    const std::string what = e.what_without_backtrace();
    throw Error(fmt::format("{}: {}", path.string(), what.substr(0, what.find('.'))),
                "the file may be damaged or cut short; copy it again");
  }
}

}  // namespace expctl
