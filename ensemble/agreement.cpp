#include "ensemble/agreement.h"

#include <algorithm>

namespace expctl {

std::vector<std::vector<double>> agreement(const std::vector<Predictions>& members) {
  std::vector<std::vector<std::string>> answers(members.size());  // [members][questions], normalised
  std::vector<std::vector<bool>> answered(members.size());
  for (const auto& [id, text] : members.front()) {
    for (size_t i = 0; i < members.size(); ++i) {
      const auto found = members[i].find(id);
      answered[i].push_back(found != members[i].end());
      answers[i].push_back(answered[i].back() ? normalize_answer(found->second) : "");
    }
  }
  const size_t questions = answers.front().size();
  std::vector<std::vector<double>> shares(members.size(), std::vector<double>(members.size(), 1.0));
  for (size_t a = 0; a < members.size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      size_t alike = 0;
      for (size_t i = 0; i < questions; ++i) {
        if (answered[a][i] && answered[b][i] && answers[a][i] == answers[b][i]) ++alike;
      }
      shares[a][b] = shares[b][a] =
          questions == 0 ? 1.0 : static_cast<double>(alike) / static_cast<double>(questions);
    }
  }
  return shares;
}

std::vector<SizeScore> f1_by_size(ScoreBook& book, const std::vector<size_t>& questions) {
  std::vector<SizeScore> sizes;
  for (size_t size = 1; size <= book.pool(); ++size) {
    SizeScore score{size, 0, 100, 0};
    const size_t starts = size == book.pool() ? 1 : book.pool();
    for (size_t start = 0; start < starts; ++start) {
      Counts counts(book.pool(), 0);
      for (size_t i = 0; i < size; ++i) counts[(start + i) % book.pool()] = 1;
      const double f1 = book.f1(counts, questions);
      score.mean += f1 / static_cast<double>(starts);
      score.least = std::min(score.least, f1);
      score.greatest = std::max(score.greatest, f1);
    }
    sizes.push_back(score);
  }
  return sizes;
}

}  // namespace expctl
