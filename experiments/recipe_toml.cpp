#include "experiments/recipe_toml.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace expctl {
namespace {

/// Keys that are said even where the default is the same: they are what one looks for.
constexpr std::string_view kAlwaysSaid[] = {
    "epochs",     "batch_size", "learning_rate",    "warmup_ratio", "max_seq_length",
    "doc_stride", "window",     "max_query_length", "decode",       "precision"};

/// A TOML basic string: JSON's escapes are among TOML's. Throws Error where it is not UTF-8.
std::string quoted(const std::string& text) {
  std::string json;
  try {
    json = Json(text).dump();
  } catch (const nlohmann::json::exception&) {
    throw Error(fmt::format("{}: not UTF-8, so no sweep file can hold it", json_line(text)));
  }
  std::string out;
  for (const char c : json) out += c == '\x7f' ? std::string("\\u007F") : std::string(1, c);
  return out;
}

/// A text within a comment: control characters, which TOML does not allow there, as escapes.
std::string in_comment(const std::string& text) {
  const std::string escaped = quoted(text);
  const bool is_plain = std::none_of(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
  return is_plain ? text : escaped;
}

std::string comment_list(const std::string& heading, const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  std::string text = fmt::format("#\n# {}:\n", heading);
  for (const auto& line : lines) text += fmt::format("#   {}\n", in_comment(line));
  return text;
}

std::string value_text(const Json& value) {
  if (value.is_number_float()) return format_number(value.get<double>());
  return value.is_string() ? quoted(value.get<std::string>()) : json_line(value);
}

std::string train_table(const TrainSpec& train) {
  std::string text = "[train]\n";
  for (const auto& key : train_keys()) {
    const Json value = get_train_key(train, key);
    const bool is_said =
        std::find(std::begin(kAlwaysSaid), std::end(kAlwaysSaid), key.name) != std::end(kAlwaysSaid);
    if (is_said || value != get_train_key(TrainSpec{}, key))
      text += fmt::format("{} = {}\n", key.name, value_text(value));
  }
  return text;
}

}  // namespace

std::string recipe_toml(const Recipe& recipe, const std::string& name) {
  std::string text = fmt::format("# From the command line of {} in {}, by expctl import-recipe.\n",
                                 recipe.program, in_comment(recipe.place));
  text += "# Paths are as they were there: they are taken from the folder of this file.\n";
  text += comment_list("What values are made of", recipe.notes);
  text += comment_list("Could not be mapped", recipe.unmapped);
  text += comment_list("Needs no key", recipe.implied);
  text += fmt::format("name = {}\n\n[data]\ntrain = {}\ndev = {}\n\n[model]\ninit = {}\n\n", quoted(name),
                      quoted(recipe.train_file), quoted(recipe.dev_file), quoted(recipe.init));
  text += train_table(recipe.train);
  text += fmt::format("\n[resources]\ngpus = {}\n", recipe.gpus);
  return text;
}

}  // namespace expctl
