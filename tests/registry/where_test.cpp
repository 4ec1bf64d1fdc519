#include "registry/where.h"

#include "core/error.h"
#include "core/files.h"
#include "registry/registry.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

/// The tree in prefix form.
std::string shape(const Where& where) {
  if (where.kind == Where::kCompare) return where.key + where.op + where.value.dump();
  std::string text = where.kind == Where::kAnd ? "(and" : where.kind == Where::kOr ? "(or" : "(not";
  for (const auto& part : where.parts) text += " " + shape(part);
  return text + ")";
}

/// Four runs of two rates, three of them scored, and an ensemble.
struct Workspace {
  TempDir dir;
  Registry registry = Registry::open(dir / "registry.db");

  Workspace() {
    std::vector<RunSpec> specs;
    for (const double rate : {1e-5, 5e-5}) {
      for (const int64_t seed : {1, 2}) {
        RunSpec spec;
        spec.name = rate < 2e-5 ? "slow" : "fast";
        spec.train.learning_rate = rate;
        spec.train.seed = seed;
        spec.train = resolve(spec.train);
        spec.params["learning_rate"] = rate;
        specs.push_back(spec);
      }
    }
    const auto sweep = registry.add_sweep("lr", "/x/lr.toml", "content", 100);
    registry.add_runs(sweep.id, specs, 100);
    const double scores[] = {80, 82.5, 79};
    for (int i = 0; i < 3; ++i) {
      const std::string id = "run" + std::to_string(i + 1);
      registry.set_evaluation({id, "default", scores[i], 70.0 + i, Json::object()});
    }
    registry.add_ensemble(
        {"both", Json::object(), {"run1", "run2"}, EvaluationRecord{"", "default", 84, 75, {}}}, 200);
  }

  std::string ids(const std::string& where, const std::string& sort = "id", size_t limit = 0,
                  bool is_reversed = false) const {
    std::string text;
    for (const auto& run : registry.query_runs({parse_where(where), sort, is_reversed, limit}))
      text += (text.empty() ? "" : " ") + run.id;
    return text;
  }
};

}  // namespace

TEST_CASE("where: and binds closer than or, words are values", "[registry]") {
  CHECK(shape(parse_where("")) == "(and)");
  CHECK(shape(parse_where("f1>80")) == "f1>80.0");
  CHECK(shape(parse_where(" learning_rate <= 4e-5 and f1>80 or state == failed ")) ==
        "(or (and learning_rate<=4e-05 f1>80.0) state=\"failed\")");
  CHECK(shape(parse_where("not (name='a b' or tag!=best) and x~\"y\"")) ==
        "(and (not (or name=\"a b\" tag!=\"best\")) x~\"y\")");
  CHECK(shape(parse_where("order=3 and nothing=true")) == "(and order=3.0 nothing=true)");
  CHECK(shape(parse_where("x=-1.5 and y=run-1 and z=1e")) == "(and x=-1.5 y=\"run-1\" z=\"1e\")");
}

TEST_CASE("where: what cannot be read is pointed at", "[registry]") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"f1", "expected one of < <= > >= = != ~ at 'its end'"},
      {"f1 > ", "expected a value at 'its end'"},
      {"> 3", "expected the name of a column or parameter at '> 3'"},
      {"f1>80 learning_rate<1", "expected 'and' or 'or' at 'learning_rate<1'"},
      {"f1>80 and", "expected the name of a column or parameter at 'its end'"},
      {"(f1>80", "expected ')' at 'its end'"},
      {"name='a", "the quote is not closed at ''a'"},
      {std::string(200, '('), "too many parentheses at"},
  };
  for (const auto& [text, message] : rows) {
    INFO(text);
    CHECK_THROWS_WITH(parse_where(text), Catch::Contains(message));
  }
}

TEST_CASE("query: conditions on columns, parameters, tags and sweeps", "[registry]") {
  const Workspace w;
  CHECK(w.ids("") == "run1 run2 run3 run4 ens1");
  CHECK(w.ids("f1>=80") == "run1 run2 ens1");
  CHECK(w.ids("learning_rate<4e-5 and f1>80") == "run2");
  CHECK(w.ids("not f1>80") == "run1 run3 run4");  // what has no score is not above 80
  CHECK(w.ids("seed=1 and (name=slow or learning_rate>4e-5)") == "run1 run3");
  CHECK(w.ids("name~as") == "run3 run4");
  CHECK(w.ids("name~%") == "");
  CHECK(w.ids("batch_size=12") == "run1 run2 run3 run4");  // fixed, not swept
  CHECK(w.ids("bias_correction=true and state=queued") == "run1 run2 run3 run4");
  CHECK(w.ids("sweep=sweep1 and id!=run2") == "run1 run3 run4");
  CHECK(w.ids("tag=best") == "");
  CHECK(w.ids("tag!=best") == "run1 run2 run3 run4 ens1");
  CHECK(w.ids("sweep!=sweep1") == "ens1");
  CHECK_THROWS_WITH(w.ids("f1>abc"), "--where: f1 is a number, 'abc' is none");
  CHECK_THROWS_WITH(w.ids("created>2026-01-01"), Catch::Contains("created is a number"));
  CHECK_THROWS_WITH(w.ids("batch_size='12'"), Catch::Contains("batch_size is a number"));
  CHECK_THROWS_WITH(w.ids("state=fail"), "--where: there is no state 'fail'");
  CHECK(w.ids("state~queue and state!=failed") == "run1 run2 run3 run4");
  CHECK_THROWS_WITH(w.ids("learning_rat<1"), Catch::Contains("did you mean 'learning_rate'?"));
  CHECK_THROWS_WITH(w.ids("x\"y=1"), Catch::Contains("--where"));
  CHECK(w.ids("name=\"'; DROP TABLE runs; --\"") == "");
  CHECK(w.ids("") == "run1 run2 run3 run4 ens1");
}

TEST_CASE("query: orders, reversed and cut", "[registry]") {
  const Workspace w;
  CHECK(w.ids("", "f1") == "ens1 run2 run1 run3 run4");
  CHECK(w.ids("", "f1", 2) == "ens1 run2");
  CHECK(w.ids("", "f1", 0, true) == "run3 run1 run2 ens1 run4");
  CHECK(w.ids("", "id", 0, true) == "ens1 run4 run3 run2 run1");
  CHECK(w.ids("", "name") == "ens1 run3 run4 run1 run2");
  CHECK(w.ids("seed=2", "learning_rate", 0, true) == "run4 run2");
  CHECK(w.ids("", "exact_match") == "ens1 run3 run2 run1 run4");
  CHECK_THROWS_WITH(w.ids("", "lerning_rate"), Catch::Contains("did you mean 'learning_rate'?"));
  CHECK_THROWS_WITH(w.ids("", "F1"), Catch::Contains("did you mean 'f1'?"));
  CHECK_THROWS_WITH(w.ids("EM>90"), Catch::Contains("did you mean 'em'?"));
}

TEST_CASE("where: what a run may have several of is no order", "[registry]") {
  const Workspace runs;
  CHECK_THROWS_WITH(runs.ids("", "tag"), "one cannot sort by tag: a run may have several");
  CHECK_THROWS_WITH(runs.ids("", "sweep"), "one cannot sort by sweep: a run may have several");
  CHECK_THROWS_WITH(runs.ids("", "tga"), Catch::Contains("no run has a column or parameter 'tga'"));
}
