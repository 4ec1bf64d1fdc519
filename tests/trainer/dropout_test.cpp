#include "trainer/dropout.h"

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

TEST_CASE("dropout: a rate of 0 drops nothing", "[trainer]") {
  CHECK(dropout_mask(0).threshold == 0);
  CHECK(dropout_mask(0).scale == 1.0f);
  CHECK(dropout_mask(0.25).threshold == 1u << 30);
}
