#include "trainer/data_order.h"

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;
using Order = std::vector<int64_t>;

TEST_CASE("data order: an epoch's is a permutation, of the seed and the epoch alone", "[trainer]") {
  auto order = seeded_order(1, 50)(0);
  CHECK(order == seeded_order(1, 50)(0));
  CHECK(order != seeded_order(1, 50)(1));
  CHECK(order != seeded_order(2, 50)(0));
  std::sort(order.begin(), order.end());
  for (int64_t i = 0; i < 50; ++i) REQUIRE(order[static_cast<size_t>(i)] == i);
}

TEST_CASE("data order: a file gives that of each epoch, and refuses what is none", "[trainer]") {
  const TempDir dir;
  const auto read = [&](const std::string& text) {
    write_file(dir / "order.json", text);
    return order_from_file(dir / "order.json", 3);
  };
  const auto order = read("[[2,0,1],[1,2,0]]");
  CHECK(order(0) == Order{2, 0, 1});
  CHECK(order(1) == Order{1, 2, 0});
  CHECK_THROWS_WITH(order(2), Catch::Contains("order.json: it has no epoch 2"));
  CHECK_THROWS_WITH(read("[[2,0,1],[1,1,0]]"), Catch::Contains("epoch 1: not a permutation of 0 to 2"));
  CHECK_THROWS_WITH(read("[[0,1]]"), Catch::Contains("not a permutation"));
  CHECK_THROWS_WITH(read("[[0,1,3]]"), Catch::Contains("not a permutation"));
  CHECK_THROWS_WITH(read("{\"epochs\": 3}"), Catch::Contains("not a list of lists"));
  CHECK_THROWS_AS(order_from_file(dir / "absent.json", 3), Error);
}
