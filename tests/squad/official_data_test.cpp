#include "squad/official_data.h"

#include <algorithm>

#include "core/contest_rules.h"
#include "core/files.h"
#include "core/hash.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;

namespace {

Article article(const std::string& context) {
  return {"t", {{context, {{context + "1", "why?", {{"a", 0}}}}}}};
}

}  // namespace

TEST_CASE("official_data: the order of articles and the file's form do not matter, every text does",
          "[squad]") {
  const Dataset dataset{"1.1", {article("a b"), article("a c")}};
  Dataset turned = dataset;
  std::reverse(turned.articles.begin(), turned.articles.end());
  CHECK(content_sha256(turned) != content_sha256(dataset));
  CHECK(articles_sha256(turned) == articles_sha256(dataset));
  Dataset changed = dataset;
  changed.articles[1].paragraphs[0].questions[0].answers[0].text = "b";
  CHECK(articles_sha256(changed) != articles_sha256(dataset));
  Dataset twice = dataset;
  twice.articles.push_back(twice.articles[0]);
  CHECK(articles_sha256(twice) != articles_sha256(dataset));

  const TempDir dir;
  write_file(dir / "x.json", "published");
  const std::string file = sha256_file(dir / "x.json"), articles = articles_sha256(dataset);
  CHECK(match_official(dir / "x.json", turned, {"", file, ""}) == OfficialMatch::kFile);
  CHECK(match_official(dir / "x.json", turned, {"", "other", articles}) == OfficialMatch::kArticles);
  CHECK(match_official(dir / "x.json", changed, {"", "other", articles}) == OfficialMatch::kOther);
  CHECK(match_official(dir / "x.json", changed, {"", "", ""}) == OfficialMatch::kOther);
}

TEST_CASE("official_data: the dev data at hand has the articles that the rules of 2020 prescribe",
          "[squad]") {
  const auto file = shared_dir() / "squad/dev-v1.1.json";
  SKIP_UNLESS(std::filesystem::exists(file), "no shared folder with SQuAD");
  const ContestRules rules = find_contest_rules("hpc-ai-2020");
  CHECK(match_official(file, read_dataset(file), rules.dev_data) != OfficialMatch::kOther);
}
