#include "tests/trainer/cuda/on_device.h"

using namespace expctl;
using namespace expctl::test;

namespace {

constexpr float kEpsilon = 1e-12f;
constexpr int64_t kWords = 100;
constexpr int64_t kPositions = 400;  ///< more than any sequence has rows

template <typename T>
void check_embed(const RaggedBatch& batch, int64_t width, const cuda::DropoutSite& dropout) {
  const int64_t rows = batch.rows.rows;
  const auto words = random_values<float>({kWords, width}), types = random_values<float>({2, width}),
             positions = random_values<float>({kPositions, width});
  const auto gamma = random_leaf<float>({width}), beta = random_leaf<float>({width});
  const auto gradient = batch.without_filling(random_values<T>({rows, width})),
             more = batch.without_filling(random_values<T>({rows, width}));
  const auto plain_sum = (words.index_select(0, batch.words) + types.index_select(0, batch.types) +
                          positions.index_select(0, batch.positions))
                             .requires_grad_();
  const auto plain_out =
      at::layer_norm(plain_sum, {width}, gamma, beta, kEpsilon) * batch.mask(dropout, width);
  plain_out.backward(gradient + more);

  const auto at_words = on_device<float>(words), at_types = on_device<float>(types),
             at_positions = on_device<float>(positions), at_gamma = on_device<float>(gamma),
             at_beta = on_device<float>(beta);
  const auto at_gradient = on_device<T>(gradient), at_more = on_device<T>(more);
  const cuda::EmbeddingTables tables{at_words.data(), at_types.data(), at_positions.data(),
                                     at_gamma.data(), at_beta.data(),  kEpsilon};
  const auto results = same_twice([&]() -> std::vector<at::Tensor> {
    const auto sum = poisoned<float>(rows * width), stats = poisoned<float>(2 * rows),
               dsum = poisoned<float>(rows * width),
               partial = poisoned<float>(cuda::norm_parts() * 2 * width);
    const auto out = poisoned<T>(rows * width);
    cuda::embed<T>(batch.rows, tables, dropout, width, sum.data(), stats.data(), out.data(), nullptr);
    cuda::embed_gradient<T>(at_gradient.data(), at_more.data(), batch.rows, sum.data(), stats.data(), dropout,
                            at_gamma.data(), width, dsum.data(), partial.data(), nullptr);
    return {from_device(sum, {rows, width}), from_device(out, {rows, width}), from_device(stats, {rows, 2}),
            from_device(dsum, {rows, width}), sum_of_parts(partial, cuda::norm_parts())};
  });
  check_close(results[0], plain_sum, kFp32Tolerance);
  check_close(results[1], plain_out, tolerance<T>());
  const auto inverse = 1 / (plain_sum.var(1, false) + kEpsilon).sqrt();
  check_close(results[2], at::stack({plain_sum.mean(1), inverse}, 1), kFp32Tolerance);
  check_close(results[3], plain_sum.grad(), kFp32Tolerance);
  const auto sums = results[4].view({2, width});
  check_close(sums[0], gamma.grad(), kFp32Tolerance);
  check_close(sums[1], beta.grad(), kFp32Tolerance);
  batch.check_filling_is_zero(results[3]);
}

void check_table_gradients(const Lengths& lengths, int64_t word_count, int64_t width, bool add) {
  const RaggedBatch batch(lengths, word_count);
  const int64_t rows = batch.rows.rows;
  const auto dsum = batch.without_filling(random_values<float>({rows, width}));
  const auto of_real = [&](const at::Tensor& index, int64_t count) {
    return at::zeros({count, width}, at::kDouble)
        .index_add(0, index.slice(0, 0, batch.real_rows), dsum.slice(0, 0, batch.real_rows));
  };
  const auto words = random_values<float>({word_count, width}), types = random_values<float>({2, width}),
             positions = random_values<float>({kPositions, width});

  const auto at_dsum = on_device<float>(dsum);
  const auto results = same_twice([&]() -> std::vector<at::Tensor> {
    const auto dwords = on_device<float>(words);
    const auto dtypes = add ? on_device<float>(types) : poisoned<float>(2 * width);
    const auto dpositions = add ? on_device<float>(positions) : poisoned<float>(kPositions * width);
    const auto sorting = poisoned<uint8_t>(static_cast<int64_t>(cuda::sort_bytes(rows)));
    const auto partial = poisoned<float>(cuda::column_parts(width) * 2 * width);
    cuda::table_gradients(at_dsum.data(), batch.rows, batch.lengths.real, word_count, kPositions, width, add,
                          dwords.data(), dtypes.data(), dpositions.data(), sorting.data(), partial.data(),
                          nullptr);
    return {from_device(dwords, {word_count, width}), from_device(dtypes, {2, width}),
            from_device(dpositions, {kPositions, width})};
  });
  const double kept = add ? 1 : 0;
  check_close(results[0], words + of_real(batch.words, word_count), kFp32Tolerance);
  check_close(results[1], kept * types + of_real(batch.types, 2), kFp32Tolerance);
  check_close(results[2], kept * positions + of_real(batch.positions, kPositions), kFp32Tolerance);
  // Words that the batch has not stay bit by bit as they were.
  auto is_absent = at::ones({word_count}, at::kBool);
  is_absent.index_fill_(0, batch.words.slice(0, 0, batch.real_rows), false);
  const auto absent = is_absent.nonzero().flatten();
  CHECK(same_bits(results[0].index_select(0, absent), words.to(at::kFloat).index_select(0, absent)));
}

}  // namespace

TEMPLATE_TEST_CASE("embeddings: LayerNorm and dropout of the three tables are autograd's, both ways",
                   "[cuda]", float, __nv_bfloat16, __half) {
  SKIP_WITHOUT_GPU();
  for_each_batch([](const RaggedBatch& batch, const Mask& mask) {
    for (const int64_t width : hidden_widths()) {
      INFO("width " << width);
      check_embed<TestType>(batch, width, {.site = 0, .mask = mask});
    }
  });
}

// With few words, one has hundreds of rows.
TEST_CASE("embeddings: gradients of the tables are sums over the real rows", "[cuda]") {
  SKIP_WITHOUT_GPU();
  for (const Lengths& lengths : ragged_lengths()) {
    for (const int64_t word_count : {1, 3, 30522}) {
      for (const int64_t width : hidden_widths()) {
        if (word_count > 1000 && width > 48) continue;  // large tables, and nothing new
        for (const bool add : {false, true}) {
          INFO("lengths " << Catch::Detail::stringify(lengths.of) << ", " << word_count << " words, width "
                          << width << (add ? ", added" : ""));
          check_table_gradients(lengths, word_count, width, add);
        }
      }
    }
  }
}

TEST_CASE("embeddings: the rows of a batch are gathered out of the features", "[cuda]") {
  SKIP_WITHOUT_GPU();
  const std::vector<int64_t> of_features = {33, 384, 1, 200, 32, 0, 31};
  const std::vector<int64_t> context_begins = {10, 384, 0, 1, 31, 0, 12};
  const auto feature_count = static_cast<int64_t>(of_features.size());
  std::vector<int64_t> first_tokens = {0};
  for (const int64_t length : of_features) first_tokens.push_back(first_tokens.back() + length);
  const auto words = at::randint(1, 30000, {first_tokens.back()}, at::kLong);
  const auto starts = at::arange(100, 100 + feature_count), ends = at::arange(200, 200 + feature_count);
  const auto at_words = on_device<int32_t>(words), at_begins = on_device<int32_t>(at::tensor(context_begins)),
             at_starts = on_device<int32_t>(starts), at_ends = on_device<int32_t>(ends);
  const auto at_first = on_device<int64_t>(at::tensor(first_tokens));
  const cuda::FeaturesOnDevice features{at_words.data(), at_first.data(), at_begins.data(), at_starts.data(),
                                        at_ends.data()};

  for (const std::vector<int64_t>& chosen : std::vector<std::vector<int64_t>>{{6, 1, 5, 1, 0}, {2}, {3, 4}}) {
    for (const int64_t filling : {0, 130}) {
      INFO("features " << Catch::Detail::stringify(chosen) << ", filled with " << filling);
      Lengths lengths{{}, static_cast<int64_t>(chosen.size())};
      std::vector<at::Tensor> wanted_words{}, wanted_types{};
      for (const int64_t feature : chosen) {
        const auto f = static_cast<size_t>(feature);
        lengths.of.push_back(of_features[f]);
        wanted_words.push_back(words.slice(0, first_tokens[f], first_tokens[f + 1]));
        wanted_types.push_back((at::arange(of_features[f]) >= context_begins[f]).to(at::kLong));
      }
      lengths.of.push_back(filling);
      wanted_words.push_back(at::zeros({filling}, at::kLong));
      wanted_types.push_back(at::zeros({filling}, at::kLong));
      const RaggedBatch batch(lengths);
      const int64_t rows = batch.rows.rows;
      const auto at_chosen = on_device<int32_t>(at::tensor(chosen));
      const auto got_words = poisoned<int32_t>(rows), got_types = poisoned<int32_t>(rows),
                 got_positions = poisoned<int32_t>(rows), got_sequences = poisoned<int32_t>(rows),
                 got_starts = poisoned<int32_t>(lengths.real), got_ends = poisoned<int32_t>(lengths.real);
      cuda::RowsOnDevice to = batch.rows;
      to.word_ids = got_words.data();
      to.type_ids = got_types.data();
      to.positions = got_positions.data();
      to.sequence_of = got_sequences.data();
      cuda::gather_rows(features, at_chosen.data(), lengths.real, to, got_starts.data(), got_ends.data(),
                        nullptr);
      const auto is_equal = [](const cuda::DeviceBuffer<int32_t>& got, const at::Tensor& wanted) {
        return at::equal(from_device(got, wanted.sizes()).to(at::kLong), wanted);
      };
      CHECK(is_equal(got_words, at::cat(wanted_words)));
      CHECK(is_equal(got_types, at::cat(wanted_types)));
      auto wanted_positions = batch.positions.clone();  // a model may have fewer than rows that fill up
      wanted_positions.slice(0, rows - filling, rows).zero_();
      CHECK(is_equal(got_positions, wanted_positions));
      CHECK(is_equal(got_sequences, batch.sequence_of));
      CHECK(is_equal(got_starts, starts.index_select(0, at::tensor(chosen))));
      CHECK(is_equal(got_ends, ends.index_select(0, at::tensor(chosen))));
    }
  }
}
