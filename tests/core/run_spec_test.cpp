#include "core/run_spec.h"

#include <catch2/catch.hpp>

using namespace expctl;

namespace {

RunSpec native() {
  RunSpec spec;
  spec.train = resolve(TrainSpec{});
  spec.train_data.sha256 = "t";
  spec.dev_data.sha256 = "d";
  spec.init.sha256 = "i";
  return spec;
}

}  // namespace

TEST_CASE("run_spec: the config hash covers what a run computes and nothing else", "[core]") {
  const std::string hash = config_hash(native());
  const auto changed = [&](const std::function<void(RunSpec&)>& change) {
    RunSpec spec = native();
    change(spec);
    return config_hash(spec) != hash;
  };
  CHECK(changed([](RunSpec& s) { s.train.learning_rate = 1e-5; }));
  CHECK(changed([](RunSpec& s) { s.train_data.sha256 = "other"; }));
  CHECK(changed([](RunSpec& s) { s.dev_data.sha256 = "other"; }));
  CHECK(changed([](RunSpec& s) { s.init.sha256 = "other"; }));
  CHECK(changed([](RunSpec& s) { s.train.seed_data = 7; }));
  CHECK(changed([](RunSpec& s) { s.command.argv = {"train.sh"}; }));
  CHECK_FALSE(changed([](RunSpec& s) { s.name = "other"; }));
  CHECK_FALSE(changed([](RunSpec& s) { s.train_data.path = "/elsewhere"; }));
  CHECK_FALSE(changed([](RunSpec& s) { s.resources.timeout_s = 60; }));
  CHECK_FALSE(changed([](RunSpec& s) { s.config_commit = "abc"; }));
  CHECK_FALSE(changed([](RunSpec& s) { s.config_folder = "/abc"; }));
  CHECK_FALSE(changed([](RunSpec& s) { s.params["learning_rate"] = 3e-5; }));
  CHECK_FALSE(changed([](RunSpec& s) {
    s.train.seed = 7;
    s.train.seed_init = s.train.seed_data = s.train.seed_dropout = 7;
  }));
}

// Written down when neither key was there.
TEST_CASE("run_spec: without a teacher the config hash is the one that it always was", "[core]") {
  CHECK(config_hash(native()) == "6db3aaa7332d73c00cc45336da906bb6dedc78c126533def6b33f5a6d379da17");
  RunSpec spec = native();
  spec.teacher = {"/a/logits", "l"};
  spec.train.distillation = 0.5;
  const std::string with = config_hash(spec);
  CHECK(with != config_hash(native()));
  spec.teacher.path = "/b/logits";
  CHECK(config_hash(spec) == with);
  spec.teacher.sha256 = "m";
  CHECK(config_hash(spec) != with);
  CHECK(config_hash(run_spec_from_json(to_json(spec), "test")) == config_hash(spec));
}

TEST_CASE("run_spec: a teacher and its part of the loss come together", "[core]") {
  RunSpec spec = native();
  CHECK_NOTHROW(check_teacher(spec));
  spec.train.distillation = 0.25;
  CHECK_THROWS_WITH(check_teacher(spec), "distillation = 0.25: there is no teacher to learn from");
  spec.teacher.path = "/l";
  CHECK_NOTHROW(check_teacher(spec));
  spec.train.distillation = 0;
  CHECK_THROWS_WITH(check_teacher(spec),
                    "teacher = \"/l\": nothing is learned from it with distillation = 0");
}

TEST_CASE("run_spec: a command's parameters are part of its config, whatever their order", "[core]") {
  RunSpec a, b;
  a.command.argv = b.command.argv = {"train.sh"};
  a.params["x"] = 1;
  a.params["y"] = 2;
  b.params["y"] = 2;
  b.params["x"] = 1;
  CHECK(config_hash(a) == config_hash(b));
  b.params["x"] = 3;
  CHECK(config_hash(a) != config_hash(b));
}

TEST_CASE("run_spec: it reads back from JSON as it was, also without what later versions added", "[core]") {
  RunSpec spec = native();
  spec.params["learning_rate"] = 1e-5;
  spec.command.argv = {"train.sh", "{seed}"};
  spec.resources.cpus = 3;
  spec.config_commit = "abc-dirty";
  spec.config_folder = "/sweeps";
  Json json = to_json(spec);
  CHECK(to_json(run_spec_from_json(json, "test")) == json);
  json.erase("config_commit");
  CHECK(run_spec_from_json(json, "test").config_commit.empty());
}
