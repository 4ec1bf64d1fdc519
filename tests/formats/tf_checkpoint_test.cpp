#include "formats/tf_checkpoint.h"

#include "core/error.h"
#include "tests/support/tf_bundle.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

TfBundle three_shards() {
  TfBundle bundle;
  bundle.shards = 3;
  bundle.tensors["a"] = tf_floats({2, 3}, {1, 2, 3, 4, 5, 6}, 0);
  bundle.tensors["a/adam_m"] = tf_floats({2, 3}, {0, 0, 0, 0, 0, 0}, 1);
  bundle.tensors["b"] = tf_floats({}, {7}, 2);
  bundle.tensors["empty"] = tf_floats({0, 4}, {}, 2);
  bundle.tensors["half"] = {19, {2}, std::string("\0\x3c\0\xc0", 4), 1, {}};
  bundle.tensors["bf16"] = {14, {1}, std::string("\x80\x3f", 2), 1, {}};
  bundle.tensors["global_step"] = {9, {}, std::string(8, '\1'), 1, {}};
  return bundle;
}

/// What reading `tensor` says after the bundle was written and `spoil` called on its folder.
template <typename Spoil>
std::string refusal(const TfBundle& bundle, const std::string& tensor, Spoil spoil) {
  const TempDir dir;
  bundle.write(dir / "m.ckpt");
  spoil(dir.path());
  try {
    TfCheckpoint::read(dir / "m.ckpt.index").at(tensor);
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

std::string refusal(const TfBundle& bundle, const std::string& tensor) {
  return refusal(bundle, tensor, [](const fs::path&) {});
}

}  // namespace

TEST_CASE("tf_checkpoint: tensors of several shards and types", "[formats]") {
  const TempDir dir;
  three_shards().write(dir / "m.ckpt");
  const auto checkpoint = TfCheckpoint::read(dir / "m.ckpt.index");
  CHECK(checkpoint.names() ==
        std::vector<std::string>{"a", "a/adam_m", "b", "bf16", "empty", "global_step", "half"});
  CHECK(checkpoint.at("a").copy_as<float>() == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(checkpoint.at("a").shape == std::vector<int64_t>{2, 3});
  CHECK(checkpoint.at("b").copy_as<float>() == std::vector<float>{7});
  CHECK(checkpoint.at("empty").bytes.empty());
  CHECK(checkpoint.at("half").dtype == DType::kF16);
  CHECK(checkpoint.at("bf16").dtype == DType::kBF16);
  CHECK_THROWS_WITH(checkpoint.at("global_step"), Contains("'global_step': it is of TensorFlow's type 9"));
  CHECK_THROWS_WITH(checkpoint.at("c"), Contains("no tensor 'c'"));
}

TEST_CASE("tf_checkpoint: an index of many blocks", "[formats]") {
  TfBundle bundle;
  bundle.block_size = 256;
  for (int i = 0; i < 500; ++i)
    bundle.tensors["layer/" + std::to_string(i)] = tf_floats({1}, {static_cast<float>(i)});
  const TempDir dir;
  bundle.write(dir / "m");
  const auto checkpoint = TfCheckpoint::read(dir / "m.index");
  for (int i = 0; i < 500; ++i)
    CHECK(checkpoint.at("layer/" + std::to_string(i)).copy_as<float>().at(0) == static_cast<float>(i));
}

TEST_CASE("tf_checkpoint: a damaged byte in a data file is an error that names tensor and file",
          "[formats]") {
  const auto spoil = [](const fs::path& dir) {
    const fs::path file = dir / "m.ckpt.data-00000-of-00003";
    write_file(file, damaged(read_file(file), 5));
  };
  CHECK_THAT(refusal(three_shards(), "a", spoil),
             Contains("m.ckpt.data-00000-of-00003: tensor 'a': its checksum does not fit"));
  CHECK(refusal(three_shards(), "b", spoil).empty());
}

TEST_CASE("tf_checkpoint: shards that are absent or cut short", "[formats]") {
  CHECK_THAT(
      refusal(three_shards(), "a",
              [](const fs::path& dir) { fs::remove(dir / "m.ckpt.data-00001-of-00003"); }),
      Contains("m.ckpt.data-00001-of-00003: no such file, but ") && Contains("m.ckpt.index speaks of it"));
  const auto cut = [](const fs::path& dir) { fs::resize_file(dir / "m.ckpt.data-00000-of-00003", 23); };
  CHECK_THAT(
      refusal(three_shards(), "a", cut),
      Contains("m.ckpt.data-00000-of-00003: tensor 'a': 24 bytes at 0 are not in the file (23 bytes)"));
}

TEST_CASE("tf_checkpoint: entries that cannot be", "[formats]") {
  auto bundle = three_shards();
  // The last of two fields of one number is the one that counts.
  bundle.tensors["a"].more_fields = field(4, ~uint64_t{0} - 3);
  CHECK_THAT(refusal(bundle, "a"), Contains("24 bytes at 18446744073709551612 are not in the file"));
  bundle.tensors["a"].more_fields = field(5, 20);
  CHECK_THAT(refusal(bundle, "a"), Contains("20 bytes where its shape needs 24"));
  bundle.tensors["a"].more_fields = field(3, 3);
  CHECK_THAT(refusal(bundle, "a"), Contains("it is said to lie in data file 3 of 3"));
  bundle.tensors["a"].more_fields = field(7, std::string());
  CHECK_THAT(refusal(bundle, "a"), Contains("tensor 'a': it is split into partitions"));
  bundle.tensors["a"].more_fields = field(2, field(3, 1));
  CHECK_THAT(refusal(bundle, "a"), Contains("its shape is not known"));
  bundle.tensors["a"].more_fields = field(2, field(2, field(1, ~uint64_t{0})));
  CHECK_THAT(refusal(bundle, "a"), Contains("a shape that no tensor can have"));
  bundle.tensors["a"].more_fields = "\x1a";
  CHECK_THAT(refusal(bundle, "a"), Contains("m.ckpt.index: tensor 'a': 1 bytes wanted where 0 are left"));
}

TEST_CASE("tf_checkpoint: big-endian files, and tables that are no checkpoint", "[formats]") {
  auto bundle = three_shards();
  bundle.header_fields = field(2, 1);
  CHECK_THAT(refusal(bundle, "a"), Contains("m.ckpt.index: it was written on a big-endian machine"));
  const TempDir dir;
  write_table(dir / "t.index", {{"key", "value"}});
  CHECK_THROWS_WITH(TfCheckpoint::read(dir / "t.index"), Contains("it has no header"));
}
