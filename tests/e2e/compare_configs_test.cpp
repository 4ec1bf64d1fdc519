// `expctl compare` of configs and sweeps, and `expctl sweep --replicate`, on runs of shell scripts.
#include "tests/e2e/command_sweep.h"
#include "tests/support/command_output.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;

namespace {

/// 24 questions in 8 paragraphs of 4 articles; all answers are "blue".
std::string dev_json() {
  Json articles = Json::array();
  for (int article = 0; article < 4; ++article) {
    Json paragraphs = Json::array();
    for (int p = 0; p < 2; ++p) {
      Json questions = Json::array();
      for (int q = 0; q < 3; ++q) {
        questions.push_back({{"id", "q" + std::to_string(article * 6 + p * 3 + q)},
                             {"question", "what?"},
                             {"answers", {{{"text", "blue"}, {"answer_start", 11}}}}});
      }
      paragraphs.push_back({{"context", "the sky is blue"}, {"qas", questions}});
    }
    articles.push_back({{"title", "t" + std::to_string(article)}, {"paragraphs", paragraphs}});
  }
  return Json{{"version", "1.1"}, {"data", articles}}.dump();
}

/// Three configs by three seeds; of ten questions `right` are answered, others with each seed.
void write_files(const TempDir& folder) {
  write_file(folder / "dev.json", dev_json());
  write_file(folder / "s.toml",
             R"(
[data]
dev = "dev.json"
[command]
argv = ["/bin/sh", "-c", """
echo {right} {seed} >> ../../starts.txt
awk 'BEGIN {{ printf "{{"; for (i = 0; i < 24; i++) printf "%s\\\"q%d\\\": \\\"%s\\\"", i ? ", " : "", i, (i * 7 + {seed} * 3) % 10 < {right} ? "blue" : "red"; print "}" }' > predictions.json
"""]
predictions = "predictions.json"
[sweep]
seeds = [1, 2, 3]
[sweep.space]
right = [8, 7, 2]
[resources]
gpus = 0
retries = 0
)");
}

struct Workspace {
  TempDir folder;
  Workspace() { write_files(folder); }
  ProgramResult operator()(std::vector<std::string> words) const {
    words.insert(words.begin(), {(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string()});
    return run_program(words);
  }
  Json json(std::vector<std::string> words, const std::string& what) const {
    words.insert(words.begin(), "--json");
    const ProgramResult result = (*this)(words);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    check_output(what, result.out);
    return Json::parse(result.out);
  }
  std::string sweep_file() const { return (folder / "s.toml").string(); }
};

}  // namespace

TEST_CASE("compare: configs by all their seeds, a sweep's with each other", "[e2e]") {
  const Workspace at;
  REQUIRE(at({"sweep", at.sweep_file()}).exit_code == 0);
  const Json named = at.json({"compare", "run1", "run7", "--configs"}, "compare --configs");
  CHECK(named["configs"].size() == 2);
  CHECK(named["configs"][0]["ids"].size() == 3);
  CHECK(named["configs"][0]["seeds"].size() == 3);
  const Json& against = named["against_first"][0];
  CHECK(against["paired"] == true);
  CHECK(against["f1_difference"].get<double>() < -30);
  CHECK(against["interval"]["high"].get<double>() < 0);
  CHECK(against["f1_difference"].get<double>() ==
        Approx(named["configs"][1]["mean_f1"].get<double>() - named["configs"][0]["mean_f1"].get<double>()));
  const Json by_article = at.json(
      {"compare", "run1", "run4", "--configs", "--by", "article", "--difference", "3"}, "compare --configs");
  CHECK(by_article["against_first"][0]["seeds_needed"]["difference"] == 3.0);

  const Json swept = at.json({"compare", "sweep1"}, "compare sweep");
  CHECK(swept["configs"].size() == 3);
  CHECK(swept["configs"][0]["to_best_other"]["may_be_best"] == true);
  CHECK(swept["configs"][2]["to_best_other"]["may_be_best"] == false);
  CHECK(swept["best_looks"]["runs"] == 9);
  CHECK(swept["best_looks"]["optimism"].get<double>() > 0);
  const ProgramResult text = at({"compare", "sweep1"});
  CHECK_THAT(text.out, Contains("configs may still be the best (95 % confidence") &&
                           Contains("The best of 9 runs") && Contains("F1 better than it is") &&
                           Contains("The two best differ by") && Contains("To find a difference of"));
  CHECK_THAT(at({"compare", "run1", "run4", "--configs"}).out,
             Contains("95 % interval over seeds, which are the same, and paragraphs"));

  CHECK_THAT(at({"compare", "run1", "run2", "--configs"}).err, Contains("are of one config"));
  CHECK(at({"compare", "run1", "--configs"}).exit_code == 2);
  CHECK(at({"compare", "sweep1", "run1"}).exit_code == 2);
  CHECK(at({"compare", "sweep9"}).exit_code == 3);
  CHECK(at({"compare", "run1", "run4", "--difference", "1"}).exit_code == 2);
  const ProgramResult nothing = at({"compare", "sweep1", "--difference", "0"});
  CHECK(nothing.exit_code == 2);
  CHECK_THAT(nothing.err, Contains("0: it must be a number greater than 0"));

  REQUIRE(at({"report", "--out", (at.folder / "r.md").string()}).exit_code == 0);
  CHECK_THAT(read_file(at.folder / "r.md"), Contains("The best of 9 runs") &&
                                                Contains("may still be the best (95 %") &&
                                                Contains("The two best, over the questions too: configuration 1 - configuration 2"));
}

TEST_CASE("sweep --replicate: the best configs get seeds until each has so many, once", "[e2e]") {
  const Workspace at;
  const ProgramResult early = at({"sweep", at.sweep_file(), "--replicate", "5"});
  CHECK(early.exit_code != 0);
  REQUIRE(at({"sweep", at.sweep_file(), "--max-runs", "8"}).exit_code == 0);
  CHECK_THAT(at({"sweep", at.sweep_file(), "--replicate", "5"}).err, Contains("have not ended"));
  REQUIRE(at({"sweep", at.sweep_file()}).exit_code == 0);
  REQUIRE(at({"sweep", at.sweep_file(), "--replicate", "5", "--best", "2", "--max-runs", "1"}).exit_code ==
          0);
  for (int again = 0; again < 2; ++again) {
    const Json runs = at.json({"sweep", at.sweep_file(), "--replicate", "5", "--best", "2"}, "sweep")["runs"];
    CHECK(runs.size() == 13);
    for (const auto& run : runs) {
      CHECK(run["state"] == "succeeded");
      CHECK((run["seed"] <= 3 || run["params"]["right"] > 2));
    }
  }
  const std::string starts = read_file(at.folder / "starts.txt");
  CHECK(std::count(starts.begin(), starts.end(), '\n') == 13);
  // The third config has the three seeds of the file, which the first has too: these are compared.
  const Json unlike =
      at.json({"compare", "run1", "run7", "--configs"}, "compare --configs")["against_first"][0];
  CHECK(unlike["paired"] == true);
  CHECK(unlike["pairs"] == 3);
  CHECK_THAT(at({"compare", "run1", "run7", "--configs"}).out,
             Contains("95 % interval over seeds, the 3 that both have, and paragraphs"));
  CHECK(at.json({"compare", "sweep1"}, "compare sweep")["configs"][0]["scored"] == 5);
  // The plain command knows only what the file says, and leaves the others alone; the folders say what the
  // registry does.
  CHECK(at.json({"sweep", at.sweep_file()}, "sweep")["runs"].size() == 9);
  CHECK(at({"registry", "check"}).exit_code == 0);
  CHECK(at({"sweep", at.sweep_file(), "--best", "2"}).exit_code == 2);
}

TEST_CASE("compare: configs whose seeds all score the same", "[e2e]") {
  const Workspace at;
  std::string text = read_file(at.folder / "s.toml");
  text.replace(text.find("{seed} * 3"), 10, "0 * 3");  // the job takes no notice of its seed
  write_file(at.sweep_file(), text);
  REQUIRE(at({"sweep", at.sweep_file()}).exit_code == 0);
  const Json swept = at.json({"compare", "sweep1"}, "compare sweep");
  CHECK(swept["configs"][0]["to_best_other"]["may_be_best"] == true);
  CHECK(swept["seeds_needed"].is_null());
  at.json({"compare", "run1", "run4", "--configs"}, "compare --configs");
  CHECK(at({"report", "--out", (at.folder / "r.md").string()}).exit_code == 0);
}

TEST_CASE("compare: questions of one article say nothing of other articles", "[e2e]") {
  const Workspace at;
  Json dev = Json::parse(read_file(at.folder / "dev.json"));
  dev["data"] = Json::array({dev["data"][0]});
  write_file(at.folder / "dev.json", dev.dump());
  REQUIRE(at({"sweep", at.sweep_file()}).exit_code == 0);
  const ProgramResult refused = at({"compare", "run1", "run4", "--configs", "--by", "article"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("has one article only") && Contains("leave out --by"));
  CHECK(at({"compare", "run1", "run4", "--configs"}).exit_code == 0);
}
