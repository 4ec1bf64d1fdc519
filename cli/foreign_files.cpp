#include "cli/foreign_files.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "core/text.h"
#include "formats/logits_file.h"
#include "formats/stored_bert.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

using Files = std::vector<fs::path>;

constexpr std::string_view kPredictions = "predictions";

Files regular_files(const fs::path& folder, const std::string& pattern) {
  Files files = find_files(folder, pattern);
  std::erase_if(files, [](const fs::path& file) { return !fs::is_regular_file(file); });
  return files;
}

/// What a person may have meant: the predictions of other names, n-best left out.
std::vector<std::string> other_predictions(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& file : regular_files(folder, "*predictions*.json")) {
    const std::string name = file.filename().string();
    if (name.find("nbest") == std::string::npos) names.push_back(name);
  }
  return names;
}

fs::path find_predictions(const ForeignPlace& place) {
  const std::string name = place.predictions.empty() ? "predictions.json" : place.predictions;
  if (fs::is_regular_file(place.from / name)) return place.from / name;
  const auto others = other_predictions(place.from);
  throw Error(fmt::format("{}: there is no {} in it", place.from.string(), name),
              others.empty()
                  ? "a folder that holds a {question id: text} file is wanted; --predictions names it"
                  : fmt::format("--predictions names one of {}", join(others, ", ")),
              ErrorCode::kNotFound);
}

/// eval_predictions.json has eval_nbest_predictions.json beside it.
std::optional<fs::path> find_nbest(const ForeignPlace& place, const fs::path& predictions) {
  if (!place.nbest.empty()) return place.from / place.nbest;
  std::string name = predictions.filename().string();
  const auto word = name.find(kPredictions);
  if (word == std::string::npos) return std::nullopt;
  const fs::path nbest = predictions.parent_path() / name.insert(word, "nbest_");
  return fs::is_regular_file(nbest) ? std::optional(nbest) : std::nullopt;
}

Files find_logs(const ForeignPlace& place) {
  if (!place.logs.empty()) return regular_files(place.from, place.logs);
  Files logs;
  for (const char* pattern : {"*.log", "logs/*.log", "logs/*.txt"}) {
    const Files some = regular_files(place.from, pattern);
    logs.insert(logs.end(), some.begin(), some.end());
  }
  return logs;
}

fs::path find_checkpoint(const ForeignPlace& place) {
  if (!place.checkpoint.empty()) return place.from / place.checkpoint;
  if (fs::is_directory(place.from / "checkpoint")) return place.from / "checkpoint";
  return is_stored_bert(place.from) ? place.from : fs::path();
}

/// Of the folder itself its own files but those that are something else, without the subfolders, which hold a
/// trainer's earlier checkpoints.
Files checkpoint_files(const ForeignPlace& place, const ForeignFiles& found) {
  Files files;
  if (found.checkpoint.empty()) return files;
  if (!fs::equivalent(found.checkpoint, place.from)) {
    for (const auto& entry : fs::recursive_directory_iterator(found.checkpoint)) {
      if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(found.checkpoint));
    }
  } else {
    Files others = found.logs;
    others.push_back(found.predictions);
    for (const auto& other : {found.nbest, found.logits, found.command}) {
      if (other) others.push_back(*other);
    }
    for (const auto& entry : fs::directory_iterator(found.checkpoint)) {
      const auto is_entry = [&](const fs::path& file) { return fs::equivalent(file, entry.path()); };
      if (entry.is_regular_file() && std::none_of(others.begin(), others.end(), is_entry))
        files.push_back(entry.path().filename());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// What was named has to be there.
void check_named(const ForeignPlace& place, const ForeignFiles& found) {
  const auto refuse = [&](const std::string& option, const std::string& name) {
    throw Error(fmt::format("{} {}: there is none in {}", option, name, place.from.string()), "",
                ErrorCode::kNotFound);
  };
  if (!place.nbest.empty() && !fs::is_regular_file(*found.nbest)) refuse("--nbest", place.nbest);
  if (!place.logs.empty() && found.logs.empty()) refuse("--logs", place.logs);
  if (!place.checkpoint.empty() && !fs::is_directory(found.checkpoint))
    refuse("--checkpoint", place.checkpoint);
}

ForeignFiles only_predictions(const ForeignPlace& place) {
  for (const auto& [option, name] : {std::pair("--predictions", place.predictions),
                                     {"--nbest", place.nbest},
                                     {"--checkpoint", place.checkpoint},
                                     {"--logs", place.logs}}) {
    if (name.empty()) continue;
    throw Error(fmt::format("{} {}: {} is a file", option, name, place.from.string()),
                "what is named so is looked for in a folder", ErrorCode::kUsage);
  }
  ForeignFiles found;
  found.predictions = place.from;
  return found;
}

/// One log is copied as it is; of several each follows a line with its name.
void write_log(const Files& logs, const fs::path& to) {
  if (logs.empty()) return;
  if (logs.size() == 1) return expctl::copy_file(logs.front(), to);
  std::string text;
  for (const auto& log : logs) {
    text += fmt::format("==> {} <==\n{}", log.filename().string(), read_file(log));
    if (!text.ends_with('\n')) text += '\n';
  }
  write_file(to, text);
}

}  // namespace

ForeignFiles find_foreign_files(const ForeignPlace& place) {
  if (!fs::exists(place.from)) {
    throw Error(fmt::format("{}: no such folder or file", place.from.string()),
                "give the folder that the program wrote, or its predictions", ErrorCode::kNotFound);
  }
  if (!fs::is_directory(place.from)) return only_predictions(place);
  ForeignFiles found;
  found.predictions = find_predictions(place);
  found.nbest = find_nbest(place, found.predictions);
  found.logs = find_logs(place);
  found.checkpoint = find_checkpoint(place);
  check_named(place, found);
  const RunPaths own{place.from};
  if (fs::is_regular_file(own.logits())) found.logits = own.logits();
  if (fs::is_regular_file(own.command())) found.command = own.command();
  found.checkpoint_files = checkpoint_files(place, found);
  return found;
}

void take_foreign_files(const ForeignFiles& files, const RunPaths& to) {
  if (files.nbest) {
    if (!read_json(*files.nbest).is_object())
      throw Error(fmt::format("{}: not an object of question ids and answers", files.nbest->string()));
    expctl::copy_file(*files.nbest, to.nbest());
  }
  if (files.logits) {
    read_logits(*files.logits);
    expctl::copy_file(*files.logits, to.logits());
  }
  if (files.command) expctl::copy_file(*files.command, to.command());
  write_log(files.logs, to.log());
  for (const auto& file : files.checkpoint_files) {
    make_folder((to.checkpoint() / file).parent_path());
    expctl::copy_file(files.checkpoint / file, to.checkpoint() / file);
  }
}

}  // namespace expctl
