#include "trainer/dropout.h"

#include <cmath>
#include <set>

#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("dropout: every part of a key makes another one", "[trainer]") {
  std::set<uint64_t> keys;
  for (int64_t i = 0; i < 4; ++i) {
    for (int64_t j = 0; j < 4; ++j) {
      for (int64_t k = 0; k < 4; ++k) keys.insert(dropout_row_key({1, 2}, i, j, k));
    }
  }
  keys.insert(dropout_row_key({2, 2}, 0, 0, 0));
  keys.insert(dropout_row_key({1, 3}, 0, 0, 0));
  CHECK(keys.size() == 66);
  CHECK(dropout_row_key({1, 2}, 3, 2, 1) == dropout_row_key({1, 2}, 3, 2, 1));
}

TEST_CASE("dropout: in its first pass a sequence is its place, in each other pass another one", "[trainer]") {
  std::set<int64_t> sequences;
  for (const int64_t place : {0, 1, 999'999'999}) {
    CHECK(sequence_in_pass(place, 0) == place);
    for (int64_t pass = 0; pass < 4; ++pass) sequences.insert(sequence_in_pass(place, pass));
  }
  CHECK(sequences.size() == 12);
  CHECK(sequence_in_pass(3, 2) + 4 == sequence_in_pass(7, 2));
}

TEST_CASE("dropout: a rate of 0 drops nothing", "[trainer]") {
  CHECK(dropout_mask(0).threshold == 0);
  CHECK(dropout_mask(0).scale == 1.0f);
  CHECK(dropout_mask(0.25).threshold == 1u << 14);
  CHECK(dropout_mask(0.25).scale == 4.0f / 3);
}

// Two elements kMaskPair apart have the bits of one hash.
TEST_CASE("dropout: elements are zeroed as often as the rate says, each whatever another one is",
          "[trainer]") {
  constexpr int64_t kRows = 4000, kElements = 64;
  const double rate = GENERATE(0.1, 0.5, 0.9);
  const Mask mask = dropout_mask(rate);
  const auto is_zeroed = [&](int64_t row, int64_t i) {
    return mask_factor(dropout_row_key({7, 1}, row % 8, 0, row / 8), mask, static_cast<uint32_t>(i)) == 0;
  };
  for (const int64_t distance : {0, 1, 2, 4, 8, 16, 24}) {
    INFO("rate " << rate << ", elements " << distance << " apart");
    int64_t zeroed = 0, count = 0;
    for (int64_t row = 0; row < kRows; ++row) {
      for (int64_t i = 0; i + distance < kElements; ++i, ++count)
        zeroed += is_zeroed(row, i) && is_zeroed(row, i + distance);
    }
    const double expected = distance == 0 ? rate : rate * rate, n = static_cast<double>(count);
    // Pairs overlap, and masks come in steps of 1 / 65536.
    const double margin = 5 * std::sqrt(2 * expected * (1 - expected) / n) + 1.0 / 65536;
    CHECK(std::abs(static_cast<double>(zeroed) / n - expected) < margin);
  }
}
