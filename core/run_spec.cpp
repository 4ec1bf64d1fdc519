#include "core/run_spec.h"

#include <fmt/core.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/text.h"

namespace expctl {
namespace {

Json input_json(const Input& input) {
  return {{"path", input.path}, {"sha256", input.sha256}};
}

Input input_from(const Json& json, const std::string& source) {
  return {json_get<std::string>(json, "path", source), json_get<std::string>(json, "sha256", source)};
}

Json command_json(const CommandSpec& c) {
  return {{"argv", c.argv},
          {"predictions", c.predictions},
          {"nbest", c.nbest},
          {"checkpoint", c.checkpoint},
          {"logs", c.logs}};
}

CommandSpec command_from(const Json& json, const std::string& source) {
  const auto text = [&](const char* key) { return json_get<std::string>(json, key, source, ""); };
  return {json_get<std::vector<std::string>>(json, "argv", source), text("predictions"), text("nbest"),
          text("checkpoint"), text("logs")};
}

Json resources_json(const ResourceSpec& r) {
  return {{"gpus", r.gpus},
          {"cpus", r.cpus},
          {"runs_per_gpu", r.runs_per_gpu},
          {"visible_devices", r.visible_devices},
          {"timeout_s", r.timeout_s},
          {"retries", r.retries}};
}

}  // namespace

ResourceSpec resource_spec_from_json(const Json& json, const std::string& source) {
  const ResourceSpec d;
  return {json_get<int64_t>(json, "gpus", source, d.gpus),
          json_get<int64_t>(json, "cpus", source, d.cpus),
          json_get<int64_t>(json, "runs_per_gpu", source, d.runs_per_gpu),
          json_get<std::string>(json, "visible_devices", source, d.visible_devices),
          json_get<double>(json, "timeout_s", source, d.timeout_s),
          json_get<int64_t>(json, "retries", source, d.retries)};
}

Json to_json(const ExecutorSpec& e) {
  return {{"kind", e.kind},     {"partition", e.partition},       {"account", e.account},
          {"time_s", e.time_s}, {"max_parallel", e.max_parallel}, {"extra", e.extra}};
}

ExecutorSpec executor_spec_from_json(const Json& json, const std::string& source) {
  const ExecutorSpec d;
  return {json_get<std::string>(json, "kind", source, d.kind),
          json_get<std::string>(json, "partition", source, d.partition),
          json_get<std::string>(json, "account", source, d.account),
          json_get<double>(json, "time_s", source, d.time_s),
          json_get<int64_t>(json, "max_parallel", source, d.max_parallel),
          json_get<std::vector<std::string>>(json, "extra", source, d.extra)};
}

Json to_json(const RunSpec& spec) {
  Json json = {{"name", spec.name},
               {"params", spec.params},
               {"train", to_json(spec.train)},
               {"data", {{"train", input_json(spec.train_data)}, {"dev", input_json(spec.dev_data)}}},
               {"model", {{"init", input_json(spec.init)}}},
               {"command", command_json(spec.command)},
               {"resources", resources_json(spec.resources)},
               {"executor", to_json(spec.executor)},
               {"contest", {{"rules", spec.rules}}},
               {"config_commit", spec.config_commit},
               {"config_folder", spec.config_folder}};
  if (!spec.teacher.path.empty()) json["data"]["teacher"] = input_json(spec.teacher);
  if (spec.early_stop.is_wanted()) json["early_stop"] = to_json(spec.early_stop);
  return json;
}

RunSpec run_spec_from_json(const Json& json, const std::string& source) {
  const auto part = [&](const Json& object, const char* key) { return json_get<Json>(object, key, source); };
  const Json data = part(json, "data");
  RunSpec spec;
  spec.name = json_get<std::string>(json, "name", source);
  spec.params = part(json, "params");
  spec.train = train_spec_from_json(part(json, "train"), source);
  spec.train_data = input_from(part(data, "train"), source);
  spec.dev_data = input_from(part(data, "dev"), source);
  if (data.contains("teacher")) spec.teacher = input_from(data["teacher"], source);
  spec.init = input_from(part(part(json, "model"), "init"), source);
  spec.command = command_from(part(json, "command"), source);
  spec.resources = resource_spec_from_json(part(json, "resources"), source);
  // Runs of before there were others are local.
  spec.executor = executor_spec_from_json(json_get<Json>(json, "executor", source, Json::object()), source);
  spec.early_stop = early_stop_from_json(json_get<Json>(json, "early_stop", source, Json::object()), source);
  spec.rules = json_get<std::string>(part(json, "contest"), "rules", source);
  spec.config_commit = json_get<std::string>(json, "config_commit", source, "");
  spec.config_folder = json_get<std::string>(json, "config_folder", source, "");
  return spec;
}

void check_teacher(const RunSpec& spec) {
  const bool is_wanted = spec.train.distillation > 0, is_there = !spec.teacher.path.empty();
  if (is_wanted && !is_there) {
    throw Error(fmt::format("distillation = {}: there is no teacher to learn from",
                            format_number(spec.train.distillation)),
                "[data] teacher names a logits file of the training data (docs/training.md)");
  }
  if (is_there && !is_wanted) {
    throw Error(
        fmt::format("teacher = \"{}\": nothing is learned from it with distillation = 0", spec.teacher.path),
        "distillation is the part of the loss that is by the teacher, at most 1");
  }
}

std::string config_hash(const RunSpec& spec) {
  Json train = to_json(spec.train);
  // The seed is the other half of a run's identity. Seeds that follow it (resolve() filled them in) are no
  // part of the config.
  train.erase("seed");
  for (const char* key : {"seed_init", "seed_data", "seed_dropout"}) {
    if (train[key] == spec.train.seed) train[key] = -1;
  }
  // Keys that others came before are no part of it where they have their default: what was hashed without
  // them stays the same config.
  if (spec.train.distillation == 0) train.erase("distillation");
  Json identity = {{"data", {spec.train_data.sha256, spec.dev_data.sha256}}, {"init", spec.init.sha256}};
  if (!spec.teacher.path.empty()) identity["teacher"] = spec.teacher.sha256;
  if (spec.is_command()) {
    identity["command"] = command_json(spec.command);
    identity["params"] = nlohmann::json(spec.params);  // sorted: keys in another order are the same config
  } else {
    identity["train"] = train;
  }
  return sha256(json_line(identity));
}

}  // namespace expctl
