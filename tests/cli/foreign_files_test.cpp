#include "cli/foreign_files.h"

#include "core/error.h"
#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

/// A folder to import, and one to bring it to.
struct Foreign {
  TempDir dir;
  ForeignPlace place;
  RunPaths to{dir / "to"};

  Foreign() {
    place.from = dir / "from";
    make_folder(place.from);
    make_folder(to.folder);
  }

  void write(const std::string& name, const std::string& text) const {
    make_folder((place.from / name).parent_path());
    write_file(place.from / name, text);
  }

  void take() const { take_foreign_files(find_foreign_files(place), to); }
};

ErrorCode code_of(const ForeignPlace& place) {
  try {
    find_foreign_files(place);
  } catch (const Error& e) {
    return e.code();
  }
  FAIL("nothing was thrown");
  return ErrorCode::kError;
}

std::string hint_of(const ForeignPlace& place) {
  try {
    find_foreign_files(place);
  } catch (const Error& e) {
    return e.hint();
  }
  return "found";
}

}  // namespace

TEST_CASE("foreign files: what has its usual name is found and brought in", "[cli]") {
  const Foreign foreign;
  foreign.write("predictions.json", "{}");
  foreign.write("nbest_predictions.json", "{\"q1\": []}");
  foreign.write("train.log", "step 1\n");
  foreign.write("command.txt", "python3 train.py\n");
  foreign.write("checkpoint/model.safetensors", "weights");
  foreign.write("checkpoint/member/vocab.txt", "[PAD]\n");
  foreign.take();
  CHECK(find_foreign_files(foreign.place).predictions == foreign.place.from / "predictions.json");
  CHECK(read_file(foreign.to.nbest()) == "{\"q1\": []}");
  CHECK(read_file(foreign.to.log()) == "step 1\n");
  CHECK(read_file(foreign.to.command()) == "python3 train.py\n");
  CHECK(read_file(foreign.to.checkpoint() / "model.safetensors") == "weights");
  CHECK(fs::exists(foreign.to.checkpoint() / "member/vocab.txt"));
  CHECK(fs::hard_link_count(foreign.to.checkpoint() / "model.safetensors") == 1);
  CHECK_FALSE(fs::exists(foreign.to.logits()));
}

TEST_CASE("foreign files: predictions of another name bring their own n-best, several logs become one",
          "[cli]") {
  Foreign foreign;
  foreign.write("out/eval_predictions.json", "{}");
  foreign.write("out/eval_nbest_predictions.json", "{}");
  foreign.write("a.log", "first");
  foreign.write("logs/b.txt", "second\n");
  foreign.place.predictions = "out/eval_predictions.json";
  const ForeignFiles found = find_foreign_files(foreign.place);
  CHECK(found.nbest == foreign.place.from / "out/eval_nbest_predictions.json");
  foreign.take();
  CHECK(read_file(foreign.to.log()) == "==> a.log <==\nfirst\n==> b.txt <==\nsecond\n");
  foreign.place.logs = "logs/*";
  CHECK(find_foreign_files(foreign.place).logs.size() == 1);
}

TEST_CASE("foreign files: a folder that is a model itself is the checkpoint, without what is no weight",
          "[cli]") {
  Foreign foreign;
  for (const char* name : {"config.json", "model.safetensors", "vocab.txt", "predictions.json", "x.log",
                           "nbest_predictions.json", "checkpoint-500/model.safetensors"})
    foreign.write(name, "{}");
  CHECK(find_foreign_files(foreign.place).checkpoint_files ==
        std::vector<fs::path>{"config.json", "model.safetensors", "vocab.txt"});
  foreign.place.checkpoint = "checkpoint-500";
  CHECK(find_foreign_files(foreign.place).checkpoint_files == std::vector<fs::path>{"model.safetensors"});
  fs::remove(foreign.place.from / "config.json");
  foreign.place.checkpoint.clear();
  CHECK(find_foreign_files(foreign.place).checkpoint.empty());
  foreign.write("checkpoint", "model_checkpoint_path: \"x\"");  // TensorFlow's file of this name
  CHECK(find_foreign_files(foreign.place).checkpoint.empty());
}

TEST_CASE("foreign files: a file is predictions and nothing else", "[cli]") {
  Foreign foreign;
  foreign.write("bert.json", "{}");
  foreign.write("train.log", "of another");
  foreign.place.from /= "bert.json";
  const ForeignFiles found = find_foreign_files(foreign.place);
  CHECK(found.predictions == foreign.place.from);
  CHECK(found.logs.empty());
  foreign.place.nbest = "nbest.json";
  CHECK(code_of(foreign.place) == ErrorCode::kUsage);
}

TEST_CASE("foreign files: what is not there is said with what is", "[cli]") {
  Foreign foreign;
  CHECK(code_of(foreign.place) == ErrorCode::kNotFound);
  foreign.write("eval_predictions.json", "{}");
  foreign.write("eval_nbest_predictions.json", "{}");
  CHECK(hint_of(foreign.place) == "--predictions names one of eval_predictions.json");
  foreign.place.predictions = "eval_predictions.json";
  for (auto* named : {&foreign.place.nbest, &foreign.place.checkpoint, &foreign.place.logs}) {
    *named = "absent";
    CHECK(code_of(foreign.place) == ErrorCode::kNotFound);
    named->clear();
  }
  foreign.write("eval_nbest_predictions.json", "[]");
  CHECK_THROWS_WITH(foreign.take(), Contains("eval_nbest_predictions.json: not an object"));
  foreign.place.from = foreign.dir / "absent";
  CHECK(code_of(foreign.place) == ErrorCode::kNotFound);
}
