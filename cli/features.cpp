// `expctl features DATASET --vocab FILE`: counts the windows over a dataset, or writes every one of them.
#include "squad/features.h"

#include <fmt/core.h>

#include "cli/verbs.h"
#include "core/json.h"

namespace expctl {
namespace {

struct Options {
  std::string dataset, vocab, window = "overlap";
  FeatureOptions features;
  bool dump = false;
};

std::vector<std::string> question_ids(const Dataset& dataset) {
  std::vector<std::string> ids;
  for (const auto& article : dataset.articles) {
    for (const auto& paragraph : article.paragraphs) {
      for (const auto& question : paragraph.questions) ids.push_back(question.id);
    }
  }
  return ids;
}

void dump(const Dataset& dataset, const std::vector<Feature>& features) {
  const auto ids = question_ids(dataset);
  for (const auto& feature : features) {
    fmt::print("{}\n", json_line({{"question_id", ids[static_cast<size_t>(feature.question)]},
                                  {"input_ids", feature.input_ids},
                                  {"offsets", feature.offsets}}));
  }
}

int run_features(Options options) {
  options.features.window = options.window == "advance" ? Window::kAdvance : Window::kOverlap;
  const Dataset dataset = read_dataset(options.dataset);
  const auto features = make_features(dataset, Vocabulary::read(options.vocab), options.features);
  if (options.dump) {
    dump(dataset, features);
    return 0;
  }
  size_t tokens = 0;
  for (const auto& feature : features) tokens += feature.input_ids.size();
  fmt::print("{}\n", json_line({{"schema_version", 1},
                                {"features", features.size()},
                                {"questions", dataset.question_count()},
                                {"tokens", tokens},
                                {"max_seq_length", options.features.max_seq_length},
                                {"doc_stride", options.features.doc_stride},
                                {"window", options.window},
                                {"features_sha256", features_sha256(features)}}));
  return 0;
}

}  // namespace

void add_features(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("features", "Count or dump the windows that the model reads");
  verb->footer("Example: expctl features dev-v1.1.json --vocab vocab.txt");
  auto options = std::make_shared<Options>();
  verb->add_option("DATASET", options->dataset, "SQuAD 1.1 file")->required();
  verb->add_option("--vocab", options->vocab, "BERT's vocab.txt")->required();
  verb->add_option("--max-seq-length", options->features.max_seq_length,
                   "Tokens of a window, special ones included")
      ->check(CLI::Range(8, 8192));
  verb->add_option("--doc-stride", options->features.doc_stride, "Tokens; see --window")
      ->check(CLI::Range(1, 8192));
  verb->add_option("--window", options->window, "overlap (Hugging Face) or advance (Google)")
      ->check(CLI::IsMember({"overlap", "advance"}));
  verb->add_option("--max-query-length", options->features.max_query_length, "Question tokens kept; 0: all")
      ->check(CLI::Range(0, 8192));
  verb->add_flag("--dump", options->dump, "One JSON line a feature");
  on_call(verb, program, [options] { return run_features(*options); });
}

}  // namespace expctl
