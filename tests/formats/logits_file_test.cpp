#include "formats/logits_file.h"

#include "core/error.h"
#include "formats/safetensors.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

LogitsFile small() {
  return {{"d0", "f0", "384", "128", "overlap"}, {1.0f, -2.5f, 3.0f}, {0.5f, 0.25f, -7.0f}, {0, 2, 2, 3}};
}

}  // namespace

TEST_CASE("logits: what is written is read back", "[formats]") {
  const TempDir dir;
  const auto written = small();
  write_logits(dir / "a", written);
  const auto read = read_logits(dir / "a");
  CHECK(read.identity == written.identity);
  CHECK(read.start == written.start);
  CHECK(read.end == written.end);
  CHECK(read.offsets == written.offsets);
}

TEST_CASE("logits: sizes that do not fit are not written, nor is a file left", "[formats]") {
  const TempDir dir;
  const auto check = [&](const LogitsFile& logits, const char* why) {
    CHECK_THROWS_WITH(write_logits(dir / "a", logits), Catch::Contains(why));
    CHECK_FALSE(std::filesystem::exists(dir / "a"));
  };
  auto logits = small();
  logits.end.pop_back();
  check(logits, "3 start logits, but 2 end logits");
  logits = small();
  logits.offsets = {0, 2, 1, 3};
  check(logits, "offsets fall at feature 1");
  logits.offsets = {1, 3};
  check(logits, "do not begin at 0");
  logits.offsets = {};
  check(logits, "do not begin at 0");
  logits.offsets = {0, 2};
  check(logits, "offsets end at 2, but there are 3 tokens");
}

TEST_CASE("logits: other safetensors files are refused by name", "[formats]") {
  const TempDir dir;
  const auto logits = small();
  const std::map<std::string, std::string> metadata{{"dataset_sha256", "d"},
                                                    {"features_sha256", "f"},
                                                    {"max_seq_length", "1"},
                                                    {"doc_stride", "1"},
                                                    {"window", "overlap"}};
  auto tensors = std::map<std::string, TensorView>{{"start", view_of(logits.start, {3})},
                                                   {"end", view_of(logits.end, {3})},
                                                   {"offsets", view_of(logits.offsets, {4})}};
  auto incomplete = metadata;
  incomplete.erase("window");
  write_safetensors(dir / "a", tensors, incomplete);
  CHECK_THROWS_WITH(read_logits(dir / "a"), Catch::Contains("/a: its metadata has no 'window'"));
  auto without_end = tensors;
  without_end.erase("end");
  write_safetensors(dir / "b", without_end, metadata);
  CHECK_THROWS_WITH(read_logits(dir / "b"), Catch::Contains("/b") && Catch::Contains("no tensor 'end'"));
  auto of_integers = tensors;
  of_integers["start"] = view_of(logits.offsets, {4});
  write_safetensors(dir / "c", of_integers, metadata);
  CHECK_THROWS_WITH(read_logits(dir / "c"),
                    Catch::Contains("/c: no logits file") && Catch::Contains("F32 was expected"));
  auto of_other_size = tensors;
  const std::vector<int64_t> too_many{0, 9};
  of_other_size["offsets"] = view_of(too_many, {2});
  write_safetensors(dir / "d", of_other_size, metadata);
  CHECK_THROWS_WITH(read_logits(dir / "d"), Catch::Contains("/d: offsets end at 9, but there are 3 tokens"));
}

TEST_CASE("logits: the difference of two identities names every key that differs", "[formats]") {
  const auto a = small().identity;
  CHECK(difference(a, a).empty());
  auto b = a;
  b.window = "advance";
  CHECK(difference(a, b) == "window: overlap and advance");
  b.doc_stride = "64";
  CHECK(difference(a, b) == "doc_stride: 128 and 64; window: overlap and advance");
  for (const auto member :
       {&LogitsIdentity::dataset_sha256, &LogitsIdentity::features_sha256, &LogitsIdentity::max_seq_length,
        &LogitsIdentity::doc_stride, &LogitsIdentity::window}) {
    auto other = a;
    other.*member += "x";
    CHECK_FALSE(difference(a, other).empty());
  }
}
