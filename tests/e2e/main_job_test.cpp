// Sweep, ensemble, package and verify with the real trainer, and the submission's own scripts against what it
// holds.
#include "core/json.h"
#include "core/run_paths.h"
#include "tests/e2e/short_sweep.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

TEST_CASE("sweep, ensemble, package and verify, and the submission reproduces itself", "[e2e]") {
  const Job job;
  job.succeeds({"demo", "demo"});
  write_file(job.dir / "s.toml", kSweep);
  job.succeeds({"sweep", "s.toml"});
  const Json ensemble = Json::parse(job.succeeds({"--json", "ensemble", "run1", "run2"}).out);
  CHECK(ensemble["id"] == "ens1");
  // The same members again are the same entry.
  CHECK(Json::parse(job.succeeds({"--json", "ensemble", "run1", "run2"}).out) == ensemble);
  // Questions without answers, as the judges give them.
  Json unseen = read_json(job.dir / "demo/dev.json");
  for (auto& article : unseen["data"]) {
    for (auto& paragraph : article["paragraphs"]) {
      for (auto& qa : paragraph["qas"]) qa.erase("answers");
    }
  }
  write_file(job.dir / "unseen.json", json_text(unseen));
  CHECK(job({"package", "--top", "3", "--unseen", "nothing.json"}).exit_code == 3);
  job.succeeds({"package", "--top", "3", "--average", "2", "--unseen", "unseen.json"});
  for (const auto& entry : read_json(job.dir / "submission/summary.json")["entries"]) {
    const fs::path folder = job.dir / "submission" / entry["folder"].get<std::string>();
    double sum = 0;
    const Json nbest = read_json(folder / "unseen/nbest_predictions.json");
    for (const auto& [id, answers] : nbest.items()) sum += answers[0]["probability"].get<double>();
    CHECK(entry["probability_score"].get<double>() == Approx(sum / static_cast<double>(nbest.size())));
    // The questions are those of the dev data, and so are the answers.
    CHECK(read_file(folder / "unseen/predictions.json") == read_file(folder / "predictions.json"));
  }
  // What was handed in stays, also when the registry is made anew.
  for (const auto& file : find_files(job.dir / "runs", "registry.db*")) std::filesystem::remove(file);
  job.succeeds({"registry", "rebuild"});
  job.succeeds({"registry", "check"});
  CHECK_THAT(job({"rm", "run1"}).err, Catch::Contains("run1 "));
  CHECK(job({"rm", "run1"}).exit_code == 1);
  CHECK_THAT(job({"gc", "--weights", "--keep", "0"}).err, Catch::Contains("nothing to clear"));
  CHECK(job.succeeds({"verify", "submission", "--dev", "demo/dev.json"}).out.find("failed") ==
        std::string::npos);

  // A run comes out the same when it is trained again.
  const Json replayed = Json::parse(job.succeeds({"--json", "runs", "replay", "run2", "--check"}).out);
  CHECK(replayed["checks"].size() >= 6);
  CHECK_FALSE(fs::exists(job.dir / "runs/.replay-run2"));
  CHECK(job({"runs", "replay", "ens1", "--check"}).exit_code == 2);

  // An ensemble's answers are the same, byte for byte, when its members predict anew.
  job.succeeds({"predict", "ens1", "--input", "demo/dev.json", "--out", "again"});
  for (const char* file : {"predictions.json", "nbest_predictions.json", "eval.json"}) {
    CHECK(read_file(job.dir / "again" / file) == read_file(job.dir / "runs/ens1" / file));
  }
  // What lies there can be done again by hand, where it lies now.
  CHECK_THAT(read_file(job.dir / "again/members/2/command.txt"),
             Contains("cd " + (job.dir / "again/members/2").string() + "\n"));
  CHECK(read_json(job.dir / "again/members/2/request.json")["argv"].back() ==
        (job.dir / "again/members/2").string());
  CHECK(read_json(job.dir / "again/inference_stats.json")["members"].size() == 2);
  const Json summary = read_json(job.dir / "submission/summary.json");
  for (const auto& entry : summary["entries"]) {
    const fs::path folder = job.dir / "submission" / entry["folder"].get<std::string>();
    const std::string path = "PATH=" + bin_dir().string() + ":/usr/bin:/bin";
    const ProgramResult again = run_program(
        {(folder / "eval_only.sh").string(), "demo/dev.json", folder.filename().string() + "-again"},
        job.dir.path(), {path});
    INFO(again.err);
    CHECK(again.out == read_file(folder / "eval.json"));
  }

  fs::resize_file(job.dir / "submission/run1/nbest_predictions.json", 10);
  CHECK(job({"verify", "submission"}).exit_code == 6);
}

TEST_CASE("the submission's eval_only.py decodes as expctl does, and gets the same score from the checkpoint",
          "[e2e]") {
  SKIP_UNLESS(!python().empty(), "no Python with torch and transformers");
  const Job job;
  job.succeeds({"demo", "demo"});
  write_file(job.dir / "s.toml", kSweep);
  job.succeeds({"sweep", "s.toml"});
  job.succeeds({"ensemble", "run1", "run2", "--weights", "2,1"});
  job.succeeds({"package", "--top", "3"});
  for (const auto& entry : read_json(job.dir / "submission/summary.json")["entries"]) {
    const fs::path folder = job.dir / "submission" / entry["folder"].get<std::string>();
    const fs::path logits = RunPaths{job.dir / "runs" / entry["id"].get<std::string>()}.logits();
    const ProgramResult parity =
        run_program({python().string(), (source_dir() / "tests/e2e/decode_parity.py").string(),
                     folder.string(), logits.string(), (job.dir / "demo/dev.json").string()});
    INFO(parity.out << parity.err);
    CHECK(parity.exit_code == 0);
    const ProgramResult scored = run_program(
        {python().string(), (folder / "eval_only.py").string(), (job.dir / "demo/dev.json").string()});
    INFO(scored.err);
    REQUIRE(scored.exit_code == 0);
    // Another order of fp32 additions may turn a near tie; the runs here have many.
    CHECK(Json::parse(scored.out)["f1"].get<double>() == Approx(entry["f1"].get<double>()).margin(0.5));
  }
}

TEST_CASE("an ensemble of runs over different features is refused", "[e2e]") {
  const Job job;
  job.succeeds({"demo", "demo"});
  write_file(job.dir / "s.toml", std::string(kSweep) + "[sweep.space]\neval_doc_stride = [32, 16]\n");
  job.succeeds({"sweep", "s.toml"});
  const ProgramResult refused = job({"ensemble", "run1", "run3"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("run1 and run3 are over different features: doc_stride: 32 and 16"));
  CHECK_THAT(job({"ensemble", "run1", "run1"}).err, Contains("run1 is named twice"));
  CHECK(job({"ensemble", "run1", "run9"}).exit_code == 3);
  const ProgramResult mixed = job({"package", "--top", "2", "--average", "1"});
  CHECK(mixed.exit_code == 1);
  CHECK_THAT(mixed.err,
             Contains("were scored with doc_stride ") && Contains("cannot be ranked with the others"));
  CHECK(job({"package", "run1", "run2", "--top", "2", "--average", "1"}).exit_code == 0);
}
