#include "core/train_spec.h"

#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/run_spec.h"
#include "tests/support/support.h"

using namespace expctl;

namespace {
void set(TrainSpec& spec, const char* name, const Json& value) {
  set_train_key(spec, *find_train_key(name), value);
}
}  // namespace

TEST_CASE("train_spec: a spec reads back from its JSON", "[core]") {
  TrainSpec spec;
  spec.learning_rate = 1e-4;
  spec.window = "advance";
  spec.seed = 7;
  CHECK(train_spec_from_json(to_json(spec), "x") == spec);
  CHECK(to_json(spec).size() == train_keys().size());
}

TEST_CASE("train_spec: impossible values are refused, and the message says why", "[core]") {
  TrainSpec spec;
  const std::vector<std::tuple<const char*, Json, std::string>> cases = {
      {"learning_rate", -1, "learning_rate = -1: must be greater than 0"},
      {"learning_rate", 0.0, "learning_rate = 0.0: must be greater than 0"},
      {"epochs", "two", "epochs = \"two\": must be a number"},
      {"batch_size", 2.5, "batch_size = 2.5: must be an integer"},
      {"batch_size", 0, "batch_size = 0: must be at least 1"},
      {"hidden_dropout", 1.0, "hidden_dropout = 1.0: must be at most 0.99"},
      {"schedule", "step", "schedule = \"step\": must be one of linear, cosine, constant"},
      {"deterministic", 1, "deterministic = 1: must be true or false"},
      {"head", "conv", "head = \"conv\": must be one of linear, mlp"},
      {"ema_decay", 1, "ema_decay = 1: must be at most 0.999999"},
      {"rdrop", -0.5, "rdrop = -0.5: must be at least 0"},
      {"adversarial", "pgd", "adversarial = \"pgd\": must be one of none, fgm"},
  };
  set(spec, "head", "mlp");
  CHECK(spec.head == "mlp");
  spec = {};
  for (const auto& [name, value, message] : cases) CHECK_THROWS_WITH(set(spec, name, value), message);
  CHECK(spec == TrainSpec{});
  CHECK_THROWS_WITH(train_spec_from_json({{"lerning_rate", 1}}, "x"),
                    Catch::Contains("did you mean 'learning_rate'?"));
}

TEST_CASE("train_spec: resolving fills in what depends on other keys", "[core]") {
  TrainSpec spec;
  spec.seed = 5;
  spec.seed_data = 9;
  const TrainSpec resolved = resolve(spec);
  CHECK(resolved.micro_batch == 12);
  CHECK(resolved.seed_init == 5);
  CHECK(resolved.seed_data == 9);
  CHECK(resolved.eval_max_seq_length == 384);
  CHECK(resolved.eval_doc_stride == 128);
  spec.eval_max_seq_length = 128;
  // 128 tokens less three special ones and 32 for the question leave 93 for the context.
  CHECK(resolve(spec).eval_doc_stride == 46);
  spec.eval_max_seq_length = 256;  // 128 fits beside any question
  CHECK(resolve(spec).eval_doc_stride == 128);
  spec.max_seq_length = 96;
  spec.doc_stride = 32;
  spec.eval_max_seq_length = 48;  // a long question may leave 21: half of the 33 beside a typical one
  CHECK(resolve(spec).eval_doc_stride == 16);
  spec.micro_batch = 13;
  CHECK_THROWS_WITH(resolve(spec), Catch::Contains("micro_batch = 13"));
}

TEST_CASE("train_spec: a setting is a key that there is, and a value", "[core]") {
  TrainSpec spec;
  CHECK(apply_setting(spec, "epochs=3") == "epochs");
  CHECK(spec.epochs == 3);
  CHECK(apply_setting(spec, "window=overlap") == "window");
  CHECK(spec.window == "overlap");
  for (const char* setting : {"epochs", "window", "nothing", ""})
    CHECK_THROWS_WITH(apply_setting(spec, setting), Catch::Contains("not a setting 'key=value'"));
  CHECK_THROWS_WITH(apply_setting(spec, "epoch=3"),
                    Catch::Contains("--set epoch=3: no key is named 'epoch'"));
  CHECK_THROWS_WITH(apply_setting(spec, "epochs=many"), Catch::StartsWith("--set epochs"));
}

TEST_CASE("train_spec: the CPU computes in any precision but fp16", "[core]") {
  for (const char* precision : {"auto", "fp32", "bf16"}) CHECK_NOTHROW(check_cpu_precision(precision));
  CHECK_THROWS_WITH(check_cpu_precision("fp16"), Catch::Contains("fp32 or bf16"));
}

TEST_CASE("run_spec: the config hash is of what is computed, not of names, paths, seeds or resources",
          "[core]") {
  RunSpec spec;
  spec.train = resolve({});
  spec.train_data = {"/a/train.json", "11"};
  const std::string hash = config_hash(spec);
  RunSpec same = spec;
  same.name = "other";
  same.train_data.path = "/b/train.json";
  same.resources.retries = 9;
  TrainSpec reseeded;
  reseeded.seed = 77;
  same.train = resolve(reseeded);
  CHECK(config_hash(same) == hash);
  RunSpec other = spec;
  other.train.learning_rate = 5e-5;
  CHECK(config_hash(other) != hash);
  other = spec;
  other.train_data.sha256 = "12";
  CHECK(config_hash(other) != hash);
  CHECK(config_hash(run_spec_from_json(to_json(spec), "x")) == hash);
}

TEST_CASE("train_spec: the document of the sweep file has a row for each key, in their order", "[core]") {
  const std::string text = read_file(test::source_dir() / "docs/sweep_file.md");
  size_t at = 0;
  for (const auto& name : train_key_names()) {
    INFO(name);
    at = text.find("\n| " + name + " | ", at);
    REQUIRE(at != std::string::npos);
  }
}
