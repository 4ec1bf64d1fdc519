#include "experiments/sweep_file.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/contest_rules.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "experiments/own_options.h"
#include "experiments/space_toml.h"
#include "experiments/toml_table.h"
#include "experiments/value_places.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

std::string absolute_path(const std::string& path, const fs::path& folder) {
  return path.empty() ? "" : fs::absolute(folder / path).lexically_normal().string();
}

/// A profile's name, or the absolute path of its file.
std::string read_rules(TomlTable& contest, const fs::path& folder) {
  const std::string rules = contest.text("rules", "none");
  const auto known = contest_names();
  if (std::find(known.begin(), known.end(), rules) != known.end()) return rules;
  const fs::path file = (folder / rules).lexically_normal();
  std::error_code unreadable;  // a text of any length may stand there
  if (fs::is_regular_file(file, unreadable)) return file.string();
  contest.refuse(*contest.find("rules"), fmt::format("rules = \"{}\": neither a profile ({}) nor a file{}",
                                                     rules, join(known, ", "), did_you_mean(rules, known)));
}

void read_train(TomlTable table, TrainSpec& spec) {
  table.allow(train_key_names());
  table.refuse_unknown_keys();
  for (const auto& [name, node] : table.entries()) set_key(spec, *find_train_key(name), *node, table);
}

/// "2h", "90m", "45s" or a number of seconds.
double read_time(TomlTable& table, const std::string& key) {
  const toml::node* node = table.find(key);
  if (node == nullptr) return 0;
  double seconds = -1;
  if (node->is_integer()) seconds = static_cast<double>(node->as_integer()->get());
  if (node->is_string()) seconds = parse_duration(node->as_string()->get()).value_or(-1);
  constexpr double kLongest_s = 1e9;
  if (!(seconds > 0 && seconds < kLongest_s)) {
    table.refuse(*node, fmt::format("'{}' must be a time as \"2h\", \"90m\" or \"45s\"", table.label(key)));
  }
  return seconds;
}

ResourceSpec read_resources(TomlTable table) {
  ResourceSpec resources;
  resources.gpus = table.integer("gpus", resources.gpus, 0);
  resources.cpus = table.integer("cpus", resources.cpus, 0);
  resources.runs_per_gpu = table.integer("runs_per_gpu", resources.runs_per_gpu, 1);
  resources.visible_devices = table.choice("visible_devices", resources.visible_devices, {"uuid", "index"});
  resources.timeout_s = read_time(table, "timeout");
  resources.retries = table.integer("retries", resources.retries, 0);
  table.refuse_unknown_keys();
  return resources;
}

ExecutorSpec read_executor(TomlTable table) {
  ExecutorSpec executor;
  executor.kind = table.choice("kind", executor.kind, {"local", "slurm", "pbs"});
  executor.partition = table.text("partition", "");
  executor.account = table.text("account", "");
  executor.time_s = read_time(table, "time");
  executor.max_parallel = table.integer("max_parallel", 0, 0);
  executor.extra = table.texts("extra");
  for (const auto& option : executor.extra) {
    if (!option.starts_with('-') || option.find_first_of("\r\n") != std::string::npos)
      table.refuse(*table.find("extra"), fmt::format("'{}' is not an option of the job script", option),
                   "extra = [\"--qos=low\", \"-l place=excl\"]: each one line");
  }
  if (const std::string own = own_option_in(executor); !own.empty())
    table.refuse(*table.find("extra"), own_option_text(own));
  for (const char* key : {"partition", "account"}) {
    if (table.text(key, "").find_first_of(" \t\r\n\"'") != std::string::npos)
      table.refuse(*table.find(key), fmt::format("'{}' holds a space or a quote", table.label(key)));
  }
  table.refuse_unknown_keys();
  return executor;
}

EarlyStopSpec read_early_stop(TomlTable table, bool is_command) {
  EarlyStopSpec early_stop;
  if (table.node() == nullptr) return early_stop;
  if (is_command)
    table.refuse(*table.node(), "only trainings of expctl-train can be stopped early",
                 "take [early_stop] out");
  early_stop.method = table.choice("method", "asha", {"none", "asha"});
  early_stop.min_fraction = table.number("min_fraction", early_stop.min_fraction);
  if (!(early_stop.min_fraction > 0 && early_stop.min_fraction < 1))
    table.refuse(
        *table.find("min_fraction"),
        fmt::format("min_fraction = {}: must be greater than 0 and less than 1", early_stop.min_fraction));
  early_stop.reduction = table.integer("reduction", early_stop.reduction, 2);
  table.refuse_unknown_keys();
  return early_stop;
}

/// A path or glob that stays in the run folder.
std::string read_pattern(TomlTable& table, const std::string& key, const std::string& fallback) {
  const std::string pattern = table.text(key, fallback);
  const auto parts = split(pattern, '/');
  if (pattern.starts_with('/') || std::find(parts.begin(), parts.end(), "..") != parts.end())
    table.refuse(*table.find(key), fmt::format("'{}' must lie in the run folder", table.label(key)));
  return pattern;
}

CommandSpec read_command(TomlTable table) {
  CommandSpec command;
  if (table.node() == nullptr) return command;
  command.argv = table.texts("argv");
  if (command.argv.empty() || command.argv[0].empty()) {
    table.refuse(*table.node(), "'command.argv' is missing or empty",
                 "argv = [\"python3\", \"train.py\", ...]; without [command] expctl-train runs");
  }
  command.predictions = read_pattern(table, "predictions", "predictions.json");
  command.nbest = read_pattern(table, "nbest", "nbest_predictions.json");
  command.checkpoint = read_pattern(table, "checkpoint", "");
  command.logs = read_pattern(table, "logs", "");
  table.refuse_unknown_keys();
  return command;
}

void read_inputs(TomlTable& root, SweepSpec& sweep, const fs::path& folder) {
  TomlTable data = root.table("data"), model = root.table("model");
  sweep.base.train_data.path = absolute_path(data.text("train", ""), folder);
  sweep.base.dev_data.path = absolute_path(data.text("dev", ""), folder);
  sweep.base.teacher.path = absolute_path(data.text("teacher", ""), folder);
  sweep.base.init.path = absolute_path(model.text("init", ""), folder);
  data.refuse_unknown_keys();
  model.refuse_unknown_keys();
  if (sweep.base.is_command()) return;
  const std::pair<const char*, const Input*> needed[] = {{"data.train", &sweep.base.train_data},
                                                         {"data.dev", &sweep.base.dev_data},
                                                         {"model.init", &sweep.base.init}};
  for (const auto& [name, input] : needed) {
    if (input->path.empty())
      throw Error(fmt::format("{}: '{}' is missing", root.source(), name),
                  "a run of expctl-train needs [data] train and dev and [model] init");
  }
}

/// Throws at the one of a teacher and its part of the loss that is without the other.
void check_distillation(TomlTable& root, const SweepSpec& sweep) {
  constexpr const char* kKey = "distillation";
  TomlTable data = root.table("data"), train = root.table("train");
  TomlTable space = root.table("sweep").table("space");
  const toml::node* swept = sweep.base.is_command() ? nullptr : space.find(kKey);
  const bool is_wanted = swept != nullptr || sweep.base.train.distillation > 0;
  if (!sweep.base.teacher.path.empty() && !is_wanted) {
    data.refuse(*data.find("teacher"), "'data.teacher': nothing is learned from it without distillation",
                "[train] distillation = 0.5 is the part of the loss that is by the teacher");
  }
  if (sweep.base.teacher.path.empty() && is_wanted) {
    const TomlTable& at = swept != nullptr ? space : train;
    at.refuse(swept != nullptr ? *swept : *train.find(kKey), "distillation needs a teacher",
              "[data] teacher = \"logits.safetensors\", of the training data (docs/training.md)");
  }
}

SweepSpec read_root(TomlTable root, const fs::path& folder) {
  // First, so that a table whose name is misspelt is not said to be missing.
  root.allow({"name", "data", "model", "train", "sweep", "early_stop", "resources", "executor", "command",
              "contest"});
  root.refuse_unknown_keys();
  SweepSpec sweep;
  sweep.source = root.source();
  sweep.name = root.text("name", fs::path(root.source()).stem().string());
  sweep.base.name = sweep.name;
  sweep.base.command = read_command(root.table("command"));
  read_inputs(root, sweep, folder);
  read_train(root.table("train"), sweep.base.train);
  read_search(root.table("sweep"), sweep);
  check_distillation(root, sweep);
  sweep.base.resources = read_resources(root.table("resources"));
  sweep.base.early_stop = read_early_stop(root.table("early_stop"), sweep.base.is_command());
  sweep.base.executor = read_executor(root.table("executor"));
  TomlTable contest = root.table("contest");
  sweep.base.rules = read_rules(contest, folder);
  contest.refuse_unknown_keys();
  return sweep;
}

toml::table parse_toml(std::string_view text, const std::string& source) {
  if (text.find('\0') != std::string_view::npos)
    throw Error(fmt::format("{}: a NUL byte in it, so it is no TOML", source));
  try {
    return toml::parse(text, std::string_view(source));
  } catch (const toml::parse_error& e) {
    throw_at(source, e.source(), fmt::format("not valid TOML: {}", e.description()));
  }
}

}  // namespace

SweepSpec parse_sweep(std::string_view text, const std::string& source, const fs::path& folder) {
  const toml::table table = parse_toml(text, source);
  SweepSpec sweep = read_root(TomlTable(&table, "", source), folder);
  sweep.places = value_places(table);
  return sweep;
}

SweepSpec read_sweep(const fs::path& path) {
  return parse_sweep(read_file(path), path.string(), fs::absolute(path).parent_path());
}

void apply_setting(SweepSpec& sweep, const std::string& setting) {
  const std::string key = setting.substr(0, setting.find('='));
  const bool is_command = sweep.base.is_command();
  const auto axis = std::find_if(sweep.space.begin(), sweep.space.end(),
                                 [&](const SweepAxis& swept) { return swept.key == key; });
  if (is_command && key != "seed") {
    if (axis == sweep.space.end())
      throw Error(fmt::format("--set {}: the command's file sweeps no such key", setting),
                  "a command is given the keys of [sweep.space] and the seed", ErrorCode::kUsage);
    if (const std::string fault = fault_of_value(key, setting_value(setting)); !fault.empty())
      throw Error(fmt::format("--set {}: {}", setting, fault), "", ErrorCode::kUsage);
  } else {
    apply_setting(sweep.base.train, setting);
  }
  if (key == "seed") {
    sweep.seeds = {sweep.base.train.seed};
  } else {
    const Json value =
        is_command ? setting_value(setting) : get_train_key(sweep.base.train, *find_train_key(key));
    if (axis != sweep.space.end())
      *axis = {key, {value}};
    else
      sweep.space.push_back({key, {value}});
    for (const char* table : {"train.", "sweep.space."}) sweep.places.erase(table + key);
  }
  const bool is_fixed = std::all_of(sweep.space.begin(), sweep.space.end(),
                                    [](const SweepAxis& swept) { return swept.values.size() == 1; });
  if (is_fixed) sweep.method = SweepMethod::kGrid;
}

}  // namespace expctl
