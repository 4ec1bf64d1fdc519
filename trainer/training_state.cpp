#include "trainer/training_state.h"

#include <fmt/core.h>

#include <cstring>

#include "core/error.h"
#include "core/json.h"
#include "formats/safetensors.h"
#include "trainer/checkpoint.h"

namespace expctl {
namespace {

constexpr const char* kPosition = "position";

/// In full digits: the scale is a power of two, but a reader of the file need not know.
Json to_json(const TrainingPosition& position) {
  return {{"step", position.step},
          {"updates", position.updates},
          {"loss_scale", position.loss_scale.scale},
          {"good_steps", position.loss_scale.good_steps}};
}

TrainingPosition position_from(const std::string& text, const std::string& source) {
  const Json json = parse_json(text, source + " (position)");
  return {json_get<int64_t>(json, "step", source),
          json_get<int64_t>(json, "updates", source),
          {json_get<double>(json, "loss_scale", source), json_get<int64_t>(json, "good_steps", source)}};
}

/// Every tensor of a state by the name that it has in the file.
std::map<std::string, torch::Tensor> named(const Parameters& parameters, const OptimizerState& optimizer) {
  std::map<std::string, torch::Tensor> all;
  for (const auto& [name, tensor] : parameters) all["parameter/" + name] = tensor;
  for (const auto& [name, tensor] : optimizer.mean) all["mean/" + name] = tensor;
  for (const auto& [name, tensor] : optimizer.variance) all["variance/" + name] = tensor;
  for (const auto& [name, tensor] : optimizer.average) all["average/" + name] = tensor;
  return all;
}

void restore(const SafeTensors& file, const std::string& name, torch::Tensor& tensor) {
  const TensorView& view = file.at(name);
  if (view.dtype != DType::kF32 || view.shape != tensor.sizes().vec())
    throw Error(fmt::format("{}: tensor '{}' has another shape than the model's", file.source(), name));
  std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
}

}  // namespace

void write_training_state(const std::filesystem::path& path, const std::string& identity, const SavedOn& here,
                          const TrainingPosition& position, const Parameters& parameters,
                          const OptimizerState& optimizer) {
  save_tensors(path, named(parameters, optimizer),
               {{"identity", identity},
                {kPosition, json_line(to_json(position))},
                {"precision", std::string(name_of(here.precision))},
                {"machine", here.machine}});
}

std::optional<TrainingPosition> read_training_state(const std::filesystem::path& path,
                                                    const std::string& identity, Parameters& parameters,
                                                    OptimizerState& optimizer) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  const SafeTensors file = SafeTensors::read(path);
  const auto& metadata = file.metadata();
  if (!metadata.contains("identity") || !metadata.contains(kPosition)) {
    throw Error(fmt::format("{}: no state that this version of expctl-train has saved", path.string()),
                "remove it to train from the beginning");
  }
  if (metadata.at("identity") != identity) {
    throw Error(fmt::format("{}: the saved state is of another training", path.string()),
                "remove it to train from the beginning");
  }
  const TrainingPosition position = position_from(metadata.at(kPosition), file.source());
  for (auto& [name, tensor] : named(parameters, optimizer)) restore(file, name, tensor);
  optimizer.moved_words = find_moved_words(optimizer);
  return position;
}

std::optional<SavedOn> saved_on(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  const SafeTensors file = SafeTensors::read(path);
  const auto value = [&](const char* key) {
    const auto found = file.metadata().find(key);
    return found == file.metadata().end() ? std::string() : found->second;
  };
  return SavedOn{precision_from(value("precision")), value("machine")};
}

}  // namespace expctl
