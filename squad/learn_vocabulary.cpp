#include "squad/learn_vocabulary.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace expctl {
namespace {

using Word = std::vector<std::string>;  ///< a word as pieces, "##" before all but the first
using Pair = std::pair<std::string, std::string>;

void count_words(const std::string& text, std::map<std::string, int>& counts) {
  std::string word;
  for (const char c : text + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!word.empty()) {
      ++counts[word];
      word.clear();
    }
  }
}

std::map<std::string, int> count_words(const Dataset& dataset) {
  std::map<std::string, int> counts;
  for (const auto& article : dataset.articles) {
    for (const auto& paragraph : article.paragraphs) {
      count_words(paragraph.context, counts);
      for (const auto& question : paragraph.questions) count_words(question.text, counts);
    }
  }
  return counts;
}

Word letters_of(const std::string& word) {
  Word pieces;
  for (const char c : word) pieces.push_back((pieces.empty() ? "" : "##") + std::string(1, c));
  return pieces;
}

std::string merged(const Pair& pair) {
  return pair.first + pair.second.substr(2);
}

bool has_digit(const std::string& piece) {
  return std::any_of(piece.begin(), piece.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// The most frequent neighbours, the smaller pair of equals; a count of 0 where nothing is left to merge.
std::pair<Pair, int> best_pair(const std::vector<std::pair<Word, int>>& words) {
  std::map<Pair, int> counts;
  for (const auto& [word, count] : words) {
    for (size_t i = 0; i + 1 < word.size(); ++i) {
      if (!has_digit(word[i]) && !has_digit(word[i + 1])) counts[{word[i], word[i + 1]}] += count;
    }
  }
  std::pair<Pair, int> best{{}, 0};
  for (const auto& [pair, count] : counts) {
    if (count > best.second) best = {pair, count};
  }
  return best;
}

void merge(Word& word, const Pair& pair) {
  Word out;
  for (size_t i = 0; i < word.size(); ++i) {
    if (i + 1 < word.size() && word[i] == pair.first && word[i + 1] == pair.second) {
      out.push_back(merged(pair));
      ++i;
    } else {
      out.push_back(word[i]);
    }
  }
  word = std::move(out);
}

}  // namespace

std::vector<std::string> learn_vocabulary(const Dataset& dataset, int size) {
  std::vector<std::string> vocabulary = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (char c = '!'; c <= '~'; ++c) {
    if (std::ispunct(static_cast<unsigned char>(c)) != 0) vocabulary.emplace_back(1, c);
    if (std::isdigit(static_cast<unsigned char>(c)) == 0 && std::islower(static_cast<unsigned char>(c)) == 0)
      continue;
    vocabulary.emplace_back(1, c);
    vocabulary.push_back("##" + std::string(1, c));
  }
  for (char a = '0'; a <= '9'; ++a) {
    for (char b = '0'; b <= '9'; ++b) {
      vocabulary.push_back({a, b});
      vocabulary.push_back({'#', '#', a, b});
    }
  }
  std::vector<std::pair<Word, int>> words;
  for (const auto& [word, count] : count_words(dataset)) words.emplace_back(letters_of(word), count);
  std::set<std::string> known(vocabulary.begin(), vocabulary.end());
  while (static_cast<int>(vocabulary.size()) < size) {
    const auto [pair, count] = best_pair(words);
    // A pair seen once or twice is part of one name, which says nothing about the next name.
    if (count < 3) break;
    for (auto& [word, ignored] : words) merge(word, pair);
    if (known.insert(merged(pair)).second) vocabulary.push_back(merged(pair));
  }
  return vocabulary;
}

}  // namespace expctl
