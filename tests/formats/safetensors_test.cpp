#include "formats/safetensors.h"

#include <limits>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

std::string with_header(const std::string& header, const std::string& data) {
  std::string text;
  for (size_t i = 0; i < 8; ++i) text.push_back(static_cast<char>((header.size() >> (8 * i)) & 0xff));
  return text + header + data;
}

SafeTensors parse_text(const std::string& text) {
  return SafeTensors::parse(std::as_bytes(std::span<const char>(text)), "file");
}

void write_small(const std::filesystem::path& path) {
  const std::vector<float> weights{1.5f, -2.0f, 0.0f, std::numeric_limits<float>::denorm_min(), 3e38f, 0.1f};
  const std::vector<int64_t> steps{-1, int64_t{1} << 60};
  write_safetensors(path, {{"weights", view_of(weights, {2, 3})}, {"steps", view_of(steps, {2})}},
                    {{"format", "pt"}});
}

}  // namespace

TEST_CASE("safetensors: what is written is read back, values, shapes and metadata", "[formats]") {
  const TempDir dir;
  write_small(dir / "a");
  const auto file = SafeTensors::read(dir / "a");
  CHECK(file.tensors().size() == 2);
  CHECK(file.metadata() == std::map<std::string, std::string>{{"format", "pt"}});
  CHECK(file.at("weights").shape == std::vector<int64_t>{2, 3});
  CHECK(file.at("weights").copy_as<float>() ==
        std::vector<float>{1.5f, -2.0f, 0.0f, std::numeric_limits<float>::denorm_min(), 3e38f, 0.1f});
  CHECK(file.at("steps").dtype == DType::kI64);
  CHECK(file.at("steps").copy_as<int64_t>() == std::vector<int64_t>{-1, int64_t{1} << 60});
}

TEST_CASE("safetensors: tensors outlive the file that was replaced under them", "[formats]") {
  const TempDir dir;
  write_small(dir / "a");
  const auto file = SafeTensors::read(dir / "a");
  write_file(dir / "a", "something else");
  CHECK(file.at("weights").copy_as<float>()[0] == 1.5f);
}

TEST_CASE("safetensors: empty tensors, scalars and a file of none", "[formats]") {
  const TempDir dir;
  const std::vector<float> none, one{4.0f};
  write_safetensors(dir / "a", {{"none", view_of(none, {0, 7})}, {"one", view_of(one, {})}}, {});
  const auto file = SafeTensors::read(dir / "a");
  CHECK(file.at("none").element_count() == 0);
  CHECK(file.at("none").copy_as<float>().empty());
  CHECK(file.at("one").shape.empty());
  CHECK(file.at("one").copy_as<float>() == one);
  CHECK(file.metadata().empty());
  write_safetensors(dir / "b", {}, {});
  CHECK(SafeTensors::read(dir / "b").tensors().empty());
}

TEST_CASE("safetensors: a file cut at any byte is refused by name", "[formats]") {
  const TempDir dir;
  write_small(dir / "a");
  const std::string whole = read_file(dir / "a");
  REQUIRE_NOTHROW(parse_text(whole));
  for (size_t size = 0; size < whole.size(); ++size) {
    INFO("cut to " << size << " of " << whole.size());
    REQUIRE_THROWS_AS(parse_text(whole.substr(0, size)), Error);
  }
  write_file(dir / "cut", whole.substr(0, whole.size() - 1));
  CHECK_THROWS_WITH(SafeTensors::read(dir / "cut"), Catch::Contains("cut: tensor 'weights'"));
  write_file(dir / "empty", "");
  CHECK_THROWS_WITH(SafeTensors::read(dir / "empty"), Catch::Contains("empty: not a safetensors file"));
}

TEST_CASE("safetensors: headers that do not fit are refused, each with its reason", "[formats]") {
  struct Case {
    const char* header;
    const char* why;
  };
  const auto c = GENERATE(
      Case{
          R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
          "'a' and 'b' overlap"},
      Case{R"({"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}})", "unknown dtype 'F31'"},
      Case{R"({"a":{"dtype":4,"shape":[2],"data_offsets":[0,8]}})", "wrong type"},
      Case{R"({"a":{"shape":[2],"data_offsets":[0,8]}})", "'dtype' is missing"},
      Case{R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "8 bytes where its shape needs 12"},
      Case{R"({"a":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}})", "8 bytes where its shape needs 16"},
      Case{R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "no tensor can have"},
      Case{R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})",
           "no tensor can have"},
      Case{R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}})",
           "no tensor can have"},
      Case{R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}})", "no list of integers"},
      Case{R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", "no list of integers"},
      Case{R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", "not two integers"},
      Case{R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "not in the file"},
      Case{R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", "not in the file"},
      Case{R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[16,24]}})", "not in the file"},
      Case{R"({"a":7})", "'dtype' is missing"},
      Case{R"({"__metadata__":{"k":1}})", "metadata 'k' is no text"}, Case{R"([1])", "header is no object"},
      Case{R"({"a":)", "file (header)"});
  INFO(c.header);
  CHECK_THROWS_WITH(parse_text(with_header(c.header, std::string(16, '\0'))),
                    Catch::Contains("file") && Catch::Contains(c.why));
}

TEST_CASE("safetensors: a huge length of the header is refused before it is believed", "[formats]") {
  for (const uint64_t length :
       {uint64_t{17}, uint64_t{100'000'001}, uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 7}) {
    std::string text;
    for (size_t i = 0; i < 8; ++i) text.push_back(static_cast<char>((length >> (8 * i)) & 0xff));
    text += "{}              ";  // 16 bytes
    CHECK_THROWS_WITH(parse_text(text), Catch::Contains("a header of " + std::to_string(length) + " bytes"));
  }
}

TEST_CASE("safetensors: the wrong name and the wrong type are refused", "[formats]") {
  const TempDir dir;
  write_small(dir / "a");
  const auto file = SafeTensors::read(dir / "a");
  CHECK_THROWS_WITH(file.at("weight"), Catch::Contains("no tensor 'weight'") && Catch::Contains("weights"));
  CHECK_THROWS_WITH(file.at("weights").copy_as<int64_t>(),
                    Catch::Contains("I64 was expected, but it is F32"));
  CHECK_THROWS_AS(SafeTensors::read(dir / "missing"), Error);
}
