// head = "mlp" from the sweep file to the judge: trained, combined, converted, gone on from, packed, and
// predicted with anew by transformers.
#include "core/json.h"
#include "core/run_paths.h"
#include "tests/e2e/short_sweep.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

/// run1 and run2 with the linear head and the MLP.
struct Trained : Job {
  Trained() {
    succeeds({"demo", "demo"});
    write_sweep("s.toml", "seeds = [1]\n[sweep.space]\nhead = [\"linear\", \"mlp\"]", "demo/model");
    succeeds({"sweep", "s.toml"});
  }

  void write_sweep(const std::string& file, const std::string& sweep, const std::string& init,
                   const std::string& train = "") const {
    std::string text = kSweep;
    const auto replace = [&](const std::string& from, const std::string& to) {
      text.replace(text.find(from), from.size(), to);
    };
    replace("seeds = [1, 2]", sweep);
    replace("demo/model", init);
    replace("max_steps = 60\n", "max_steps = 60\n" + train);
    write_file(dir / file, text);
  }
  fs::path checkpoint(const std::string& run) const { return RunPaths{dir / "runs" / run}.checkpoint(); }
};

}  // namespace

TEST_CASE("mlp head: packed with the class that a judge needs, whose answers are the run's own", "[e2e]") {
  const Trained job;
  CHECK(read_json(job.checkpoint("run2") / "config.json")["expctl_head"] == "mlp");
  CHECK_FALSE(read_json(job.checkpoint("run1") / "config.json").contains("expctl_head"));
  job.succeeds({"ensemble", "run1", "run2"});
  job.succeeds({"package", "--top", "3"});
  const auto verified = job.succeeds({"verify", "submission", "--dev", "demo/dev.json", "--train",
                                      "demo/train.json", "--init", "demo/model"});
  CHECK_THAT(verified.out, !Contains("unproven"));
  CHECK_THAT(read_file(job.dir / "submission/methodology.md"),
             Contains("## Output layer") && Contains("- run2: its model") && Contains("- ens1: run2"));
  const fs::path python = test::python();
  for (const auto& entry : read_json(job.dir / "submission/summary.json")["entries"]) {
    const fs::path folder = job.dir / "submission" / entry["folder"].get<std::string>();
    INFO(entry.dump());
    const ProgramResult by_expctl =
        run_program({(folder / "eval_only.sh").string(), "demo/dev.json"}, job.dir.path(),
                    {"PATH=" + bin_dir().string() + ":/usr/bin:/bin"});
    CHECK(by_expctl.out == read_file(folder / "eval.json"));
    if (python.empty()) continue;
    const ProgramResult by_transformers =
        run_program({python.string(), (folder / "eval_only.py").string(), "demo/dev.json"}, job.dir.path());
    INFO(by_transformers.err);
    CHECK(by_transformers.out == read_file(folder / "eval.json"));
    CHECK_THAT(by_transformers.err, Contains("\n0 of ") || Catch::StartsWith("0 of "));
  }
  SKIP_UNLESS(!python.empty(), "no Python with torch and transformers");
}

TEST_CASE("mlp head: a soup is of models with the same head", "[e2e]") {
  const Trained job;
  const ProgramResult mixed = job({"ensemble", "run1", "run2", "--method", "soup"});
  CHECK(mixed.exit_code == 1);
  CHECK_THAT(mixed.err, Contains("run1 has a span head 'linear', run2 has a span head 'mlp'"));
  job.write_sweep("more.toml", "seeds = [2]\n[sweep.space]\nhead = [\"mlp\"]", "demo/model");
  job.succeeds({"sweep", "more.toml"});
  job.succeeds({"ensemble", "run2", "run3", "--method", "soup"});
  CHECK(read_json(job.checkpoint("ens1") / "config.json")["expctl_head"] == "mlp");
}

TEST_CASE("mlp head: converted it is the same model, and a run goes on from its head and no other", "[e2e]") {
  const Trained job;
  job.succeeds({"convert", job.checkpoint("run2").string(), "again"});
  for (const char* file : {"config.json", "model.safetensors"})
    CHECK(read_file(job.dir / "again" / file) == read_file(job.checkpoint("run2") / file));
  const std::string quick = "head = \"mlp\"\n";
  job.write_sweep("on.toml", "seeds = [3]", "again", quick);
  job.succeeds({"sweep", "on.toml"});
  CHECK(read_json(job.checkpoint("run3") / "config.json")["expctl_head"] == "mlp");
  job.write_sweep("other.toml", "seeds = [3]", "again");
  const ProgramResult other = job({"sweep", "other.toml"});
  CHECK(other.exit_code == 1);
  CHECK_THAT(other.err, Contains("its span head is 'mlp', but head = \"linear\" is to be trained"));
  CHECK_FALSE(fs::exists(job.dir / "runs/run4"));
}
