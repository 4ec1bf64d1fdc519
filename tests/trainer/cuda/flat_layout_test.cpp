// Needs no GPU.
#include "trainer/cuda/flat_layout.h"

#include <set>

#include "formats/bert_names.h"
#include "tests/support/support.h"
#include "trainer/layer_rates.h"

using namespace expctl;

namespace {

BertConfig small_config() {
  BertConfig config;
  config.vocab_size = 50;
  config.hidden_size = 24;
  config.num_hidden_layers = 3;
  config.num_attention_heads = 2;
  config.intermediate_size = 40;
  config.max_position_embeddings = 30;
  return config;
}

}  // namespace

TEST_CASE("flat layout: every parameter is in the group of its decay and its rate", "[cuda]") {
  const cuda::FlatLayout layout(small_config());
  for (const double decay : {1.0, 0.8}) {
    const auto groups = layout.groups(decay);
    CHECK(groups.front().begin == 0);
    CHECK(groups.back().end == layout.count());
    for (size_t i = 0; i < groups.size(); ++i) {
      CHECK(groups[i].begin % 4 == 0);
      if (i > 0) CHECK(groups[i].begin == groups[i - 1].end);
    }
    for (const auto& [name, shape] : bert_tensors(small_config())) {
      INFO(name);
      const int64_t offset = layout.offset_of(name);
      const auto group =
          std::find_if(groups.begin(), groups.end(), [&](const auto& one) { return offset < one.end; });
      REQUIRE(group != groups.end());
      CHECK(group->has_decay == !is_bias_or_norm(name));
      CHECK(group->rate == rate_factor(name, 3, decay));
    }
  }
  CHECK(layout.groups(1).size() == 2);
  // Embeddings, three layers and the head, each with decay and without.
  CHECK(layout.groups(0.8).size() == 10);
}
