// A SQuAD 1.1 file: articles of paragraphs, each with its questions and gold answers.
//
// Source of the format: the official train-v1.1.json / dev-v1.1.json. Texts are UTF-8; answer_start counts
// code points.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace expctl {

struct Answer {
  std::string text;
  int64_t answer_start = 0;  ///< code points into the context
};

struct Question {
  std::string id;
  std::string text;
  std::vector<Answer> answers;  ///< empty in an unseen test file
};

struct Paragraph {
  std::string context;
  std::vector<Question> questions;
};

struct Article {
  std::string title;
  std::vector<Paragraph> paragraphs;
};

struct Dataset {
  std::string version;
  std::vector<Article> articles;

  size_t question_count() const;
  bool has_answers() const;  ///< every question has at least one answer
};

/// The paragraphs of all articles, in file order.
struct NumberedParagraph {
  const Paragraph* paragraph;
  size_t first_question;  ///< how many questions the file has before it
};
std::vector<NumberedParagraph> numbered_paragraphs(const Dataset& dataset);

/// Of each question the number of its paragraph, counted over all articles.
std::vector<size_t> question_paragraphs(const Dataset& dataset);

/// Reads a dataset from JSON text. Throws Error naming the source, the article and the question: not JSON, a
/// member missing or of the wrong type, no question at all, a duplicate id. Answers may be absent (unseen
/// questions).
Dataset parse_dataset(std::string_view text, const std::string& source);
Dataset read_dataset(const std::filesystem::path& path);

/// Checks that every answer's text stands at its answer_start. Throws Error naming the question, what stands
/// there instead, and where the text was found. What training needs; scoring does not.
void check_answer_positions(const Dataset& dataset, const std::string& source);

/// The identity of the content: SHA-256 over ids, contexts, questions and answers in file order, whatever the
/// formatting.
std::string content_sha256(const Dataset& dataset);

}  // namespace expctl
