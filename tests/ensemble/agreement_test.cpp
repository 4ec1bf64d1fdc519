#include "ensemble/agreement.h"

#include <catch2/catch.hpp>

using namespace expctl;

TEST_CASE("agreement: answers are compared as the official evaluation normalises them", "[ensemble]") {
  const auto shares = agreement({{{"q1", "The sky."}, {"q2", "blue"}, {"q3", "a b"}, {"q4", "x"}},
                                 {{"q1", "sky"}, {"q2", "red"}, {"q3", "b"}},
                                 {{"q1", "sea"}, {"q2", "red"}, {"q3", "c"}, {"q4", "x"}}});
  CHECK(shares[0] == std::vector<double>{1, 0.5, 0.25});
  CHECK(shares[1] == std::vector<double>{0.5, 1, 0.25});
  CHECK(shares[2] == std::vector<double>{0.25, 0.25, 1});
  CHECK(agreement({{{"q1", "a b"}}, {{"q1", "c"}}})[0] == std::vector<double>{1, 0});
  CHECK(agreement({{}, {}})[0] == std::vector<double>{1, 1});
}

TEST_CASE("agreement: of each size every ring of neighbours counts once", "[ensemble]") {
  // A question's F1 is the share of its member among the weights.
  ScoreBook book(3, [](const std::vector<double>& weights) {
    const double total = weights[0] + weights[1] + weights[2];
    return std::vector<double>{weights[0] / total, weights[1] / total};
  });
  const auto sizes = f1_by_size(book, {0, 1});
  REQUIRE(sizes.size() == 3);
  CHECK(sizes[0].mean == Approx(100.0 / 3));
  CHECK(sizes[0].least == 0);
  CHECK(sizes[0].greatest == 50);
  CHECK(sizes[1].least == 25);
  CHECK(sizes[1].greatest == 50);
  CHECK(sizes[2].mean == Approx(100.0 / 3));
  CHECK(sizes[2].least == sizes[2].greatest);
}
