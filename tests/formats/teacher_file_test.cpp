#include "formats/teacher_file.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

/// Of a training at length 384, stride 128.
struct Teacher {
  TempDir dir;
  RunSpec spec;
  LogitsFile logits{{"data", "features", "384", "128", "overlap"}, {1, 2, 3}, {4, 5, 6}, {0, 1, 3}};

  Teacher() {
    spec.train = resolve(TrainSpec{});
    spec.train_data.path = "/data/train.json";
    spec.teacher.path = dir / "logits.safetensors";
  }

  LogitsFile read() const {
    write_logits(spec.teacher.path, logits);
    return read_teacher(spec, "data");
  }

  std::pair<std::string, std::string> refusal() const {
    try {
      read();
    } catch (const Error& e) {
      return {e.what(), e.hint()};
    }
    return {"accepted", ""};
  }
};

}  // namespace

TEST_CASE("teacher: logits of the training's own windows are taken as they are", "[formats]") {
  const Teacher teacher;
  const LogitsFile read = teacher.read();
  CHECK(read.start == teacher.logits.start);
  CHECK(read.end == teacher.logits.end);
  CHECK(read.offsets == teacher.logits.offsets);
}

TEST_CASE("teacher: other data or other windows are refused, with what to type", "[formats]") {
  Teacher teacher;
  teacher.logits.identity.dataset_sha256 = "other";
  CHECK(teacher.refusal().first ==
        teacher.spec.teacher.path + ": not the training data's logits: dataset_sha256: other and data");
  teacher.logits.identity = {"data", "features", "128", "46", "overlap"};
  const auto [what, hint] = teacher.refusal();
  CHECK_THAT(what, Catch::EndsWith("max_seq_length: 128 and 384; doc_stride: 46 and 128"));
  CHECK(hint ==
        "expctl evaluate ID --data /data/train.json --name train --set eval_max_seq_length=384 --set "
        "eval_doc_stride=128 --set eval_window=overlap --set max_query_length=0; then "
        "evals/train/logits.safetensors in ID's folder");
  teacher.spec.train.max_query_length = 64;
  CHECK_THAT(teacher.refusal().second, Catch::Contains(" --set max_query_length=64;"));
}

TEST_CASE("teacher: a logit that is no finite number is refused", "[formats]") {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    Teacher teacher;
    teacher.logits.end[1] = bad;
    CHECK_THAT(teacher.refusal().first, Catch::Contains("it has logits that are no finite numbers"));
  }
}
