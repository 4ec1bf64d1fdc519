#include "trainer/dropout.h"

#include <set>

#include "tests/support/support.h"

using namespace expctl;

namespace {

std::vector<uint64_t> row_keys(int64_t rows, const DropoutKey& key = {42, 3}) {
  std::vector<uint64_t> keys;
  for (int64_t p = 0; p < rows; ++p) keys.push_back(dropout_row_key(key, 0, 1, p));
  return keys;
}

}  // namespace

TEST_CASE("dropout: drops at its rate in every column, and scales the rest", "[trainer]") {
  for (const double rate : {0.1, 0.5}) {
    const auto out = dropout(torch::ones({4000, 64}), row_keys(4000), rate);
    const auto dropped = (out == 0).to(torch::kFloat);
    CHECK(dropped.mean().item<double>() == Approx(rate).margin(0.004));
    CHECK((dropped.mean(0) - rate).abs().max().item<double>() < 0.05);  // 6 deviations of 4000 draws
    CHECK(out.max().item<double>() == Approx(1.0 / (1.0 - rate)));
    CHECK(torch::equal((out == out.max()).logical_or(out == 0), torch::ones_like(out, torch::kBool)));
  }
}

TEST_CASE("dropout: the same key gives the same mask, any other part of the key another", "[trainer]") {
  const auto x = torch::ones({8, 64});
  const auto first = dropout(x, row_keys(8), 0.5);
  CHECK(torch::equal(first, dropout(x, row_keys(8), 0.5)));
  CHECK_FALSE(torch::equal(first, dropout(x, row_keys(8, {43, 3}), 0.5)));
  CHECK_FALSE(torch::equal(first, dropout(x, row_keys(8, {42, 4}), 0.5)));
  CHECK_FALSE(torch::equal(first[0], first[1]));
  std::set<uint64_t> keys;
  for (int64_t i = 0; i < 4; ++i) {
    for (int64_t j = 0; j < 4; ++j) {
      for (int64_t k = 0; k < 4; ++k) keys.insert(dropout_row_key({1, 2}, i, j, k));
    }
  }
  CHECK(keys.size() == 64);
}

TEST_CASE("dropout: rows keep their masks wherever they stand", "[trainer]") {
  const auto x = torch::ones({8, 64});
  const auto keys = row_keys(8);
  const auto all = dropout(x, keys, 0.5);
  const auto tail = dropout(x.slice(0, 5), {keys.begin() + 5, keys.end()}, 0.5);
  CHECK(torch::equal(all.slice(0, 5), tail));
}

TEST_CASE("dropout: the gradient is the mask, also beside a residual", "[trainer]") {
  torch::manual_seed(1);
  const auto x = torch::randn({16, 32}).requires_grad_(true);
  const auto residual = torch::randn({16, 32}).requires_grad_(true);
  const auto mask = dropout(torch::ones({16, 32}), row_keys(16), 0.3);
  const auto weights = torch::randn({16, 32});

  const auto plain = dropout(x, row_keys(16), 0.3);
  CHECK(torch::allclose(plain, x * mask));
  (plain * weights).sum().backward();
  CHECK(torch::allclose(x.grad(), mask * weights));

  x.mutable_grad().reset();
  const auto sum = dropout_add(x, residual, row_keys(16), 0.3);
  CHECK(torch::allclose(sum, x * mask + residual));
  (sum * weights).sum().backward();
  CHECK(torch::allclose(x.grad(), mask * weights));
  CHECK(torch::equal(residual.grad(), weights));
}

TEST_CASE("dropout: a rate of 0 changes nothing, bf16 and fp16 have the mask of fp32, rows need a key each",
          "[trainer]") {
  const auto x = torch::randn({4, 33});
  CHECK(torch::equal(dropout(x, std::vector<uint64_t>(), 0.0), x));
  CHECK(torch::equal(dropout_add(x, x, std::vector<uint64_t>(), 0.0), x + x));
  const auto wide = dropout(torch::ones({4, 33}), row_keys(4), 0.5);
  CHECK(torch::equal(dropout(torch::ones({4, 33}, torch::kBFloat16), row_keys(4), 0.5).to(torch::kFloat),
                     wide));
  CHECK(torch::equal(dropout(torch::ones({4, 33}, torch::kHalf), row_keys(4), 0.5).to(torch::kFloat), wide));
  const auto half = x.to(torch::kHalf);
  CHECK(torch::equal(dropout_add(half, half, row_keys(4), 0.5), half * wide.to(torch::kHalf) + half));
  const auto flipped = torch::randn({33, 4}).t();  // not contiguous
  CHECK(torch::equal(dropout(flipped, row_keys(4), 0.5), flipped * wide));
  CHECK_THROWS(dropout(x, row_keys(3), 0.5));
}
