#include "reports/submission.h"

#include <catch2/catch.hpp>

#include "core/error.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

Candidate candidate(const std::string& id, double f1, int length = 384) {
  Candidate c;
  c.record.id = id;
  c.record.f1 = f1;
  c.record.exact_match = f1 - 10;
  c.evaluation = {{"dev_sha256", "95aa6a52d5d6a735563366753ca50492"}, {"max_seq_length", length}};
  return c;
}

}  // namespace

TEST_CASE("submission: the best by F1, and the mean of the first of them", "[reports]") {
  const auto s = choose_entries(
      {candidate("run1", 70), candidate("run2", 90), candidate("run3", 80), candidate("run4", 60)}, 3, 2);
  REQUIRE(s.entries.size() == 3);
  CHECK(s.entries[0].folder == "run1");
  CHECK(s.entries[0].record.id == "run2");
  CHECK(s.entries[1].record.id == "run3");
  CHECK(s.entries[2].record.id == "run1");
  CHECK(s.top_mean == 85);
}

TEST_CASE("submission: the summary has the members that the design fixes", "[reports]") {
  const Json json = summary_json(choose_entries({candidate("ens1", 90), candidate("run1", 70)}, 2, 1));
  CHECK(
      json_line(json) ==
      R"({"schema_version":1,"top3_mean":90.0,"average":1,"entries":[{"folder":"run1","id":"ens1","f1":90.0,"exact_match":80.0,"probability_score":null},)"
      R"({"folder":"run2","id":"run1","f1":70.0,"exact_match":60.0,"probability_score":null}],)"
      R"("evaluation":{"dev_sha256":"95aa6a52d5d6a735563366753ca50492","max_seq_length":384},"rules":[]})");
}

TEST_CASE("submission: too few entries, an impossible mean, and mixed evaluations are refused", "[reports]") {
  CHECK_THROWS_WITH(choose_entries({candidate("run1", 70)}, 5, 3), "there are 1 scored entries, not 5");
  CHECK_THROWS_WITH(choose_entries({}, 5, 3), Contains("there are 0 scored entries"));
  CHECK_THROWS_WITH(choose_entries({candidate("run1", 70)}, 1, 3), Contains("the mean of the best 3 of 1"));
  CHECK_THROWS_WITH(choose_entries({candidate("run1", 70)}, 1, 0), Contains("the mean of the best 0"));
  CHECK_THROWS_WITH(
      choose_entries({candidate("run1", 70), candidate("run2", 99, 128), candidate("run3", 60)}, 2, 1),
      "the scored entries are of 2 evaluations: run1 run3 (dev_sha256 95aa6a52d5d6, max_seq_length 384); "
      "run2 (dev_sha256 95aa6a52d5d6, max_seq_length 128)");
}
