#include "cli/check_inputs.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "core/contest_rules.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/run_paths.h"
#include "core/text.h"
#include "formats/stored_bert.h"
#include "formats/teacher_file.h"
#include "runner/command_line.h"
#include "squad/official_data.h"
#include "squad/overlap.h"
#include "squad/tokenizer.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

std::vector<std::string> check_overlap(const RunSpec& spec, const ContestRules& rules, const Dataset& train,
                                       const Dataset& dev) {
  const Overlap overlap = find_overlap(train, dev);
  if (!overlap.any()) return {};
  const std::string what = overlap_text(spec.train_data.path, spec.dev_data.path, overlap);
  if (rules.dev_data_kept_out)
    throw Error(what, fmt::format("rules = \"{}\" allow no dev data in training", rules.name));
  return {what + ": the dev scores will say little"};
}

bool is_prescribed(const std::string& file, const Dataset& dataset, const OfficialData& official) {
  return file.empty() || !official.is_prescribed() ||
         match_official(file, dataset, official) != OfficialMatch::kOther;
}

/// What would make a submission of these runs fail, said before they are trained.
std::vector<std::string> check_rules(const RunSpec& spec, const ContestRules& rules, const Dataset& train,
                                     const Dataset& dev) {
  std::vector<std::string> warnings;
  const auto warn = [&](const std::string& path, const std::string& prescribed) {
    warnings.push_back(fmt::format(
        "{}: it is not the {} that the rules {} prescribe, so `expctl package` will refuse these runs", path,
        prescribed, rules.name));
  };
  if (!is_prescribed(spec.train_data.path, train, rules.train_data))
    warn(spec.train_data.path, rules.train_data.file);
  if (!is_prescribed(spec.dev_data.path, dev, rules.dev_data)) warn(spec.dev_data.path, rules.dev_data.file);
  for (const auto& [name, sha256] : rules.init_files) {
    if (spec.init.path.empty()) break;
    const fs::path file = fs::path(spec.init.path) / name;
    if (!is_unchanged(file, sha256)) {
      warn(file.string(), name);
      break;  // one of them is enough to say it
    }
  }
  return warnings;
}

/// A command may train on files of any form; then nothing can be said of them.
Dataset read_training_data(const RunSpec& spec) {
  try {
    return read_dataset(spec.train_data.path);
  } catch (const Error&) {
    if (spec.is_command()) return {};
    throw;
  }
}

void check_model(const std::vector<RunSpec>& specs) {
  const std::string& folder = specs.front().init.path;
  const StoredBert bert = open_stored_bert(folder);
  Vocabulary::parse(bert.vocabulary_text, CheckpointPaths{folder}.vocab().string());
  for (const auto& spec : specs) {
    for (const int64_t length : {spec.train.max_seq_length, spec.train.eval_max_seq_length})
      check_length(bert.config, length, bert.config_file.string());
    if (bert.has_head())
      check_head(bert.config, span_head_from(spec.train.head, "head"), bert.config_file.string());
  }
}

/// Before a run that would refuse it has waited for its turn.
void check_teachers(const std::vector<RunSpec>& specs, const Dataset& train) {
  const std::string sha256 = content_sha256(train);
  std::set<std::string> read;  // of each length and window once
  for (const auto& spec : specs) {
    if (!spec.teacher.path.empty() && read.insert(teacher_command(spec)).second) read_teacher(spec, sha256);
  }
}

/// Names parameters that no argument of the command has, "gpus" aside: whatever they are, it is the same job.
std::vector<std::string> warn_of_unused_parameters(const RunSpec& spec) {
  if (!spec.is_command()) return {};
  std::vector<std::string> unused;
  auto values = command_values(spec, "run1", "run_dir");
  for (const auto& [key, value] : spec.params.items()) {
    if (key == "gpus") continue;
    auto kept = values.extract(key);
    try {
      fill_command(spec.command.argv, values);
      unused.push_back("{" + key + "}");
    } catch (const Error&) {  // it is named
    }
    values.insert(std::move(kept));
  }
  if (unused.empty()) return {};
  return {
      fmt::format("no argument of the command has {}: such values make no difference, unless the program "
                  "reads them from request.json itself",
                  join(unused, ", "))};
}

bool looks_on_the_way(const std::vector<RunSpec>& specs) {
  return std::any_of(specs.begin(), specs.end(),
                     [](const RunSpec& spec) { return spec.train.eval_every > 0; });
}

}  // namespace

std::vector<std::string> check_inputs(const std::vector<RunSpec>& specs, bool needs_scores) {
  const RunSpec& spec = specs.front();
  Dataset train, dev;
  std::vector<std::string> warnings = warn_of_unused_parameters(spec);
  if (spec.dev_data.path.empty() && looks_on_the_way(specs))
    warnings.push_back("eval_every: there is no dev data to evaluate on, so it does nothing");
  if (!spec.dev_data.path.empty()) {
    dev = read_dataset(spec.dev_data.path);
    if (!dev.has_answers()) {
      const std::string what = spec.dev_data.path + ": it has questions without answers, so no run ";
      if (needs_scores || spec.early_stop.is_wanted())
        throw Error(what + "could be scored",
                    "method = \"tpe\" and [early_stop] go by scores: give data.dev with answers");
      warnings.push_back(what + "will be scored");
    }
  }
  if (!spec.train_data.path.empty()) train = read_training_data(spec);
  if (!spec.is_command()) {
    check_answer_positions(train, spec.train_data.path);
    check_model(specs);
    check_teachers(specs, train);
  }
  const ContestRules rules = find_contest_rules(spec.rules);
  for (auto& warning : check_overlap(spec, rules, train, dev)) warnings.push_back(std::move(warning));
  for (auto& warning : check_rules(spec, rules, train, dev)) warnings.push_back(std::move(warning));
  return warnings;
}

}  // namespace expctl
