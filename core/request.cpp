#include "core/request.h"

#include <fmt/core.h>

#include "core/enum_names.h"
#include "core/error.h"

namespace expctl {

namespace {

constexpr EnumNames<WorkerTask, 3> kTasks{
    {{WorkerTask::kTrain, "train"}, {WorkerTask::kPredict, "predict"}, {WorkerTask::kConvert, "convert"}}};

}  // namespace

Json to_json(const WorkerRequest& r) {
  Json environment = Json::object();
  for (const auto& [name, value] : r.environment) environment[name] = value;
  return {
      {"schema_version", 1},
      {"task", lookup_name(kTasks, r.task)},
      {"run_id", r.run_id},
      {"attempt", r.attempt},
      {"attempt_token", r.attempt_token},
      {"argv", r.argv},
      {"environment", environment},
      {"devices", {{"gpus", r.devices.gpus}, {"threads", r.devices.threads}, {"cpu_ids", r.devices.cpu_ids}}},
      {"order", r.order},
      {"save_gradients", r.save_gradients},
      {"spec", to_json(r.spec)}};
}

WorkerRequest worker_request_from_json(const Json& json, const std::string& source) {
  WorkerRequest r;
  const auto task = json_get<std::string>(json, "task", source);
  const auto known = lookup_value(kTasks, task);
  if (!known) throw Error(fmt::format("{}: unknown task '{}'", source, task));
  r.task = *known;
  r.run_id = json_get<std::string>(json, "run_id", source);
  r.attempt = json_get<int>(json, "attempt", source);
  r.attempt_token = json_get<std::string>(json, "attempt_token", source);
  r.argv = json_get<std::vector<std::string>>(json, "argv", source);
  const Json environment = json_get<Json>(json, "environment", source);
  for (const auto& [name, value] : environment.items()) {
    if (!value.is_string())
      throw Error(fmt::format("{}: 'environment': the value of '{}' is no text", source, name));
    r.environment.emplace_back(name, value.get<std::string>());
  }
  const Json devices = json_get<Json>(json, "devices", source);
  r.devices.gpus = json_get<std::vector<std::string>>(devices, "gpus", source);
  r.devices.threads = json_get<int>(devices, "threads", source);
  r.devices.cpu_ids = json_get<std::vector<int>>(devices, "cpu_ids", source);
  r.order = json_get<std::string>(json, "order", source, "");
  r.save_gradients = json_get<bool>(json, "save_gradients", source, false);
  r.spec = run_spec_from_json(json_get<Json>(json, "spec", source), source);
  return r;
}

}  // namespace expctl
