#include "cli/command_results.h"

#include <chrono>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "tests/support/one_question.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;
namespace fs = std::filesystem;

namespace {

/// A run folder in which an attempt has been claimed.
struct Attempt {
  TempDir dir;
  RunPaths paths{dir.path()};
  WorkerRequest request;

  Attempt() {
    write_file(dir / "dev.json", kOneQuestion);
    request.spec.dev_data.path = dir / "dev.json";
    request.spec.command = {{"train.sh"}, "out/predictions*.json", "out/nbest.json", "", ""};
    write_file(paths.claim(), "token");
    make_folder(dir / "out");
  }

  void write(const std::string& name, const std::string& text, int seconds_after_claim) const {
    write_file(dir / name, text);
    fs::last_write_time(dir / name,
                        fs::last_write_time(paths.claim()) + std::chrono::seconds(seconds_after_claim));
  }

  void take() const { take_command_results(request, paths); }
};

}  // namespace

TEST_CASE("command_results: the newest predictions of the attempt are taken and scored", "[cli]") {
  const Attempt attempt;
  attempt.write("out/predictions_1.json", R"({"q1": "red"})", 5);
  attempt.write("out/predictions_2.json", R"({"q1": "blue"})", 10);
  attempt.write("out/predictions_3.json", R"({"q1": "green"})", 7);
  attempt.write("out/nbest.json", "{}", 8);
  attempt.take();
  CHECK(read_file(attempt.paths.predictions()) == R"({"q1": "blue"})");
  CHECK(read_file(attempt.paths.nbest()) == "{}");
  CHECK(read_file(attempt.paths.eval()) == "{\"exact_match\": 100.0, \"f1\": 100.0}\n");
}

TEST_CASE("command_results: what an earlier attempt has left is not this one's", "[cli]") {
  const Attempt attempt;
  attempt.write("out/predictions_1.json", R"({"q1": "blue"})", -5);
  write_file(attempt.paths.eval(), "an earlier score");
  attempt.take();
  CHECK_FALSE(fs::exists(attempt.paths.predictions()));
  CHECK_FALSE(fs::exists(attempt.paths.eval()));
}

TEST_CASE("command_results: predictions that cannot be read are an error, without dev data no score",
          "[cli]") {
  Attempt attempt;
  attempt.write("out/predictions.json", "[1]", 5);
  CHECK_THROWS_AS(attempt.take(), Error);
  attempt.write("out/predictions.json", R"({"q1": "blue"})", 6);
  attempt.request.spec.dev_data.path.clear();
  attempt.take();
  CHECK(fs::exists(attempt.paths.predictions()));
  CHECK_FALSE(fs::exists(attempt.paths.eval()));
}

TEST_CASE("command_results: a checkpoint is the files of its folder, also of the run folder itself",
          "[cli]") {
  Attempt attempt;
  make_folder(attempt.dir / "out/best");
  attempt.write("out/best/model.safetensors", "weights", 5);
  make_folder(attempt.dir / "out/best/checkpoint-500");
  attempt.write("out/best/checkpoint-500/optimizer.pt", "moments", 5);
  attempt.request.spec.command.checkpoint = "out/b*";
  attempt.take();
  CHECK(read_file(attempt.paths.checkpoint() / "model.safetensors") == "weights");
  CHECK_FALSE(fs::exists(attempt.paths.checkpoint() / "checkpoint-500"));
  // Written again in place, the folder looks as old as before.
  fs::last_write_time(attempt.paths.claim(),
                      fs::last_write_time(attempt.dir / "out/best") + std::chrono::seconds(60));
  attempt.take();
  CHECK(read_file(attempt.paths.checkpoint() / "model.safetensors") ==
        "weights");  // still the first attempt's
  attempt.write("out/best/model.safetensors", "better", 5);
  attempt.take();
  CHECK(read_file(attempt.paths.checkpoint() / "model.safetensors") == "better");

  write_file(attempt.paths.log(), "a log");
  attempt.request.spec.command.predictions = "eval_p*.json";
  attempt.write("eval_predictions.json", R"({"q1": "blue"})", 5);
  attempt.write("model.safetensors", "others", 5);
  attempt.write("vocab.txt", "[PAD]\n", 5);
  attempt.request.spec.command.checkpoint = ".";
  attempt.take();
  CHECK(read_file(attempt.paths.checkpoint() / "model.safetensors") == "others");
  CHECK(fs::exists(attempt.paths.checkpoint() / "vocab.txt"));
  CHECK_FALSE(fs::exists(attempt.paths.checkpoint() / attempt.paths.log().filename()));
  CHECK_FALSE(fs::exists(attempt.paths.checkpoint() / "eval_predictions.json"));
  CHECK_FALSE(fs::exists(attempt.paths.checkpoint() / "checkpoint"));
}
