#include "cli/published.h"

#include "core/error.h"
#include "tests/support/support.h"

using namespace expctl;
using Catch::Matchers::Contains;

TEST_CASE("published: every file has a whole SHA-256 and comes from an https address or a zip of one",
          "[cli]") {
  REQUIRE(published_items().size() == 2);
  for (const auto& item : published_items()) {
    for (const auto& file : item.files) {
      INFO(file.name);
      CHECK(file.sha256.size() == 64);
      CHECK(file.sha256.find_first_not_of("0123456789abcdef") == std::string::npos);
      const std::string& url = item.zip ? item.zip->url : file.url;
      CHECK(url.starts_with("https://"));
      CHECK(url.ends_with("/" + (item.zip ? item.zip->name : file.name)));
    }
  }
}

TEST_CASE("published: another server takes the place of scheme and host", "[cli]") {
  const PublishedItem squad = served_from(find_published("squad"), "http://mirror:8000/nlp/");
  CHECK(squad.files[1].url == "http://mirror:8000/nlp/SQuAD-explorer/dataset/dev-v1.1.json");
  const PublishedItem bert = served_from(find_published("bert-base-uncased"), "https://mirror");
  CHECK(bert.zip->url == "https://mirror/bert_models/2018_10_18/uncased_L-12_H-768_A-12.zip");
  CHECK(served_from(squad, "").files[1].url == squad.files[1].url);
  CHECK_THROWS_WITH(served_from(squad, "mirror:8000"), Contains("neither an http nor an https address"));
}

TEST_CASE("published: an item that there is not", "[cli]") {
  CHECK_THROWS_WITH(find_published("squat"), Contains("'squat'; did you mean 'squad'?"));
}

TEST_CASE("published: the command that gets what is missing, where it is wanted", "[cli]") {
  CHECK(fetch_command("data/dev-v1.1.json") == "expctl fetch squad --out data");
  CHECK(fetch_command(std::filesystem::absolute("build/squad/train-v1.1.json")) ==
        "expctl fetch squad --out build/squad");
  CHECK(fetch_command("models/bert-base-uncased") ==
        "expctl fetch bert-base-uncased --out models/bert-base-uncased");
  CHECK(fetch_command("demo/dev.json").empty());
}
