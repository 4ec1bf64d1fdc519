#include "squad/features.h"

#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/text.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

/// Every lower-case letter is a piece, so that a context of letters has one token a letter.
const Vocabulary& letters() {
  static const Vocabulary vocabulary = [] {
    std::string text = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n";
    for (char c = 'a'; c <= 'z'; ++c) text += std::string(1, c) + "\n";
    return Vocabulary::parse(text, "vocab.txt");
  }();
  return vocabulary;
}

Dataset dataset_of(const std::string& context, const std::string& question,
                   const std::vector<Answer>& answers = {}) {
  return {"1.1", {{"T", {{context, {{"q1", question, answers}}}}}}};
}

std::string pieces_of(const Feature& feature) {
  std::vector<std::string> pieces;
  for (const auto id : feature.input_ids) pieces.push_back(letters().piece(id));
  return join(pieces, " ");
}

/// The context of every window, "abcd cdef", of every token or only of those the window gives the most
/// context.
std::string windows(const std::vector<Feature>& features, bool max_context_only) {
  std::vector<std::string> shown;
  for (const auto& feature : features) {
    shown.emplace_back();
    for (auto i = static_cast<size_t>(feature.context_begin); i < static_cast<size_t>(feature.context_end);
         ++i) {
      if (!max_context_only || feature.max_context[i]) shown.back() += letters().piece(feature.input_ids[i]);
    }
  }
  return join(shown, " ");
}

std::string refusal(const Dataset& dataset, const FeatureOptions& options) {
  try {
    make_features(dataset, letters(), options);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("features: one window holds specials, offsets and types where they belong", "[squad]") {
  const auto features = make_features(dataset_of("a bb c", "Q r", {{"c", 5}}), letters(), {});
  REQUIRE(features.size() == 1);
  const auto& feature = features[0];
  CHECK(pieces_of(feature) == "[CLS] q r [SEP] a [UNK] c [SEP]");
  CHECK(feature.question == 0);
  CHECK(feature.context_begin == 4);
  CHECK(feature.context_end == 7);
  using Offsets = std::vector<std::pair<int32_t, int32_t>>;
  CHECK(feature.offsets == Offsets{{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 1}, {2, 4}, {5, 6}, {0, 0}});
  CHECK(feature.max_context == std::vector<bool>{false, false, false, false, true, true, true, false});
  CHECK(feature.start_position == 6);
  CHECK(feature.end_position == 6);
}

TEST_CASE("features: both kinds of window, and which gives a token the most context", "[squad]") {
  const struct {
    Window window;
    int stride;
    std::string context, windows, max_context;
  } cases[] = {
      {Window::kOverlap, 2, "a b c d", "abcd", "abcd"},
      {Window::kOverlap, 2, "a b c d e", "abcd cde", "abc de"},
      {Window::kOverlap, 2, "a b c d e f g h i j", "abcd cdef efgh ghij", "abc de fg hij"},
      {Window::kOverlap, 0, "a b c d e f", "abcd ef", "abcd ef"},
      {Window::kAdvance, 3, "a b c d e f g h i j", "abcd defg ghij", "abcd efg hij"},
      {Window::kAdvance, 3, "a b c d e f", "abcd def", "abcd ef"},
      {Window::kAdvance, 9, "a b c d e f g h i j", "abcd efgh ij", "abcd efgh ij"},
      {Window::kAdvance, 3, "a b c d", "abcd", "abcd"},
      {Window::kOverlap, 2, "", "", ""},
  };
  for (const auto& c : cases) {
    INFO(c.context << ", stride " << c.stride);
    const auto features = make_features(dataset_of(c.context, "q"), letters(), {8, c.stride, c.window, 0});
    CHECK(windows(features, false) == c.windows);
    CHECK(windows(features, true) == c.max_context);
    for (const auto& feature : features) CHECK(feature.input_ids.size() <= 8);
  }
}

TEST_CASE("features: a label stands where the window holds the whole first answer, else at [CLS]",
          "[squad]") {
  const FeatureOptions options{8, 2, Window::kOverlap, 0};
  const auto labels = [&](const std::vector<Answer>& answers) {
    std::vector<std::pair<int, int>> found;
    for (const auto& feature :
         make_features(dataset_of("a b c d e f g h", "q", answers), letters(), options)) {
      found.emplace_back(feature.start_position, feature.end_position);
    }
    return found;
  };
  using Labels = std::vector<std::pair<int, int>>;  // windows abcd, cdef, efgh; the context begins at token 3
  CHECK(labels({{"d e", 6}}) == Labels{{0, 0}, {4, 5}, {0, 0}});
  CHECK(labels({{"c", 4}}) == Labels{{5, 5}, {3, 3}, {0, 0}});
  CHECK(labels({{"a b c d", 0}}) == Labels{{3, 6}, {0, 0}, {0, 0}});
  CHECK(labels({{"h", 14}, {"a", 0}}) == Labels{{0, 0}, {0, 0}, {6, 6}});
  CHECK(labels({{"b c d e f", 2}}) == Labels{{0, 0}, {0, 0}, {0, 0}});
  CHECK(labels({}) == Labels{{0, 0}, {0, 0}, {0, 0}});
  for (const int64_t nowhere :
       {int64_t{-1}, int64_t{16}, int64_t{0x7fffffff}, (int64_t{1} << 32) + 6, INT64_MAX})
    CHECK(labels({{"d e", nowhere}}) == Labels{{0, 0}, {0, 0}, {0, 0}});
}

TEST_CASE("features: max_query_length cuts questions and leaves the room to the context", "[squad]") {
  const Dataset dataset = dataset_of("a b c", " q r s");
  CHECK(pieces_of(make_features(dataset, letters(), {9, 1, Window::kAdvance, 0}).at(0)) ==
        "[CLS] q r s [SEP] a b c [SEP]");
  CHECK(pieces_of(make_features(dataset, letters(), {8, 1, Window::kAdvance, 2}).at(0)) ==
        "[CLS] q r [SEP] a b c [SEP]");
  CHECK(pieces_of(make_features(dataset, letters(), {9, 1, Window::kAdvance, 3}).at(0)) ==
        "[CLS] q r s [SEP] a b c [SEP]");
}

TEST_CASE("features: questions are numbered over paragraphs and articles", "[squad]") {
  const Paragraph paragraph{"a", {{"1", "q", {}}, {"2", "r", {}}}};
  Dataset dataset{"1.1", {{"T", {paragraph, {"b", {{"3", "q", {}}}}}}, {"U", {{"c", {{"4", "q", {}}}}}}}};
  std::string shown;
  for (const auto& feature : make_features(dataset, letters(), {})) {
    shown += std::to_string(feature.question) + windows({feature}, false) + " ";
  }
  CHECK(shown == "0a 1a 2b 3c ");
}

TEST_CASE("features: no room for context and windows that stand still are refused", "[squad]") {
  const Dataset dataset = dataset_of("a b c d e", "q");
  CHECK_THAT(refusal(dataset, {4, 1, Window::kAdvance, 0}),
             Contains("question q1") && Contains("max_seq_length 4"));
  CHECK(refusal(dataset, {5, 1, Window::kAdvance, 0}) == "accepted");
  CHECK_THAT(refusal(dataset, {8, 4, Window::kOverlap, 0}),
             Contains("question q1") && Contains("doc_stride 4") && Contains("room for 4") &&
                 Contains("max_seq_length 8"));
  CHECK(refusal(dataset, {8, 3, Window::kOverlap, 0}) == "accepted");
  CHECK(refusal(dataset, {9, 5, Window::kOverlap, 0}) == "accepted");  // one window: nothing has to advance
}

TEST_CASE("features: the hash sees tokens and offsets, and no labels", "[squad]") {
  const auto hash = [](const Dataset& dataset) {
    return features_sha256(make_features(dataset, letters(), {}));
  };
  const std::string plain = hash(dataset_of("a b", "q"));
  CHECK(hash(dataset_of("a b", "q", {{"b", 2}})) == plain);
  CHECK(hash(dataset_of("a c", "q")) != plain);
  CHECK(hash(dataset_of("a  b", "q")) != plain);
  CHECK(hash(dataset_of("a b", "r")) != plain);
}
