#include "cli/check_inputs.h"

#include <fmt/core.h>

#include "core/error.h"
#include "formats/stored_bert.h"
#include "squad/overlap.h"
#include "squad/tokenizer.h"

namespace expctl {
namespace {

std::vector<std::string> check_overlap(const RunSpec& spec, const Dataset& train, const Dataset& dev) {
  const Overlap overlap = find_overlap(train, dev);
  if (!overlap.any()) return {};
  const std::string what =
      fmt::format("{} and {} share {} questions and {} contexts (e.g. '{}')", spec.train_data.path,
                  spec.dev_data.path, overlap.questions, overlap.contexts, overlap.example);
  if (spec.rules != "none")
    throw Error(what, fmt::format("rules = \"{}\" allow no dev data in training", spec.rules));
  return {what + ": the dev scores will say little"};
}

}  // namespace

std::vector<std::string> check_inputs(const RunSpec& spec) {
  Dataset train, dev;
  if (!spec.dev_data.path.empty()) dev = read_dataset(spec.dev_data.path);
  if (!spec.train_data.path.empty()) train = read_dataset(spec.train_data.path);
  if (!spec.is_command()) {
    check_answer_positions(train, spec.train_data.path);
    const StoredBert bert = open_stored_bert(spec.init.path);
    Vocabulary::parse(bert.vocabulary_text, spec.init.path);
  }
  return check_overlap(spec, train, dev);
}

}  // namespace expctl
