// `expctl score DATASET PREDICTIONS`: the official evaluation of SQuAD 1.1, digit for digit.
#include <fmt/core.h>

#include <future>

#include "cli/verbs.h"
#include "core/error.h"
#include "squad/scoring.h"

namespace expctl {
namespace {

/// The two files are easily mistaken for each other.
bool is_dataset(const std::string& file) {
  try {
    return !read_dataset(file).articles.empty();
  } catch (const Error&) {
    return false;
  }
}

int run_score(const std::string& dataset_file, const std::string& predictions_file) {
  auto reading = std::async(std::launch::async, [&] { return read_predictions(predictions_file); });
  const Dataset dataset = [&] {
    try {
      return read_dataset(dataset_file);
    } catch (const Error& e) {
      if (e.code() == ErrorCode::kNotFound || !is_dataset(predictions_file)) throw;
      throw Error(e.what(), "PREDICTIONS is {question id: text}; the dataset comes first", e.code());
    }
  }();
  const Predictions predictions = reading.get();
  if (!dataset.has_answers()) {
    throw Error(fmt::format("{}: it has questions without answers", dataset_file),
                "unseen questions cannot be scored");
  }
  if (dataset.version != "1.1") {
    fmt::print(stderr, "Evaluation expects v-1.1, but got dataset with v-{}\n", dataset.version);
  }
  const Score score = score_predictions(dataset, predictions);
  for (const auto& question : score.questions) {
    if (!question.answered) fmt::print(stderr, "Unanswered question {} will receive score 0.\n", question.id);
  }
  fmt::print("{}", score_line(score));
  return 0;
}

}  // namespace

void add_score(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("score", "Score predictions as the official evaluate-v1.1.py does");
  verb->footer("Example: expctl score dev-v1.1.json runs/run3/predictions.json");
  struct Options {
    std::string dataset, predictions;
  };
  auto options = std::make_shared<Options>();
  verb->add_option("DATASET", options->dataset, "SQuAD 1.1 file with answers")->required();
  verb->add_option("PREDICTIONS", options->predictions, "{question id: text}")->required();
  on_call(verb, program, [options] { return run_score(options->dataset, options->predictions); });
}

}  // namespace expctl
