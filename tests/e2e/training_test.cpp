// expctl-train on the demo: one run over 80 F1, its eval.json what `expctl score` prints; a checkpoint that
// transformers loads; what it refuses.
#include "core/text.h"
#include "squad/dataset.h"
#include "tests/e2e/demo_training.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// `max_steps` 0: three epochs.
void write_request(const TempDir& dir, const std::filesystem::path& run, int64_t max_steps = 0,
                   const std::string& precision = "fp32") {
  WorkerRequest request = demo_request(dir);
  TrainSpec& train = request.spec.train;
  train.max_steps = max_steps;
  train.precision = train.eval_precision = precision;
  write_request_file(request, run);
}

}  // namespace

TEST_CASE("a run of the demo learns and is scored as `score` scores it", "[e2e]") {
  const TempDir dir;
  const std::string expctl = (bin_dir() / "expctl").string();
  REQUIRE(run_program({expctl, "demo", (dir / "demo").string()}).exit_code == 0);
  const RunPaths run{dir / "run1"};
  write_request(dir, run.folder);
  const ProgramResult trained = run_program({(bin_dir() / "expctl-train").string(), run.folder.string()});
  INFO(trained.out << trained.err);
  REQUIRE(trained.exit_code == 0);

  const std::string eval = read_file(run.eval());
  CHECK(read_json(run.eval())["f1"].get<double>() > 80);
  CHECK(run_program({expctl, "score", (dir / "demo/dev.json").string(), run.predictions().string()}).out ==
        eval);
  CHECK_FALSE(std::filesystem::exists(run.state()));
}

TEST_CASE("transformers loads the checkpoint of a run and computes the same logits", "[e2e]") {
  SKIP_UNLESS(!python().empty(), "no Python with transformers");
  const TempDir dir;
  const std::string expctl = (bin_dir() / "expctl").string();
  REQUIRE(run_program({expctl, "demo", (dir / "demo").string()}).exit_code == 0);
  const RunPaths run{dir / "run1"};
  write_request(dir, run.folder, 20);
  REQUIRE(run_program({(bin_dir() / "expctl-train").string(), run.folder.string()}).exit_code == 0);
  const ProgramResult parity =
      run_program({python().string(), (source_dir() / "bench/parity/logits.py").string(), expctl,
                   run.checkpoint().string(), (dir / "demo/dev.json").string(), run.logits().string(), "64",
                   "1e-4", "--max-seq-length", "192", "--doc-stride", "64"});
  INFO(parity.out << parity.err);
  CHECK(parity.exit_code == 0);
}

TEST_CASE("a run on less of an instruction set gives the same within rounding", "[e2e]") {
  const TempDir dir;
  REQUIRE(run_program({(bin_dir() / "expctl").string(), "demo", (dir / "demo").string()}).exit_code == 0);
  const auto last_loss = [&](const std::string& isa, const std::string& precision) {
    const RunPaths run{dir / (isa + precision)};
    write_request(dir, run.folder, 10, precision);
    const auto trained =
        run_program({(bin_dir() / "expctl-train").string(), run.folder.string()}, {}, {"EXPCTL_ISA=" + isa});
    INFO(trained.err);
    REQUIRE(trained.exit_code == 0);
    const Json environment = read_json(run.environment());
    const bool is_held_to_basic = environment["instruction_set"] == "basic";
    CHECK((isa == "basic") <= is_held_to_basic);
    const auto lines = split(trim(read_file(run.metrics())), '\n');
    return parse_json(lines.back(), "metrics.jsonl")["loss"].get<double>();
  };
  for (const std::string& isa :
       {std::string("basic"), std::string("avx2"), std::string("avx512"), std::string("avx512_bf16")}) {
    INFO(isa);
    CHECK(last_loss(isa, "fp32") == Approx(last_loss("", "fp32")).epsilon(1e-4));
    CHECK(last_loss(isa, "bf16") == Approx(last_loss("", "bf16")).epsilon(1e-2));
  }
  const auto refused = run_program({(bin_dir() / "expctl-train").string(), (dir / "basicfp32").string()}, {},
                                   {"EXPCTL_ISA=avx3"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Catch::Contains("EXPCTL_ISA=avx3") && Catch::Contains("avx512_bf16"));
}

TEST_CASE("expctl-train refuses what it cannot use, with one clear message", "[e2e]") {
  const TempDir dir;
  REQUIRE(run_program({(bin_dir() / "expctl").string(), "demo", (dir / "demo").string()}).exit_code == 0);
  const auto run = dir / "run1";
  write_request(dir, run);
  const auto refusal = [&] { return run_program({(bin_dir() / "expctl-train").string(), run.string()}); };

  const auto vocab = dir / "demo/model/vocab.txt";
  const std::string good_vocab = read_file(vocab);
  write_file(vocab, good_vocab + "extra\n");
  CHECK_THAT(refusal().err, Catch::Contains("pieces, but") && Catch::Contains("vocab_size"));
  write_file(vocab, good_vocab);

  const auto weights = dir / "demo/model/model.safetensors";
  const std::string good_weights = read_file(weights);
  write_file(weights, std::string_view(good_weights).substr(0, good_weights.size() / 2));
  CHECK(refusal().exit_code == 1);
  CHECK_THAT(refusal().err, Catch::Contains("model.safetensors"));
  write_file(weights, good_weights);

  const auto train = dir / "demo/train.json";
  std::string text = read_file(train);
  const auto at = text.find("\"answer_start\":") + 15;
  write_file(train, text.insert(at, "9"));
  CHECK_THAT(refusal().err, Catch::Contains("does not stand at answer_start"));
}
