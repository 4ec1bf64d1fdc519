#include "trainer/gradients.h"

#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("gradients: the norm is over all of them", "[trainer]") {
  Gradients gradients({{"a", torch::ones({2})}, {"b", torch::ones({1, 2})}});
  CHECK(gradient_norm(gradients) == 0.0);
  gradients.data("a")[0] = 3.0f;
  gradients.data("a")[1] = 4.0f;
  CHECK(gradient_norm(gradients) == Approx(5.0));
  gradients.data("b")[0] = gradients.data("b")[1] = 12.0f / std::sqrt(2.0f);
  CHECK(gradient_norm(gradients) == Approx(13.0));
}

TEST_CASE("gradients: of the word embeddings the rows count that were added to, until they are cleared",
          "[trainer]") {
  Gradients gradients({{kWordEmbeddings, torch::ones({5, 2})}});
  CHECK(gradients.is_empty());
  gradients.data(kWordEmbeddings)[6] = 3.0f;
  gradients.data(kWordEmbeddings)[3] = 4.0f;
  gradients.mark_added({3, 1, 3});
  CHECK_FALSE(gradients.is_empty());
  CHECK(gradients.word_rows() == std::vector<int64_t>{1, 3});
  CHECK(gradient_norm(gradients) == Approx(5.0));
  gradients.clear();
  CHECK(gradients.is_empty());
  CHECK(gradients.word_rows().empty());
  CHECK(gradients.values().at(kWordEmbeddings).abs().sum().item<float>() == 0);
}

TEST_CASE("gradients: squares that are known are not read again, until the values are changed or cleared",
          "[trainer]") {
  Gradients gradients({{"a", torch::ones({2})}, {"b", torch::ones({2})}});
  gradients.data("a")[0] = 3.0f;
  gradients.data("b")[0] = 4.0f;
  gradients.note_squares(gradients.data("a"), 144.0);
  CHECK(gradient_norm(gradients) == Approx(std::sqrt(160.0)));
  gradients.note_squares(gradients.data("a"), 9.0);  // a second micro-batch
  CHECK(gradient_norm(gradients) == Approx(5.0));
  gradients.data("a")[0] = 0.0f;
  gradients.forget_squares();
  CHECK(gradient_norm(gradients) == Approx(4.0));
  gradients.note_squares(gradients.data("b"), 100.0);
  gradients.clear();
  CHECK(gradient_norm(gradients) == Approx(4.0));
}

TEST_CASE("gradients: clipping scales only what is above the limit, and 0 is no limit", "[trainer]") {
  CHECK(clip_scale(0.5, 1.0) == 1.0);
  CHECK(clip_scale(4.0, 1.0) == Approx(0.25).epsilon(1e-6));
  CHECK(clip_scale(4.0, 0.0) == 1.0);
}
