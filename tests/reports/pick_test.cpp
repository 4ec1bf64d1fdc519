// Random sets of entries, picked by choose_entries and by a plain Python statement of the rule.
#include <cmath>
#include <random>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "reports/submission.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;

namespace {

struct Case {
  size_t top, average;
  std::vector<Candidate> entries;
};

/// Few different scores, so that most entries are tied with another; some fail, some F1 are no number.
Case random_case(std::mt19937& random) {
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  Case c{1 + below(6), 0, {}};
  c.average = 1 + below(static_cast<unsigned>(c.top));
  const unsigned count = below(12), scores = 1 + below(5);
  for (unsigned i = 0; i < count; ++i) {
    Candidate candidate;
    candidate.record.id = (below(4) == 0 ? "ens" : "run") + std::to_string(i);
    candidate.record.position = i + 1;
    candidate.record.state = below(6) == 0 ? RunState::kFailed : RunState::kSucceeded;
    candidate.record.f1 = 80 + static_cast<double>(below(scores)) / 3;
    if (below(10) == 0) candidate.record.f1 = NAN;
    candidate.record.exact_match = static_cast<double>(below(100));  // which does not matter
    if (below(3) > 0) candidate.probability_score = static_cast<double>(below(3)) / 7;
    c.entries.push_back(candidate);
  }
  std::shuffle(c.entries.begin(), c.entries.end(), random);
  return c;
}

std::string line_of(const Case& c) {
  Json entries = Json::array();
  for (const auto& e : c.entries) {
    entries.push_back({{"id", e.record.id},
                       {"age", e.record.position},
                       {"state", name_of(e.record.state)},
                       {"f1", std::isfinite(*e.record.f1) ? Json(*e.record.f1) : Json()},
                       {"probability", e.probability_score ? Json(*e.probability_score) : Json()}});
  }
  return json_line({{"top", c.top}, {"average", c.average}, {"entries", entries}});
}

Json picked(const Case& c) {
  std::vector<Candidate> succeeded;
  for (const auto& e : c.entries) {
    if (e.record.state == RunState::kSucceeded) succeeded.push_back(e);
  }
  try {
    const Submission s = choose_entries(succeeded, c.top, c.average);
    Json ids = Json::array();
    for (const auto& entry : s.entries) ids.push_back(entry.record.id);
    return {{"ids", ids}, {"mean", s.top_mean}};
  } catch (const Error&) {
    return nullptr;
  }
}

}  // namespace

TEST_CASE("pick: the best and their mean are those of a plain statement of the rule", "[reports]") {
  std::mt19937 random(20);
  std::vector<Case> cases;
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    cases.push_back(random_case(random));
    text += line_of(cases.back()) + "\n";
  }
  const TempDir dir;
  write_file(dir / "cases.jsonl", text);
  const ProgramResult rule =
      run_program({"/bin/sh", "-c", "exec python3 \"$1\" < \"$2\"", "sh",
                   (source_dir() / "tests/reports/pick_rule.py").string(), (dir / "cases.jsonl").string()});
  INFO(rule.err);
  REQUIRE(rule.exit_code == 0);
  const auto lines = split(rule.out, '\n');
  REQUIRE(lines.size() >= cases.size());
  size_t none = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    const Json expected = Json::parse(lines[i]);
    INFO(line_of(cases[i]));
    REQUIRE(picked(cases[i]) == expected);
    none += expected.is_null() ? 1 : 0;
  }
  CHECK(none > 100);
  CHECK(none < cases.size() / 2 + 500);
}

TEST_CASE("pick: those that may be handed in are all that tie with the last", "[reports]") {
  std::vector<Candidate> candidates;
  for (const double f1 : {90.0, 80.0, 80.0, 80.0, 70.0}) {
    Candidate candidate;
    candidate.record.position = static_cast<int64_t>(candidates.size());
    candidate.record.f1 = f1;
    candidates.push_back(candidate);
  }
  CHECK(count_contenders(candidates, 1) == 1);
  CHECK(count_contenders(candidates, 2) == 4);
  CHECK(count_contenders(candidates, 4) == 4);
  CHECK(count_contenders(candidates, 5) == 5);
  CHECK(count_contenders(candidates, 9) == 5);
}
