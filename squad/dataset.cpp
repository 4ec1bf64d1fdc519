#include "squad/dataset.h"

#include <fmt/format.h>

#include <unordered_set>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "squad/json_document.h"
#include "squad/unicode.h"

namespace expctl {
namespace {

/// "dev.json: article 3, paragraph 2": where a complaint belongs.
std::string place(const std::string& source, size_t article, size_t paragraph) {
  return fmt::format("{}: article {}, paragraph {}", source, article + 1, paragraph + 1);
}

Question read_question(JsonElement json, const std::string& where) {
  Question question{text_member(json, "id", where), text_member(json, "question", where), {}};
  const auto answers = find_member(json, "answers");
  if (!answers || answers->is_null()) return question;
  const std::string here = fmt::format("{}, question {}", where, question.id);
  for (const auto answer : array_member(json, "answers", here))
    question.answers.push_back(
        {text_member(answer, "text", here), integer_member(answer, "answer_start", here, -1)});
  return question;
}

Article read_article(JsonElement json, const std::string& source, size_t index) {
  Article article{text_member(json, "title", source, ""), {}};
  const std::string here = fmt::format("{}: article {}", source, index + 1);
  for (const auto entry : array_member(json, "paragraphs", here)) {
    const std::string where = place(source, index, article.paragraphs.size());
    Paragraph paragraph{text_member(entry, "context", where), {}};
    for (const auto question : array_member(entry, "qas", where))
      paragraph.questions.push_back(read_question(question, where));
    article.paragraphs.push_back(std::move(paragraph));
  }
  return article;
}

void check_ids(const Dataset& dataset, const std::string& source) {
  std::unordered_set<std::string_view> seen;
  for (const auto& article : dataset.articles) {
    for (const auto& paragraph : article.paragraphs) {
      for (const auto& question : paragraph.questions) {
        if (!seen.insert(question.id).second) {
          throw Error(fmt::format("{}: the question id '{}' occurs twice", source, question.id),
                      "predictions are keyed by id, so each needs its own");
        }
      }
    }
  }
  if (seen.empty()) throw Error(fmt::format("{}: no question in it", source), "is it a SQuAD 1.1 file?");
}

}  // namespace

std::vector<NumberedParagraph> numbered_paragraphs(const Dataset& dataset) {
  std::vector<NumberedParagraph> paragraphs;
  size_t questions = 0;
  for (const auto& article : dataset.articles) {
    for (const auto& paragraph : article.paragraphs) {
      paragraphs.push_back({&paragraph, questions});
      questions += paragraph.questions.size();
    }
  }
  return paragraphs;
}

std::vector<size_t> question_paragraphs(const Dataset& dataset) {
  std::vector<size_t> numbers;
  size_t number = 0;
  for (const auto& [paragraph, first] : numbered_paragraphs(dataset))
    numbers.insert(numbers.end(), paragraph->questions.size(), number++);
  return numbers;
}

size_t Dataset::question_count() const {
  size_t count = 0;
  for (const auto& article : articles) {
    for (const auto& paragraph : article.paragraphs) count += paragraph.questions.size();
  }
  return count;
}

bool Dataset::has_answers() const {
  for (const auto& article : articles) {
    for (const auto& paragraph : article.paragraphs) {
      for (const auto& question : paragraph.questions) {
        if (question.answers.empty()) return false;
      }
    }
  }
  return true;
}

Dataset parse_dataset(std::string_view text, const std::string& source) {
  const JsonDocument json(text, source);
  Dataset dataset;
  try {
    dataset.version = text_member(json.root(), "version", source, "");
    for (const auto article : array_member(json.root(), "data", source))
      dataset.articles.push_back(read_article(article, source, dataset.articles.size()));
  } catch (const Error& e) {
    throw Error(e.what(),
                "wanted is the layout of SQuAD 1.1's own files, in which articles lie below 'data'");
  }
  check_ids(dataset, source);
  return dataset;
}

Dataset read_dataset(const std::filesystem::path& path) {
  return parse_dataset(read_file(path), path.string());
}

void check_answer_positions(const Dataset& dataset, const std::string& source) {
  for (const auto& article : dataset.articles) {
    for (const auto& paragraph : article.paragraphs) {
      const std::u32string context = decode_utf8(paragraph.context);
      for (const auto& question : paragraph.questions) {
        for (const auto& answer : question.answers) {
          const std::u32string text = decode_utf8(answer.text);
          const auto start = static_cast<size_t>(answer.answer_start);
          const bool inside = answer.answer_start >= 0 && start + text.size() <= context.size();
          if (inside && context.compare(start, text.size(), text) == 0) continue;
          const std::string there =
              inside ? fmt::format("'{}' stands there", encode_utf8(context.substr(start, text.size())))
                     : fmt::format("the context has {} characters", context.size());
          const auto found = context.find(text);
          throw Error(fmt::format("{}: question {}: the answer '{}' does not stand at answer_start {}: {}",
                                  source, question.id, answer.text, answer.answer_start, there),
                      found == std::u32string::npos
                          ? "the answer does not occur in its context"
                          : fmt::format("it stands at {}; answer_start counts code points", found));
        }
      }
    }
  }
}

std::string content_sha256(const Dataset& dataset) {
  Sha256 hash;
  // Lengths stand before texts, so that no two contents run together to the same bytes.
  const auto add = [&hash](std::string_view text) {
    hash.update(fmt::format("{}:", text.size()));
    hash.update(text);
  };
  for (const auto& article : dataset.articles) {
    for (const auto& paragraph : article.paragraphs) {
      hash.update("P");
      add(paragraph.context);
      for (const auto& question : paragraph.questions) {
        hash.update("Q");
        add(question.id);
        add(question.text);
        for (const auto& answer : question.answers) {
          hash.update(fmt::format("A{}:", answer.answer_start));
          add(answer.text);
        }
      }
    }
  }
  return hash.hex();
}

}  // namespace expctl
