// `expctl export`, read back by expctl's own reader and, where they are installed, by MLflow and TensorBoard.
#include "tests/e2e/command_sweep.h"
#include "tests/support/event_reader.h"
#include "tests/support/fetch_server.h"
#include "tests/support/python_with.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

constexpr const char* kEventFile = "events.out.tfevents.0.expctl";

/// What a tracker may stumble over: quotes, a colon, a hash, a line break, a letter and a sign beyond ASCII.
constexpr const char* kFailing = "exit 3 # a: \"b\" 'c'\n\xc3\xa9 \xf0\x9f\x98\x80";

/// A workspace of a run with two steps and a score, and one that failed.
struct ExportedSweep {
  TempDir folder;

  ExportedSweep() {
    write_sweep(folder, json_line(R"(printf '{"step":1,"loss":2.5,"time":1700000001.5}\n)"
                                  R"({"step":2,"loss":null,"time":1700000002}\n' > metrics.jsonl; )"
                                  R"(echo '{"q1": "blue"}' > predictions.json)") +
                            ", " + json_line(kFailing));
    sweep(folder, 4);
  }

  ProgramResult operator()(std::vector<std::string> words) const {
    words.insert(words.begin(), {(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string()});
    return run_program(words, folder.path());
  }

  ProgramResult succeeds(const std::vector<std::string>& words) const {
    const ProgramResult result = (*this)(words);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return result;
  }
};

Json read_by(const std::string& python, const std::string& script, const fs::path& folder) {
  const ProgramResult read =
      run_program({python, (source_dir() / "tests/e2e" / script).string(), folder.string()});
  INFO(read.err);
  REQUIRE(read.exit_code == 0);
  return Json::parse(read.out);
}

std::vector<std::string> files_in(const fs::path& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    paths.push_back(fs::relative(entry.path(), folder).string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

TEST_CASE("export: CSV of all runs, of some, and to a file", "[e2e]") {
  const ExportedSweep sweep;
  const std::string all = sweep.succeeds({"export"}).out;
  CHECK_THAT(all, Catch::StartsWith("id,sweep,state,reason,name,seed,f1,exact_match,attempts,") &&
                      Contains("\nrun1,sweep1,succeeded,,s,1,100.0,100.0,1,") &&
                      Contains("\nrun2,sweep1,failed,exit_code,s,1,,,1,") &&
                      Contains("\"exit 3 # a: \"\"b\"\" 'c'\n\xc3\xa9 \xf0\x9f\x98\x80\""));
  CHECK(sweep.succeeds({"export", "--csv", "run1", "run2"}).out == all);
  CHECK(sweep.succeeds({"export", "sweep1"}).out == all);
  CHECK_THAT(sweep.succeeds({"export", "--where", "f1>80"}).out, Contains("run1,") && !Contains("run2,"));
  CHECK_THAT(sweep.succeeds({"export", "@"}).out, Contains("run2,") && !Contains("run1,"));
  const auto said = Json::parse(sweep.succeeds({"--json", "export", "--out", "runs.csv"}).out);
  CHECK(read_file(sweep.folder / "runs.csv") == all);
  CHECK(said["runs"].size() == 2);
}

TEST_CASE("export: an MLflow store, which a second export does not double", "[e2e]") {
  const ExportedSweep sweep;
  const auto said = Json::parse(sweep.succeeds({"--json", "export", "--mlflow", "ml runs"}).out);
  REQUIRE(said["runs"].size() == 2);
  CHECK(said["runs"][0]["group"] == "s (sweep1)");
  const fs::path run = said["runs"][0]["folder"].get<std::string>();
  CHECK_THAT(read_file(run / "metrics/loss"), Catch::Equals("1700000001500 2.5 1\n1700000002000 nan 2\n"));
  CHECK_THAT(read_file(run / "metrics/f1"), Contains(" 100.0 2\n"));
  CHECK(read_file(said["runs"][1]["folder"].get<std::string>() + "/params/mode") == kFailing);
  const auto before = files_in(sweep.folder / "ml runs");
  sweep.succeeds({"export", "--mlflow", "ml runs"});
  CHECK(files_in(sweep.folder / "ml runs") == before);
  sweep.succeeds({"export", "--mlflow", "bare", "--artifacts", "none"});
  CHECK(find_files(sweep.folder / "bare", "*/*/artifacts/*").empty());
}

TEST_CASE("export: event files of TensorBoard, the same ones a second time", "[e2e]") {
  const ExportedSweep sweep;
  sweep.succeeds({"export", "--tensorboard", "tb"});
  const fs::path file = sweep.folder / "tb/sweep1/run1" / kEventFile;
  const std::string first = read_file(file);
  const auto points = read_scalars(first);
  REQUIRE(points.size() == 4);
  CHECK(points[0].tag == "loss");
  CHECK(points[0].value == 2.5F);
  CHECK(points[0].time == 1700000001.5);
  CHECK(points[2].tag == "f1");
  CHECK(points[2].step == 2);
  sweep.succeeds({"export", "--tensorboard", "tb"});
  CHECK(read_file(file) == first);
}

TEST_CASE("export: a run at work is exported as far as it is, and later whole", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, json_line(R"(echo '{"step":1,"loss":2}' > metrics.jsonl; while [ ! -e ../../go ]; )"
                                R"(do sleep 0.05; done; echo '{"step":2,"loss":1}' >> metrics.jsonl)"));
  const pid_t scheduler = start_sweep(folder);
  REQUIRE(wait_until(10, [&] {
    return fs::exists(folder / "runs/run1/metrics.jsonl") &&
           !read_file(folder / "runs/run1/metrics.jsonl").empty();
  }));
  const auto exported = [&] {
    for (const char* kind : {"--mlflow", "--tensorboard"}) {
      const ProgramResult result =
          run_program({(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string(), "export",
                       kind, (folder / kind).string()});
      INFO(result.err);
      CHECK(result.exit_code == 0);
    }
    return read_scalars(read_file(folder / "--tensorboard/sweep1/run1" / kEventFile)).size();
  };
  CHECK(exported() == 1);
  const fs::path run = find_files(folder / "--mlflow", "*/*/meta.yaml").at(0).parent_path();
  CHECK_THAT(read_file(run / "meta.yaml"), Contains("\nstatus: 1\n"));
  write_file(folder / "go", "");
  int status = 0;
  REQUIRE(::waitpid(scheduler, &status, 0) == scheduler);
  CHECK(exported() == 2);
  CHECK_THAT(read_file(run / "meta.yaml"), Contains("\nstatus: 3\n"));
}

TEST_CASE("export: wrong usage and folders that are not to be used", "[e2e]") {
  const ExportedSweep sweep;
  for (const auto& words : std::vector<std::vector<std::string>>{{"--csv", "--mlflow", "m"},
                                                                 {"--mlflow", "m", "--tensorboard", "t"},
                                                                 {"--mlflow", "m", "--out", "x.csv"},
                                                                 {"--artifacts", "all"},
                                                                 {"--mlflow", "m", "--artifacts", "some"},
                                                                 {"--where", "nothing=1"},
                                                                 {"--json"}}) {
    std::vector<std::string> all = {"export"};
    all.insert(all.end(), words.begin(), words.end());
    INFO(words.back());
    CHECK(sweep(all).exit_code == 2);
  }
  CHECK(sweep({"export", "run9"}).exit_code == 3);
  CHECK(sweep({"export", "sweep9"}).exit_code == 3);
  write_file(sweep.folder / "file", "mine");
  for (const char* kind : {"--mlflow", "--tensorboard"}) {
    const ProgramResult refused = sweep({"export", kind, "file"});
    INFO(refused.err);
    CHECK(refused.exit_code == 1);
    CHECK_THAT(refused.err, Contains("file") && Contains("hint: "));
  }
  CHECK(read_file(sweep.folder / "file") == "mine");
}

TEST_CASE("export: a full disk is one error, and what was exported stays whole", "[e2e]") {
  const SmallDisk disk("500k");
  SKIP_UNLESS(disk.is_mounted(), "mounting a file system needs root");
  const ExportedSweep sweep;
  const std::string store = disk.path() / "m";
  sweep.succeeds({"export", "run1", "--mlflow", store});
  const auto before = files_in(store);
  write_file(disk.path() / "ballast", std::string(fs::space(disk.path()).available - 16384, 'x'));
  const ProgramResult full = sweep({"export", "--mlflow", store});
  write_file(disk.path() / "more", std::string(fs::space(disk.path()).available, 'x'));
  const ProgramResult events = sweep({"export", "--tensorboard", disk.path() / "t"});
  CHECK(files_in(store) == before);
  for (const auto* result : {&full, &events}) {
    INFO(result->err);
    CHECK(result->exit_code == 1);
    CHECK_THAT(result->err, Contains("run1 is not exported: ") && Contains("No space left on device") &&
                                Contains("hint: "));
  }
}

TEST_CASE("export: MLflow's own client lists experiment, parameters, metrics and artifacts", "[e2e]") {
  const std::string python = python_with("mlflow");
  SKIP_UNLESS(!python.empty(), "no Python with mlflow");
  const ExportedSweep sweep;
  for (int times = 0; times < 2; ++times) sweep.succeeds({"export", "--mlflow", "m l"});
  // What a killed export leaves: a run that is whole but not in its place.
  const fs::path run = find_files(sweep.folder / "m l", "*/*/meta.yaml").at(0).parent_path();
  copy_tree(run, run.parent_path() / ".drafts" / ("." + run.filename().string() + ".draft-99999999"));
  const Json found = read_by(python, "mlflow_reads.py", sweep.folder / "m l");
  REQUIRE(found.size() == 1);
  REQUIRE(found["s (sweep1)"].size() == 2);
  const Json good = found["s (sweep1)"]["run1"], bad = found["s (sweep1)"]["run2"];
  CHECK(good["status"] == "FINISHED");
  CHECK(bad["status"] == "FAILED");
  CHECK(bad["params"]["mode"] == kFailing);
  CHECK(good["params"]["seed"] == "1");
  CHECK(good["metrics"]["loss"] == Json::parse("[[1, \"2.5\", 1700000001500], [2, \"nan\", 1700000002000]]"));
  CHECK(good["metrics"]["f1"][0][1] == "100.0");
  CHECK(good["metrics"]["exact_match"][0][0] == 2);
  CHECK(good["tags"]["expctl.sweep"] == "sweep1");
  const auto artifacts = good["artifacts"].get<std::vector<std::string>>();
  for (const char* name : {"eval.json", "predictions.json", "run.json", "sweep.toml", "train.log"})
    CHECK(std::find(artifacts.begin(), artifacts.end(), name) != artifacts.end());
  sweep.succeeds({"export", "--mlflow", "m l"});
  CHECK_FALSE(fs::exists(run.parent_path() / ".drafts"));
}

TEST_CASE("export: TensorBoard's own reader finds curves, texts and parameters", "[e2e]") {
  const std::string python = python_with("tensorboard.backend.event_processing.event_accumulator");
  SKIP_UNLESS(!python.empty(), "no Python with tensorboard");
  const ExportedSweep sweep;
  for (int times = 0; times < 2; ++times) sweep.succeeds({"export", "--tensorboard", "tb"});
  const Json found = read_by(python, "tensorboard_reads.py", sweep.folder / "tb");
  REQUIRE(found.size() == 2);
  const Json good = found["sweep1/run1"], bad = found["sweep1/run2"];
  CHECK(good["scalars"]["loss"] == Json::parse("[[1, \"2.5\", 1700000001.5], [2, \"nan\", 1700000002.0]]"));
  CHECK(good["scalars"]["f1"][0][1] == "100.0");
  CHECK_THAT(good["texts"]["scores"].get<std::string>(), Contains("| f1 | 100.0 |"));
  CHECK(bad["parameters"]["mode"] == kFailing);
  CHECK(good["parameters"]["seed"] == 1.0);
  CHECK(good["status"] == 1);
  CHECK(bad["status"] == 2);
  CHECK(bad["scalars"].empty());
}
