#include "formats/crc32c.h"

#include <string>

#include "tests/support/support.h"

using namespace expctl;

namespace {

uint32_t crc_of(const std::string& text) {
  return crc32c(std::as_bytes(std::span(text)));
}

}  // namespace

TEST_CASE("crc32c: published values", "[formats]") {
  CHECK(crc_of("") == 0);
  CHECK(crc_of("123456789") == 0xe3069283);
  CHECK(crc_of(std::string(32, '\0')) == 0x8a9136aa);  // RFC 3720, B.4, likewise the next two
  CHECK(crc_of(std::string(32, '\xff')) == 0x62a8ab43);
  std::string rising;
  for (char c = 0; c < 32; ++c) rising += c;
  CHECK(crc_of(rising) == 0x46dd794e);
}

TEST_CASE("crc32c: eight bytes at a time or one, the number is the same", "[formats]") {
  std::string text;
  for (int i = 0; i < 100; ++i) text += static_cast<char>(i * 37 + 11);
  for (size_t begin = 0; begin < 9; ++begin) {
    for (size_t length = 0; length <= 64; ++length) {
      const std::string part = text.substr(begin, length);
      uint32_t slow = ~0u;
      for (const char c : part) {
        slow ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) slow = (slow >> 1) ^ (slow % 2 != 0 ? 0x82f63b78 : 0);
      }
      REQUIRE(crc_of(part) == ~slow);
    }
  }
}
