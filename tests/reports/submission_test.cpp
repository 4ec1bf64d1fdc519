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

TEST_CASE("submission: of equal F1 the higher probability score is better, then the older entry",
          "[reports]") {
  auto none = candidate("run1", 90), low = candidate("run2", 90), high = candidate("run3", 90),
       same = candidate("run4", 90);
  low.probability_score = 0.5;
  high.probability_score = same.probability_score = 0.75;
  high.record.position = 3;
  same.record.position = 4;
  const auto ranked = rank_candidates({none, low, same, high, candidate("run5", 91)});
  std::string ids;
  for (const auto& one : ranked) ids += one.record.id + " ";
  CHECK(ids == "run5 run3 run4 run2 run1 ");
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
  CHECK_THROWS_WITH(choose_entries({candidate("run1", 70)}, 5, 3), "there is 1 scored entry, not 5");
  CHECK_THROWS_WITH(choose_entries({}, 5, 3), Contains("there are 0 scored entries"));
  CHECK_THROWS_WITH(choose_entries({candidate("run1", 70)}, 1, 3), Contains("the mean of the best 3 of 1"));
  CHECK_THROWS_WITH(choose_entries({candidate("run1", 70)}, 1, 0), Contains("the mean of the best 0"));
  CHECK_THROWS_WITH(
      choose_entries({candidate("run1", 70), candidate("run2", 99, 128), candidate("run3", 60)}, 2, 1),
      "run2 was scored with max_seq_length 128 and not 384, so run2 cannot be ranked with the others");
}

TEST_CASE("submission: what another program made is named as what cannot be ranked", "[reports]") {
  auto imported = candidate("run7", 99), elsewhere = candidate("run8", 99);
  imported.evaluation.erase("max_seq_length");
  elsewhere.evaluation["dev_sha256"] = "0";
  const std::vector<Candidate> known = {candidate("run1", 70), candidate("run2", 80)};
  auto mixed = known;
  mixed.push_back(imported);
  try {
    choose_entries(mixed, 2, 1);
    FAIL("entries of two evaluations were ranked");
  } catch (const Error& e) {
    CHECK(std::string(e.what()) ==
          "run7 was made by another program: its windows are not known, so run7 cannot be ranked with the "
          "others");
    CHECK_THAT(e.hint(), Contains("--except run7 leaves it out"));
  }
  // Of more that another program has made, these are the ones to rank with.
  auto second = imported;
  second.record.id = "run9";
  CHECK_THROWS_WITH(choose_entries({imported, second, candidate("run1", 70)}, 2, 1),
                    "the windows of run7, run9 are not known: another program made them, so run1 cannot be "
                    "ranked with the others");
  CHECK_THROWS_WITH(choose_entries({imported, candidate("run1", 70)}, 2, 1),
                    Contains("the windows of run7 are not known: another program made it, so run1 cannot"));
  mixed.push_back(elsewhere);
  CHECK_THROWS_WITH(choose_entries(mixed, 2, 1),
                    Contains("run8 was scored on other dev data, so run7, run8 cannot be ranked"));
}
