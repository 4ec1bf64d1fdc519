#include "ensemble/nbest_merge.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "core/error.h"

namespace expctl {
namespace {

const std::vector<NBestEntry>& answers_of(const NBestMember& member, const std::string& question) {
  const auto found = member.nbest.find(question);
  if (found != member.nbest.end() && !found->second.empty()) return found->second;
  throw Error(fmt::format("{} has no answers to question '{}'", member.id, question),
              "its nbest_predictions.json has to be of the whole dataset");
}

std::vector<NBestEntry> merge(const std::vector<NBestMember>& members, const std::string& question,
                              size_t n_best) {
  std::vector<NBestEntry> merged;
  std::unordered_map<std::string, size_t> place;
  double total = 0;
  for (const auto& member : members) total += member.weight;
  for (const auto& member : members) {
    if (member.weight == 0) continue;
    for (const auto& entry : answers_of(member, question)) {
      const auto [at, is_new] = place.emplace(entry.text, merged.size());
      if (is_new) merged.push_back({entry.text, 0, 0, 0});
      merged[at->second].probability += member.weight / total * entry.probability;
    }
  }
  std::stable_sort(merged.begin(), merged.end(),
                   [](const NBestEntry& a, const NBestEntry& b) { return a.probability > b.probability; });
  merged.resize(std::min(merged.size(), n_best));
  double mass = 0;
  for (const auto& entry : merged) mass += entry.probability;
  for (auto& entry : merged) {
    entry.probability = mass > 0 ? entry.probability / mass : 1.0 / static_cast<double>(merged.size());
    constexpr double kLeast = 1e-300;
    entry.start_logit = entry.end_logit = std::log(std::max(entry.probability, kLeast)) / 2;
  }
  return merged;
}

}  // namespace

std::vector<QuestionPrediction> merge_nbest(const std::vector<NBestMember>& members, const Dataset& dataset,
                                            size_t n_best) {
  std::vector<QuestionPrediction> answers;
  for (const auto& article : dataset.articles) {
    for (const auto& paragraph : article.paragraphs) {
      for (const auto& question : paragraph.questions)
        answers.push_back({question.id, merge(members, question.id, n_best)});
    }
  }
  return answers;
}

}  // namespace expctl
