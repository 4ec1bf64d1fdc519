#include "runner/command_line.h"

#include <fmt/core.h>

#include "core/error.h"
#include "core/text.h"

namespace expctl {
namespace {

/// A file that the sweep file may name.
struct NamedInput {
  std::string_view key;    ///< what stands for it in an argument
  std::string_view named;  ///< where the sweep file names it
  Input RunSpec::*input;
};
constexpr NamedInput kInputs[] = {{"train_file", "[data] train", &RunSpec::train_data},
                                  {"dev_file", "[data] dev", &RunSpec::dev_data},
                                  {"init_dir", "[model] init", &RunSpec::init}};

std::string fill_argument(const std::string& argument, const std::map<std::string, std::string>& values) {
  std::string filled;
  for (size_t i = 0; i < argument.size(); ++i) {
    if (argument[i] != '{') {
      filled += argument[i];
      continue;
    }
    if (i + 1 < argument.size() && argument[i + 1] == '{') {
      filled += '{';
      ++i;
      continue;
    }
    const auto end = argument.find('}', i);
    if (end == std::string::npos) {
      throw Error(fmt::format("command argument '{}': '{{' without '}}'", argument), "write {{ for a brace");
    }
    const std::string key = argument.substr(i + 1, end - i - 1);
    const auto value = values.find(key);
    if (value == values.end()) {
      for (const auto& input : kInputs) {
        if (input.key == key)
          throw Error(fmt::format("command argument '{}': the sweep file names no {}", argument, input.named),
                      fmt::format("{{{}}} stands for it", key));
      }
      std::vector<std::string> known;
      for (const auto& [name, ignored] : values) known.push_back(name);
      throw Error(
          fmt::format("command argument '{}': unknown key '{}'{}", argument, key, did_you_mean(key, known)),
          fmt::format("it may name {}; write {{{{ for a brace", join(known, ", ")));
    }
    filled += value->second;
    i = end;
  }
  return filled;
}

}  // namespace

std::map<std::string, std::string> command_values(const RunSpec& spec, const std::string& run_id,
                                                  const std::string& run_dir) {
  std::map<std::string, std::string> values;
  values["sweep_dir"] = spec.config_folder;
  // A file that the sweep does not name has no value: a command must not get an empty word in its place.
  for (const auto& [key, named, input] : kInputs) {
    if (!(spec.*input).path.empty()) values[std::string(key)] = (spec.*input).path;
  }
  for (const auto& [key, value] : spec.params.items()) values[key] = scalar_text(value);
  values["seed"] = std::to_string(spec.train.seed);
  values["run_id"] = run_id;
  values["run_dir"] = run_dir;
  return values;
}

std::vector<std::string> fill_command(const std::vector<std::string>& argv,
                                      const std::map<std::string, std::string>& values) {
  std::vector<std::string> filled;
  for (const auto& argument : argv) filled.push_back(fill_argument(argument, values));
  return filled;
}

}  // namespace expctl
