#include "ensemble/soup.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "core/run_paths.h"
#include "formats/bert_folder.h"
#include "formats/new_head.h"
#include "formats/tiny_bert.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;

namespace {

/// A tiny BERT with weights of this seed.
SoupMember member(const TempDir& dir, const std::string& id, uint64_t seed, double weight = 1,
                  int layers = 2) {
  make_folder(dir / id);
  write_tiny_bert(dir / id, {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"}, seed,
                  {.hidden = 16, .layers = layers, .heads = 2, .intermediate = 32, .max_position = 32});
  return {id, weight, open_stored_bert(dir / id)};
}

/// The member with a new head beside its own folder.
SoupMember with_head(const TempDir& dir, const SoupMember& member, SpanHead head) {
  StoredBert bert = member.bert;
  bert.config.head = head;
  std::map<std::string, std::vector<float>> values;
  std::map<std::string, TensorView> tensors;
  for (const auto& [name, shape] : bert_tensors(bert.config)) {
    if (is_span_head(name)) {
      values[name] = new_head_values({name, shape}, 3);
      tensors[name] = view_of(values[name], shape);
    } else {
      tensors[name] = bert.tensors.at(name).view;
    }
  }
  const std::string id = fmt::format("{}-{}", member.id, name_of(head));
  write_bert_folder(dir / id, bert.config, bert.vocabulary_text, tensors);
  return {id, 1, open_stored_bert(dir / id)};
}

std::vector<float> values_of(const std::filesystem::path& folder, const std::string& name) {
  const StoredBert bert = open_stored_bert(folder);
  const StoredTensor& tensor = bert.tensors.at(name);
  std::vector<float> values(static_cast<size_t>(tensor.view.element_count()));
  tensor.read(values);
  return values;
}

constexpr const char* kTensor = "bert.encoder.layer.1.intermediate.dense.weight";

}  // namespace

TEST_CASE("soup: every tensor is the weighted mean, in a folder that loads like any other", "[ensemble]") {
  const TempDir dir;
  const std::vector<SoupMember> members = {member(dir, "run1", 1, 1), member(dir, "run2", 2, 3)};
  write_soup(dir / "soup", members);
  const StoredBert soup = open_stored_bert(dir / "soup");
  CHECK(soup.tensors.size() == members[0].bert.tensors.size());
  CHECK(soup.config == members[0].bert.config);
  const auto a = values_of(dir / "run1", kTensor), b = values_of(dir / "run2", kTensor);
  const auto mean = values_of(dir / "soup", kTensor);
  REQUIRE(mean.size() == a.size());
  for (size_t i = 0; i < mean.size(); ++i)
    CHECK(mean[i] == static_cast<float>((static_cast<double>(a[i]) + 3.0 * b[i]) / 4));
}

TEST_CASE("soup: of one model it is the model, bit for bit", "[ensemble]") {
  const TempDir dir;
  write_soup(dir / "soup", {member(dir, "run1", 1), member(dir, "same", 1)});
  CHECK(values_of(dir / "soup", kTensor) == values_of(dir / "run1", kTensor));
}

TEST_CASE("soup: other shapes and vocabularies are refused, naming both members", "[ensemble]") {
  const TempDir dir;
  CHECK_THROWS_WITH(write_soup(dir / "soup", {member(dir, "run1", 1), member(dir, "run2", 2, 1, 3)}),
                    Contains("run1 and run2 are models of different shapes"));
  auto other = member(dir, "run3", 3);
  other.bert.vocabulary_text += "b\n";
  CHECK_THROWS_WITH(write_soup(dir / "soup", {member(dir, "run4", 4), other}),
                    Contains("run4 and run3 have different vocabularies"));
}

TEST_CASE("soup: of models with the same head only, which is averaged too", "[ensemble]") {
  const TempDir dir;
  const SoupMember bare = member(dir, "run1", 1);
  const SoupMember linear = with_head(dir, bare, SpanHead::kLinear),
                   mlp = with_head(dir, bare, SpanHead::kMlp);
  CHECK_THROWS_WITH(write_soup(dir / "soup", {mlp, linear}),
                    "run1-mlp has a span head 'mlp', run1-linear has a span head 'linear'");
  CHECK_THROWS_WITH(write_soup(dir / "soup", {bare, mlp}),
                    "run1 has no span head, run1-mlp has a span head 'mlp'");
  write_soup(dir / "soup", {mlp, mlp});
  const StoredBert soup = open_stored_bert(dir / "soup");
  CHECK(soup.config == mlp.bert.config);
  CHECK(values_of(dir / "soup", "qa_head.dense.weight") == values_of(dir / mlp.id, "qa_head.dense.weight"));
}
