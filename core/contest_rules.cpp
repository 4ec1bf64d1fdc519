#include "core/contest_rules.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/embedded_file.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"

namespace expctl {

const std::vector<EmbeddedFile>& embedded_rules();  // cmake/embed_files.cmake

namespace {
namespace fs = std::filesystem;

void refuse_unknown(const Json& json, const std::vector<std::string>& known, const std::string& source) {
  if (!json.is_object()) throw Error(fmt::format("{}: it is no object", source));
  for (const auto& [key, value] : json.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw Error(fmt::format("{}: unknown member '{}'{}", source, key, did_you_mean(key, known)));
  }
}

OfficialData data_from(const Json& profile, const char* key, const std::string& source) {
  if (!profile.contains(key)) return {};
  const std::string here = fmt::format("{}: '{}'", source, key);
  refuse_unknown(profile[key], {"file", "sha256", "articles_sha256"}, here);
  return {json_get<std::string>(profile[key], "file", here),
          json_get<std::string>(profile[key], "sha256", here, ""),
          json_get<std::string>(profile[key], "articles_sha256", here, "")};
}

void check_counts(const ContestRules& rules, const std::string& source) {
  if (rules.top != 0 && rules.average > rules.top)
    throw Error(fmt::format("{}: the mean of the best {} of {} entries is not defined", source, rules.average,
                            rules.top));
}

/// A folder beside the others, one for each rank.
void check_entry_folder(const ContestRules& rules, const std::string& source) {
  const bool plain = !rules.entry_folder.starts_with('.') &&
                     rules.entry_folder.find('/') == std::string::npos &&
                     rules.entry_folder.find("{rank}") != std::string::npos;
  if (!plain)
    throw Error(fmt::format("{}: 'entry_folder' is '{}'", source, rules.entry_folder),
                "a name with {rank} in it, without a slash");
}

/// Names of the program's own stand for those alone.
ContestRules read_profile(const std::string& file) {
  const ContestRules rules = parse_contest_rules(read_file(file), file);
  const auto known = contest_names();
  if (std::find(known.begin(), known.end(), rules.name) == known.end()) return rules;
  throw Error(fmt::format("{}: the name '{}' is that of a profile of expctl's own", file, rules.name),
              "give it another name");
}

}  // namespace

std::vector<std::string> contest_names() {
  std::vector<std::string> names;
  for (const auto& file : embedded_rules()) names.push_back(fs::path(file.name).stem().string());
  return names;
}

ContestRules find_contest_rules(const std::string& name_or_file) {
  for (const auto& file : embedded_rules()) {
    if (fs::path(file.name).stem() == name_or_file)
      return parse_contest_rules(file.content, fmt::format("the profile {}", name_or_file));
  }
  std::error_code unreadable;
  if (fs::is_regular_file(name_or_file, unreadable)) return read_profile(name_or_file);
  throw Error(fmt::format("{}: no such profile of rules{}", name_or_file,
                          did_you_mean(name_or_file, contest_names())),
              fmt::format("there are {}; another contest's rules are a JSON file (docs/submission.md)",
                          join(contest_names(), " and ")),
              ErrorCode::kNotFound);
}

ContestRules parse_contest_rules(std::string_view text, const std::string& source) {
  const Json json = parse_json(text, source);
  refuse_unknown(json,
                 {"name", "title", "top", "average", "evaluation", "entry_folder", "items", "architecture",
                  "changed_head", "vocabulary_sha256", "init_files", "train_data", "dev_data",
                  "whole_model_trained", "dev_data_kept_out", "unprovable"},
                 source);
  ContestRules rules;
  rules.text = text;
  rules.name = json_get<std::string>(json, "name", source);
  rules.title = json_get<std::string>(json, "title", source, "");
  rules.top = json_get<size_t>(json, "top", source, rules.top);
  rules.average = json_get<size_t>(json, "average", source, rules.average);
  rules.evaluation = json_get<std::string>(json, "evaluation", source, rules.evaluation);
  rules.entry_folder = json_get<std::string>(json, "entry_folder", source, rules.entry_folder);
  rules.items = json_get<std::vector<std::string>>(json, "items", source, {});
  rules.architecture = json_get<Json>(json, "architecture", source, Json::object());
  rules.changed_head = json_get<std::string>(json, "changed_head", source, "");
  rules.vocabulary_sha256 = json_get<std::string>(json, "vocabulary_sha256", source, "");
  rules.init_files = json_get<std::map<std::string, std::string>>(json, "init_files", source, {});
  rules.train_data = data_from(json, "train_data", source);
  rules.dev_data = data_from(json, "dev_data", source);
  rules.whole_model_trained = json_get<bool>(json, "whole_model_trained", source, false);
  rules.dev_data_kept_out = json_get<bool>(json, "dev_data_kept_out", source, false);
  rules.unprovable = json_get<std::vector<std::string>>(json, "unprovable", source, {});
  if (!rules.architecture.is_object())
    throw Error(fmt::format("{}: 'architecture' is no object", source),
                "members of config.json and their values");
  check_counts(rules, source);
  check_entry_folder(rules, source);
  return rules;
}

}  // namespace expctl
