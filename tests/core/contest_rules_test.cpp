#include "core/contest_rules.h"

#include "core/error.h"
#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;

TEST_CASE("contest_rules: the profiles that come with the program", "[core]") {
  CHECK(contest_names() == std::vector<std::string>{"hpc-ai-2020", "none"});
  for (const auto& name : contest_names()) CHECK(find_contest_rules(name).name == name);
  const ContestRules none = find_contest_rules("none"), contest = find_contest_rules("hpc-ai-2020");
  CHECK(none.top == 0);
  CHECK_FALSE(none.whole_model_trained);
  CHECK_FALSE(none.dev_data_kept_out);
  CHECK(contest.whole_model_trained);
  CHECK(contest.dev_data_kept_out);
  CHECK_FALSE(none.train_data.is_prescribed());
  CHECK(contest.top == 5);
  CHECK(contest.average == 3);
  CHECK(contest.architecture["hidden_size"] == 768);
  CHECK(contest.init_files.size() == 4);
  CHECK_THAT(contest.changed_head, Contains("8 June 2020"));
  CHECK(none.changed_head.empty());
  CHECK(contest.dev_data.is_prescribed());
}

TEST_CASE("contest_rules: another contest's are a file", "[core]") {
  const TempDir dir;
  write_file(dir / "own.json", R"({"name": "own", "top": 2, "average": 1, "entry_folder": "team-{rank}"})");
  const ContestRules own = find_contest_rules((dir / "own.json").string());
  CHECK(own.name == "own");
  CHECK(own.entry_folder == "team-{rank}");
  CHECK(own.evaluation == "default");
  CHECK(own.items.empty());
}

TEST_CASE("contest_rules: what is wrong with a profile is said", "[core]") {
  const auto parse = [](const char* text) { parse_contest_rules(text, "own.json"); };
  CHECK_THROWS_WITH(parse("[]"), Contains("own.json: it is no object"));
  CHECK_THROWS_WITH(parse("{}"), Contains("own.json: 'name' is missing"));
  CHECK_THROWS_WITH(parse(R"({"name": "x", "topp": 5})"),
                    "own.json: unknown member 'topp'; did you mean 'top'?");
  CHECK_THROWS_WITH(parse(R"({"name": "x", "top": "5"})"), Contains("'top' has the wrong type"));
  CHECK_THROWS_WITH(parse(R"({"name": "x", "top": 2, "average": 3})"),
                    Contains("the mean of the best 3 of 2"));
  CHECK_THROWS_WITH(parse(R"({"name": "x", "top": 1, "average": 2})"),
                    Contains("the mean of the best 2 of 1"));
  CHECK_NOTHROW(parse(R"({"name": "x", "top": 0, "average": 3})"));  // of any number
  CHECK_NOTHROW(parse(R"({"name": "x", "top": 3, "average": 3})"));
  CHECK_THROWS_WITH(parse(R"({"name": "x", "entry_folder": "../{rank}"})"), Contains("'entry_folder' is"));
  CHECK_THROWS_WITH(parse(R"({"name": "x", "entry_folder": "run"})"), Contains("'entry_folder' is"));
  CHECK_THROWS_WITH(parse(R"({"name": "x", "dev_data": {"file": "d", "sha": ""}})"),
                    Contains("own.json: 'dev_data': unknown member 'sha'"));
  CHECK_THROWS_WITH(find_contest_rules("hpc-ai-2021"),
                    "hpc-ai-2021: no such profile of rules; did you mean 'hpc-ai-2020'?");
}
