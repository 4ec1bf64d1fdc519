// `expctl ensemble` in all its ways, beside numpy, and what it refuses.
#include <set>

#include "core/json.h"
#include "core/run_paths.h"
#include "formats/logits_file.h"
#include "tests/e2e/short_sweep.h"
#include "tests/support/command_output.h"
#include "tests/support/one_question.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

/// Three short runs.
struct Trained : Job {
  Trained() {
    succeeds({"demo", "demo"});
    std::string sweep = kSweep;
    sweep.replace(sweep.find("seeds = [1, 2]"), 14, "seeds = [1, 2, 3]");
    sweep.replace(sweep.find("max_steps = 60"), 14, "max_steps = 40");
    write_file(dir / "s.toml", sweep);
    succeeds({"sweep", "s.toml"});
  }

  Json ensemble(std::vector<std::string> words) const {
    words.insert(words.begin(), {"--json", "ensemble"});
    const std::string out = succeeds(words).out;
    check_output("ensemble", out);
    return Json::parse(out);
  }
  std::string dev() const { return (dir / "demo/dev.json").string(); }
  RunPaths run(const std::string& id) const { return {dir / "runs" / id}; }
  /// The one line of the error.
  void refuses(std::vector<std::string> words, int exit_code, const std::string& what) const {
    words.insert(words.begin(), "ensemble");
    const ProgramResult result = (*this)(words);
    INFO(result.err);
    CHECK(result.exit_code == exit_code);
    CHECK_THAT(result.err, Catch::StartsWith("expctl: ") && Contains(what));
    CHECK_FALSE(fs::exists(dir / "runs/ens1"));
  }
};

}  // namespace

TEST_CASE("ensemble: logits, probabilities and n-best are what numpy makes of the members", "[e2e]") {
  SKIP_UNLESS(!python().empty(), "no Python with torch and transformers");
  const Trained job;
  const std::vector<std::vector<std::string>> ways = {
      {"run1", "run2", "run3"},
      {"run1", "run2", "run3", "--method", "probabilities"},
      {"run1", "run2", "run3", "--method", "nbest"},
      {"run1", "run2", "run3", "--weights", "1,2,0.5"},
      {"run1", "run3", "--method", "nbest", "--weights", "3,1"},
      {"run1", "run2", "run3", "--method", "probabilities", "--normalise", "temperature"},
      {"run1", "run2", "run3", "--normalise", "scale"}};
  for (const auto& words : ways) {
    const std::string id = job.ensemble(words)["id"];
    const ProgramResult parity =
        run_program({python().string(), (source_dir() / "tests/e2e/ensemble_parity.py").string(),
                     (job.dir / "runs").string(), id, job.dev(),
                     (source_dir() / "reports/templates/eval_only.py").string()});
    INFO(parity.out << parity.err);
    CHECK(parity.exit_code == 0);
  }
}

TEST_CASE("ensemble: predicting anew with the members gives its files again, byte for byte, by every method",
          "[e2e]") {
  const Trained job;
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"run1", "run2", "--weights", "2,1"},
           {"run1", "run3", "--method", "probabilities", "--normalise", "scale"},
           {"run2", "run3", "--method", "nbest"},
           {"run1", "run2", "run3", "--method", "soup"}}) {
    const std::string id = job.ensemble(words)["id"];
    job.succeeds({"predict", id, "--input", job.dev(), "--out", "again-" + id});
    for (const char* file : {"predictions.json", "nbest_predictions.json", "eval.json"})
      CHECK(read_file(job.dir / ("again-" + id) / file) == read_file(job.run(id).folder / file));
    // At another length it is an evaluation like a run's.
    const auto shorter = job.succeeds({"evaluate", id, "--set", "eval_max_seq_length=48"});
    CHECK(shorter.out == read_file(job.run(id).evaluation("48-16").eval()));
  }
}

TEST_CASE("ensemble: the same command twice at once makes one entry", "[e2e]") {
  const Trained job;
  const std::string once = job.expctl + " ensemble run1 run2";
  const ProgramResult both =
      run_program({"/bin/sh", "-c", once + " & first=$!; " + once + " && wait $first"}, job.dir.path());
  INFO(both.out << both.err);
  CHECK(both.exit_code == 0);
  CHECK(fs::exists(job.dir / "runs/ens1"));
  CHECK_FALSE(fs::exists(job.dir / "runs/ens2"));
}

TEST_CASE("predict: a model that is a member twice is run once", "[e2e]") {
  const Trained job;
  job.ensemble({"run1", "run2"});
  job.succeeds({"predict", "run1", "ens1", "--input", job.dev(), "--out", "all"});
  const RunPaths first{job.dir / "all/members/1"}, again{job.dir / "all/members/2"},
      other{job.dir / "all/members/3"};
  CHECK(read_file(first.outcome()) == read_file(again.outcome()));  // which holds when it ran
  CHECK(read_file(first.logits()) == read_file(again.logits()));
  CHECK(read_file(first.logits()) != read_file(other.logits()));
  CHECK(read_json(again.request())["run_id"] == "2");
}

TEST_CASE("ensemble: what predict averages is what three separate predictions give", "[e2e]") {
  const Trained job;
  job.ensemble({"run1", "run2", "run3"});
  write_file(job.dir / "unseen.json", kOneQuestion);
  job.succeeds({"predict", "ens1", "--input", "unseen.json", "--out", "together"});
  std::vector<LogitsFile> separate;
  for (const std::string id : {"run1", "run2", "run3"}) {
    job.succeeds({"predict", id, "--input", "unseen.json", "--out", id + "-alone"});
    separate.push_back(read_logits(job.dir / (id + "-alone") / "logits.safetensors"));
  }
  const LogitsFile together = read_logits(job.dir / "together/logits.safetensors");
  REQUIRE(together.start.size() > 5);
  for (size_t i = 0; i < together.start.size(); ++i) {
    double sum = 0;
    for (const auto& one : separate) sum += static_cast<double>(one.start[i]);
    CHECK(together.start[i] == static_cast<float>(sum / 3));
  }
}

TEST_CASE("ensemble: a search over a pool is said, recorded, and the same each time", "[e2e]") {
  const Trained job;
  const ProgramResult said = job.succeeds({"ensemble", "--pool", "sweep1", "--select", "greedy"});
  CHECK_THAT(said.err, Contains("chosen from 3 runs on ") &&
                           Contains(", all of the dev data, which is what ranks: F1 "));
  const Json entry = job.ensemble({"--pool", "sweep1", "--select", "greedy"});
  CHECK(entry["id"] == "ens1");
  const Json file = read_json(job.run("ens1").ensemble());
  CHECK(file["selected"] == "greedy");
  CHECK(file["selection"]["pool"] == std::vector<std::string>{"run1", "run2", "run3"});
  // What the search thought it was worth is what the answers score.
  CHECK(file["selection"]["f1_chosen_on"].get<double>() == Approx(entry["f1"].get<double>()).epsilon(1e-12));

  const Json several = job.ensemble({"--pool", "sweep1", "--select", "greedy", "--make", "5"});
  REQUIRE(several["others"].size() == 4);
  double last = several["f1"];
  std::set<std::string> ids = {several["id"]};
  for (const auto& other : several["others"]) {
    CHECK(other["f1"].get<double>() <= last);
    last = other["f1"];
    ids.insert(other["id"].get<std::string>());
  }
  CHECK(ids.size() == 5);
  job.succeeds({"package", "--top", "5", "--average", "3"});
  CHECK_THAT(read_file(job.dir / "submission/methodology.md"), Contains("## Ensembles"));
}

TEST_CASE("ensemble: compared with its members, alone or among others", "[e2e]") {
  const Trained job;
  const double f1 =
      job.ensemble({"run1", "run2", "run3", "--method", "probabilities", "--normalise", "temperature"})["f1"];
  const std::string out = job.succeeds({"--json", "compare", "ens1", "--plot", "members.svg"}).out;
  check_output("compare ensemble", out);
  const Json compared = Json::parse(out);
  CHECK(compared["f1"] == f1);
  double mean = 0;
  for (const auto& member : compared["members"]) {
    mean += member["f1"].get<double>() / 3;
    CHECK(member["gain"].get<double>() == Approx(f1 - member["f1"].get<double>()).margin(1e-9));
    CHECK(member["low"] <= member["gain"]);
    CHECK(member["gain"] <= member["high"]);
  }
  CHECK(compared["mean"]["gain"].get<double>() == Approx(f1 - mean).margin(1e-9));
  CHECK(compared["by_size"][0]["f1"].get<double>() == Approx(mean).margin(1e-9));
  CHECK(compared["by_size"][2]["f1"].get<double>() == Approx(f1).margin(1e-9));
  CHECK_THAT(read_file(job.dir / "members.svg"), Catch::StartsWith("<svg") && Contains("members"));
  check_output("compare", job.succeeds({"--json", "compare", "ens1", "run1"}).out);
  CHECK(job({"compare", "run1"}).exit_code == 2);
  CHECK(job({"compare", "run1", "run2", "--plot", "x.svg"}).exit_code == 2);
}

TEST_CASE("ensemble: soups are chosen, kept as checkpoints, packaged", "[e2e]") {
  const Trained job;
  const Json soup = job.ensemble({"--pool", "run1,run2,run3", "--method", "soup", "--select", "greedy"});
  CHECK(fs::exists(CheckpointPaths{job.run("ens1").checkpoint()}.weights()));
  CHECK(read_json(job.run("ens1").ensemble())["selected"] == "each once");
  job.succeeds({"package", "ens1", "--top", "1"});
  const fs::path entry = job.dir / "submission/run1";
  CHECK(fs::exists(entry / "checkpoint/model.safetensors"));
  CHECK(read_json(entry / "manifest.json")["method"] == "soup");
  const ProgramResult again = run_program({(entry / "eval_only.sh").string(), job.dev()}, job.dir.path(),
                                          {"PATH=" + bin_dir().string() + ":/usr/bin:/bin"});
  INFO(again.err);
  CHECK(again.out == read_file(entry / "eval.json"));
  if (python().empty()) return;
  const ProgramResult scored = run_program({python().string(), (entry / "eval_only.py").string(), job.dev()});
  INFO(scored.err);
  CHECK(Json::parse(scored.out)["f1"].get<double>() == Approx(soup["f1"].get<double>()).margin(0.5));
}

TEST_CASE("ensemble: an entry by each method packs, and its scripts score it again", "[e2e]") {
  const Trained job;
  job.ensemble({"run1", "run2", "--method", "probabilities", "--normalise", "scale"});
  job.ensemble({"run1", "run2", "--method", "nbest", "--weights", "2,1"});
  job.succeeds({"package", "ens1", "ens2", "--top", "2", "--average", "1"});
  for (const std::string folder : {"run1", "run2"}) {
    const fs::path entry = job.dir / "submission" / folder;
    const std::string dev = job.dev();
    const ProgramResult shell =
        run_program({(entry / "eval_only.sh").string(), dev, folder + "-again"}, job.dir.path(),
                    {"PATH=" + bin_dir().string() + ":/usr/bin:/bin"});
    INFO(shell.err);
    CHECK(shell.out == read_file(entry / "eval.json"));
    CHECK(read_file(job.dir / (folder + "-again") / "nbest_predictions.json") ==
          read_file(entry / "nbest_predictions.json"));
    if (python().empty()) continue;
    const ProgramResult scored = run_program({python().string(), (entry / "eval_only.py").string(), dev});
    INFO(scored.err);
    REQUIRE(scored.exit_code == 0);
    // Another order of fp32 additions may turn a near tie; the runs here have many.
    CHECK(Json::parse(scored.out)["f1"].get<double>() ==
          Approx(read_json(entry / "eval.json")["f1"].get<double>()).margin(0.5));
  }
}

TEST_CASE("ensemble: what cannot be combined is refused, each with one message", "[e2e]") {
  const Trained job;
  job.refuses({"run1"}, 2, "at least two members");
  job.refuses({"run1", "run1"}, 2, "run1 is named twice");
  job.refuses({"run1", "run9"}, 3, "run9");
  job.refuses({"run1", "run2", "--weights", "1"}, 2, "1 weight for 2 members");
  job.refuses({"run1", "run2", "--weights", "1,a"}, 2, "--weights: 'a' is no number");
  job.refuses({"run1", "run2", "--weights", "1,-1"}, 2, "the weight of run2 is -1");
  job.refuses({"run1", "run2", "--method", "votes"}, 2, "--method votes");
  job.refuses({"run1", "run2", "--normalise", "much"}, 2, "--normalise much");
  job.refuses({"run1", "run2", "--select", "lucky"}, 2, "--select lucky");
  job.refuses({"run1", "run2", "--holdout", "0.5"}, 2, "nothing is chosen");
  job.refuses({"run1", "run2", "--bags", "3"}, 2, "nothing is chosen");
  job.refuses({"--pool", "sweep1", "--select", "greedy", "--holdout", "nan"}, 2, "--holdout");
  job.refuses({"--pool", "sweep1", "--select", "greedy", "--holdout", "1.5"}, 2, "--holdout 1.5");
  job.refuses({"--pool", "sweep1", "--select", "greedy", "--weights", "1,1,1"}, 2, "--weights and --select");
  job.refuses({"--pool", "sweep1", "--method", "nbest", "--normalise", "scale"}, 2, "combines no logits");
  job.refuses({"--pool", "sweep1", "--select", "exhaustive", "--max-size", "2"}, 2, "of --select greedy");
  job.refuses({"--pool", "run1"}, 1, "--pool run1: fewer than two runs");
  job.refuses({"--pool", "sweep7"}, 3, "there is no sweep 'sweep7'; the newest is sweep1");
  job.refuses({"sweep1"}, 2, "expctl ensemble --pool sweep1 combines its runs");

  write_file(CheckpointPaths{job.run("run2").checkpoint()}.vocab(),
             read_file(CheckpointPaths{job.run("run2").checkpoint()}.vocab()) + "other\n");
  job.refuses({"run1", "run2"}, 1, "run1 and run2 have different vocabularies");
  fs::resize_file(job.run("run3").logits(), 1000);
  job.refuses({"run1", "run3"}, 1, job.run("run3").logits().string());
  fs::remove(job.run("run3").logits());
  job.refuses({"run1", "run3"}, 1, "run3 has no logits.safetensors");
  write_file(job.run("run3").nbest(), "{\"q\": [{\"text\": 1}]}");
  job.refuses({"run1", "run3", "--method", "nbest"}, 1, "an answer without text or probability");
}

TEST_CASE("ensemble: members over other windows or data are refused, or merged by n-best where asked",
          "[e2e]") {
  const Trained job;
  write_file(job.dir / "stride.toml", std::string(kSweep) + "[sweep.space]\neval_doc_stride = [16]\n");
  job.succeeds({"sweep", "stride.toml"});
  job.refuses({"run1", "run4"}, 1, "run1 and run4 are over different features: doc_stride: 32 and 16");
  const Json merged = job.ensemble({"run1", "run4", "--method", "nbest"});
  CHECK(merged["f1"].get<double>() > 0);
  // Of such members no one script can make the answers again.
  job.succeeds({"package", "ens1", "--top", "1"});
  CHECK_FALSE(fs::exists(job.dir / "submission/run1/eval_only.sh"));
  CHECK(fs::exists(job.dir / "submission/run1/checkpoint/run4/model.safetensors"));

  const Json dev = read_json(job.dev());
  // Another program's answers to other questions.
  make_folder(job.dir / "theirs");
  for (const char* file : {"predictions.json", "nbest_predictions.json"})
    fs::copy_file(job.run("run1").folder / file, job.dir / "theirs" / file);
  Json other = read_json(job.dev());
  other["data"][0]["paragraphs"].erase(0);
  write_file(job.dir / "other.json", json_text(other));
  job.succeeds({"import", "theirs", "--dev", "other.json", "--name", "theirs"});
  const ProgramResult refused = job({"ensemble", "run1", "run6", "--method", "nbest"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("run1 and run6 were evaluated on different data"));

  // What comes next is a command that works as it stands, beside entries that cannot be ranked with this one.
  const std::string said = job.succeeds({"ensemble", "run1", "run2"}).err;
  const std::string next = "next: expctl package --top 5 --except run4 run5 run6\n";
  CHECK_THAT(said, Contains(next));
  const ProgramResult mixed = job({"package", "--out", "mixed"});
  CHECK(mixed.exit_code == 1);
  CHECK_THAT(mixed.err, Contains("run6 was scored on other dev data") && Contains("cannot be ranked with"));
  job.succeeds({"package", "--top", "5", "--except", "run4", "run5", "run6", "--out", "mixed"});
}

TEST_CASE("ensemble: members that were never told their dev data are refused by name", "[e2e]") {
  const Job job;
  for (const std::string name : {"a", "b"}) {
    make_folder(job.dir / name);
    write_file(job.dir / name / "predictions.json", "{\"q1\": \"" + name + "\"}");
    write_file(job.dir / name / "nbest_predictions.json",
               "{\"q1\": [{\"text\": \"" + name + "\", \"probability\": 1.0}]}");
    job.succeeds({"import", name});
  }
  const ProgramResult refused = job({"ensemble", "run1", "run2", "--method", "nbest"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("run1 has no dev data") && Contains("expctl import DIR --dev FILE"));
}
