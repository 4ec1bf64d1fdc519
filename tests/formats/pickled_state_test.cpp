#include "formats/pickled_state.h"

#include "core/error.h"
#include "tests/support/support.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

std::string text(const std::string& value) {
  return "X" + std::string(1, static_cast<char>(value.size())) + std::string(3, '\0') + value;
}

/// What torch.save() writes of a float tensor of 2 x 3 in a storage of 7, with the given offset and strides.
std::string tensor(char offset, const std::string& strides) {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" + text("0") +
         text("cpu") + "K\7tQK" + offset + "K\2K\3\x86" + strides + "\x89" +
         "ccollections\nOrderedDict\n)RtR";
}

/// An OrderedDict with one item and the attributes of a state_dict().
std::string state(const std::string& name, const std::string& value) {
  return "\x80\2ccollections\nOrderedDict\nq" + std::string(1, '\0') + ")Rq\1(" + text(name) + value + "u}" +
         text("_metadata") + "h\1sb.";
}

std::string refusal(const std::string& bytes) {
  try {
    parse_pickled_state(bytes, "f.bin");
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("pickled_state: a tensor, its storage and its strides", "[formats]") {
  const auto tensors = parse_pickled_state(state("w", tensor('\1', "K\3K\1\x86")), "f.bin");
  REQUIRE(tensors.size() == 1);
  const PickledTensor& w = tensors.at("w");
  CHECK(w.storage == "0");
  CHECK(w.dtype == DType::kF32);
  CHECK(w.storage_size == 7);
  CHECK(w.offset == 1);
  CHECK(w.shape == std::vector<int64_t>{2, 3});
  CHECK(w.strides == std::vector<int64_t>{3, 1});
}

TEST_CASE("pickled_state: elements outside the storage, and what is no state_dict", "[formats]") {
  CHECK(refusal(state("w", tensor('\1', "K\3K\1\x86"))).empty());
  CHECK_THAT(refusal(state("w", tensor('\2', "K\3K\1\x86"))), Contains("f.bin: a tensor that is not within"));
  CHECK_THAT(refusal(state("w", tensor('\0', "J\xff\xff\xff\x7fK\1\x86"))), Contains("not within"));
  CHECK_THAT(refusal(state("w", tensor('\0', "J\xff\xff\xff\xffK\1\x86"))), Contains("not within"));
  CHECK_THAT(refusal("\x80\2cos\nsystem\n" + text("true") + "\x85R."), Contains("it asks for 'os.system'"));
  CHECK_THAT(refusal("\x80\2K\1."), Contains("it is no dictionary"));
  CHECK_THAT(refusal("\x80\2}."), Contains("there are no tensors"));
  CHECK_THAT(refusal("\x80\2R."), Contains("a value is missing"));
  CHECK_THAT(refusal("\x80\2h\5."), Contains("used before it is made"));
  CHECK_THAT(refusal("\x80\4\x95"), Contains("instruction 0x95"));
}

TEST_CASE("pickled_state: cut short at any length", "[formats]") {
  const std::string good = state("w", tensor('\0', "K\3K\1\x86"));
  for (size_t length = 0; length < good.size(); ++length)
    CHECK_FALSE(refusal(good.substr(0, length)).empty());
}
