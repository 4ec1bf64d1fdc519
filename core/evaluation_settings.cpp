#include "core/evaluation_settings.h"

#include <fmt/core.h>

#include <algorithm>

namespace expctl {
namespace {

template <typename Keys>
Json settings_of(const TrainSpec& train, const Keys& keys) {
  Json settings;
  for (const char* key : keys) settings[key] = get_train_key(train, *find_train_key(training_key(key)));
  return settings;
}

}  // namespace

std::string training_key(std::string_view setting) {
  const bool is_decoding =
      std::find(std::begin(kDecodingKeys), std::end(kDecodingKeys), setting) != std::end(kDecodingKeys);
  return fmt::format("{}{}", is_decoding ? "" : "eval_", setting);
}

std::string setting_text(const std::string& setting, const Json& value) {
  return fmt::format("{}={}", training_key(setting), scalar_text(value));
}

Json window_settings(const TrainSpec& train) {
  return settings_of(train, kWindowKeys);
}

Json decoding_settings(const TrainSpec& train) {
  return settings_of(train, kDecodingKeys);
}

Json evaluation_settings(const RunSpec& spec) {
  Json settings = {{"dev_sha256", spec.dev_data.sha256}};
  if (!spec.is_command()) settings.update(window_settings(spec.train));
  return settings;
}

Json evaluation_identity(const Json& settings) {
  Json identity = Json::object();
  if (settings.contains("dev_sha256")) identity["dev_sha256"] = settings["dev_sha256"];
  for (const char* key : kWindowKeys) {
    if (settings.contains(key)) identity[key] = settings[key];
  }
  return identity;
}

}  // namespace expctl
