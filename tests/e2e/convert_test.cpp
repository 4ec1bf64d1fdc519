// `expctl convert`, and Google's folder as the init of a run.
#include "core/json.h"
#include "core/run_paths.h"
#include "tests/e2e/short_sweep.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

const fs::path kGoogle = source_dir() / "tests/data/tf-checkpoint";

std::string weights(const fs::path& folder) {
  return read_file(CheckpointPaths{folder}.weights());
}

}  // namespace

TEST_CASE("convert: Google's checkpoint, of which transformers computes the expected logits", "[e2e]") {
  SKIP_UNLESS(!python().empty(), "no Python with torch and transformers");
  const Job job;
  job.succeeds({"convert", kGoogle.string(), "model"});
  CHECK(read_json(job.dir / "model/config.json")["model_type"] == "bert");
  const ProgramResult parity =
      run_program({python().string(), (source_dir() / "bench/parity/expected.py").string(), "model",
                   (kGoogle / "expected.json").string(), "--save-pickled", "pickled"},
                  job.dir.path());
  INFO(parity.out << parity.err);
  REQUIRE(parity.exit_code == 0);

  // What transformers holds of it now, saved the old way, is the same model to the last bit.
  job.succeeds({"convert", "pickled", "again"});
  CHECK(weights(job.dir / "again") == weights(job.dir / "model"));
  CHECK_FALSE(fs::exists(job.dir / "again/request.json"));
  // And so is what is in Hugging Face's layout already.
  job.succeeds({"convert", "model", "third"});
  CHECK(weights(job.dir / "third") == weights(job.dir / "model"));
  fs::resize_file(job.dir / "pickled/pytorch_model.bin", 5000);
  const ProgramResult cut = job({"convert", "pickled", "fourth"});
  CHECK(cut.exit_code == 1);
  CHECK_THAT(cut.err, Contains("pytorch_model.bin"));
  CHECK_FALSE(fs::exists(job.dir / "fourth"));
}

TEST_CASE("convert: a model is predicted with alike before and after", "[e2e]") {
  const Job job;
  fs::copy(kGoogle, job.dir / "google");
  job.succeeds({"convert", "google", "model"});
  // Its vocabulary has single letters only.
  write_file(job.dir / "dev.json",
             R"({"version":"1.1","data":[{"title":"t","paragraphs":[{"context":"a b c d e f g h",)"
             R"("qas":[{"id":"1","question":"i j","answers":[{"text":"c d","answer_start":4}]}]}]}]})");
  for (const char* model : {"google", "model"})
    job.succeeds({"predict", model, "--input", "dev.json", "--set", "eval_max_seq_length=32", "--set",
                  "eval_precision=fp32", "--out", std::string("of-") + model});
  CHECK(read_file(job.dir / "of-google/nbest_predictions.json") ==
        read_file(job.dir / "of-model/nbest_predictions.json"));
}

TEST_CASE("convert and sweep: a damaged checkpoint is refused by the name of its tensor", "[e2e]") {
  const Job job;
  fs::copy(kGoogle, job.dir / "google");
  const auto data = job.dir / "google/bert_model.ckpt.data-00000-of-00001";
  std::string bytes = read_file(data);
  // Everywhere: which bytes are of a tensor that is used, and not of Adam's moments, the index says.
  for (size_t at = 0; at < bytes.size(); at += 64) bytes[at] = static_cast<char>(bytes[at] ^ 1);
  write_file(data, bytes);
  const ProgramResult refused = job({"convert", "google", "model"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err,
             Contains("data-00000-of-00001: tensor 'bert/") && Contains("its checksum does not fit"));
  CHECK_FALSE(fs::exists(job.dir / "model"));

  job.succeeds({"demo", "demo"});
  std::string toml = kSweep;
  toml.replace(toml.find("demo/model"), 10, "google");
  write_file(job.dir / "s.toml", toml);
  const ProgramResult sweep = job({"sweep", "s.toml"});
  CHECK(sweep.exit_code == 1);
  CHECK_THAT(sweep.err, Contains("its checksum does not fit"));
  CHECK_FALSE(fs::exists(job.dir / "runs"));
}

TEST_CASE("convert: what is no model, and what is no new folder", "[e2e]") {
  const Job job;
  fs::create_directories(job.dir / "empty");
  CHECK(job({"convert", "empty", "out"}).exit_code == 3);
  fs::create_directories(job.dir / "full");
  write_file(job.dir / "full/file", "");
  const ProgramResult full = job({"convert", kGoogle.string(), "full"});
  CHECK(full.exit_code == 1);
  CHECK_THAT(full.err, Contains("full is not empty"));
}

TEST_CASE("a run begins from Google's folder", "[e2e]") {
  const Job job;
  fs::copy(kGoogle, job.dir / "google");
  const std::string data =
      R"({"version":"1.1","data":[{"title":"t","paragraphs":[{"context":"a b c d e f g h",)"
      R"("qas":[{"id":"ID","question":"i j","answers":[{"text":"c d","answer_start":4}]}]}]}]})";
  write_file(job.dir / "train.json", data);
  write_file(job.dir / "dev.json", data);
  write_file(job.dir / "s.toml",
             "[data]\ntrain = \"train.json\"\ndev = \"dev.json\"\n[model]\ninit = \"google\"\n[train]\n"
             "max_steps = 2\nmax_seq_length = 32\ndoc_stride = 8\nprecision = \"fp32\"\n");
  job.succeeds({"sweep", "s.toml"});
  const fs::path checkpoint = job.dir / "runs/run1/checkpoint";
  CHECK(read_json(checkpoint / "config.json")["vocab_size"] == 120);
  job.succeeds({"convert", "google", "model"});
  CHECK(weights(checkpoint) != weights(job.dir / "model"));
}
