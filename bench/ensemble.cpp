// Times what an ensemble costs once its members' logits are there: combining, decoding and scoring, and a
// greedy search.
//
//   bench_ensemble DEV_FILE VOCAB_FILE THREADS combine|greedy LOGITS ...
//
// Prints a JSON object: seconds of each stage (the best of several for combine), the score, the largest
// resident size.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/json.h"
#include "core/threads.h"
#include "ensemble/article_split.h"
#include "ensemble/pool_scorer.h"
#include "ensemble/selection.h"
#include "squad/answer_files.h"

using namespace expctl;

namespace {

template <typename F>
double seconds(const F& f) {
  const auto began = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

/// Of this program alone: what getrusage says counts who has started it.
double largest_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

Json combine(const AnswerSpace& space, const Blend& blend) {
  const std::vector<double> weights(blend.size(), 1.0);
  constexpr int kTimes = 5;
  double combined = 1e9, decoded = 1e9, scored = 1e9, whole = 1e9;
  std::optional<Score> score;
  for (int i = 0; i < kTimes; ++i) {
    LogitsFile mean;
    std::vector<QuestionPrediction> answers;
    const double c = seconds([&] { mean = blend.mean(weights); });
    const double d = seconds([&] { answers = space.decode(mean); });
    const double s = seconds([&] { score = score_answers(space.dataset, answers); });
    combined = std::min(combined, c);
    decoded = std::min(decoded, d);
    scored = std::min(scored, s);
    whole = std::min(whole, c + d + s);
  }
  return {{"combine_s", combined}, {"decode_s", decoded},    {"score_s", scored},
          {"whole_s", whole},      {"f1", score.value().f1}, {"exact_match", score.value().exact_match}};
}

Json greedy(const AnswerSpace& space, const Blend& blend) {
  PoolScorer scorer(space, blend);
  ScoreBook book(blend.size(), [&](const auto& weights) { return scorer.question_f1(weights); });
  std::vector<Combination> found;
  const double took = seconds([&] { found = search(book, all_questions(space.dataset), {}); });
  return {{"greedy_s", took},
          {"tried", found.size()},
          {"f1", found.front().f1},
          {"counts", found.front().counts}};
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 6) {
    fmt::print(stderr, "bench_ensemble DEV_FILE VOCAB_FILE THREADS combine|greedy LOGITS ...\n");
    return 2;
  }
  set_thread_count(std::atol(argv[3]));
  std::vector<LogitsMember> members;
  for (int i = 5; i < argc; ++i) members.push_back({argv[i], 1, read_logits(argv[i])});
  TrainSpec spec;
  const auto& identity = members.front().logits.identity;
  spec.eval_max_seq_length = std::stol(identity.max_seq_length);
  spec.eval_doc_stride = std::stol(identity.doc_stride);
  const AnswerSpace space(read_dataset(argv[1]), Vocabulary::read(argv[2]), resolve(spec));
  space.check(members.front().logits, argv[5]);
  const Blend blend(std::move(members), Method::kLogits, space.question_tokens());
  Json result = std::string(argv[4]) == "greedy" ? greedy(space, blend) : combine(space, blend);
  result["features"] = space.features.size();
  result["tokens"] = blend.offsets().back();
  result["largest_mib"] = largest_mib();
  fmt::print("{}", json_line(result) + "\n");
  return 0;
} catch (const Error& e) {
  fmt::print(stderr, "bench_ensemble: {}\n", e.what());
  return 1;
}
