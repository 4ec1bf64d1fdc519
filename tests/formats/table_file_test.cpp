#include "formats/table_file.h"

#include "core/error.h"
#include "tests/support/tf_bundle.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;

namespace {

using Entries = std::map<std::string, std::string>;

Entries many_entries() {
  Entries entries{{"", "header"}};
  for (int i = 0; i < 3000; ++i)
    entries["bert/encoder/layer_" + std::to_string(i % 12) + "/part" + std::to_string(i)] =
        std::string(i % 70, 'v');
  return entries;
}

/// The bytes that leveldb makes of the entries.
std::string table_of(const Entries& entries, size_t block_size = 4096,
                     leveldb::CompressionType compression = leveldb::kNoCompression) {
  const TempDir dir;
  write_table(dir / "t.index", entries, block_size, compression);
  return read_file(dir / "t.index");
}

std::string refusal(const std::string& bytes) {
  try {
    read_table(bytes, "t.index");
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("table_file: leveldb's tables of one and of hundreds of blocks", "[formats]") {
  const Entries entries = many_entries();
  for (const size_t block_size : {size_t{128}, size_t{4096}, size_t{1} << 22})
    CHECK(read_table(table_of(entries, block_size), "t") == entries);
  CHECK(read_table(table_of({{"", ""}}), "t") == Entries{{"", ""}});
  CHECK(read_table(table_of({}), "t").empty());
}

TEST_CASE("table_file: a damaged byte anywhere that matters is found", "[formats]") {
  const Entries entries = many_entries();
  const std::string good = table_of(entries, 1024);
  size_t unnoticed = 0;
  for (size_t at = 0; at < good.size(); at += 7) {
    Entries read;
    try {
      read = read_table(damaged(good, at), "t");
    } catch (const Error&) {
      continue;
    }
    CHECK(read == entries);
    ++unnoticed;  // in the footer's filling or the block about blocks, which nobody reads
  }
  CHECK(unnoticed < 15);
}

TEST_CASE("table_file: cut short at any length", "[formats]") {
  const std::string good = table_of({{"", "header"}, {"a", "1"}, {"b", "2"}});
  for (size_t length = 0; length < good.size(); ++length)
    CHECK_FALSE(refusal(good.substr(0, length)).empty());
  CHECK_THAT(refusal(""), Contains("t.index: no table: shorter"));
  CHECK_THAT(refusal(good.substr(0, good.size() - 1)), Contains("t.index: no table: its last bytes"));
}

TEST_CASE("table_file: a compressed block is refused by its name", "[formats]") {
  Entries entries;
  for (char c = 'a'; c < 'z'; ++c) entries[std::string(1, c)] = std::string(500, 'x');
  CHECK_THAT(refusal(table_of(entries, 1024, leveldb::kSnappyCompression)),
             Contains("it is compressed (type 1), which expctl does not read"));
}

TEST_CASE("table_file: handles that wrap around or name the same block twice", "[formats]") {
  // A footer whose index block is 2^64 - 1 bytes long at offset 1.
  std::string footer = varint(0) + varint(0) + varint(1) + varint(~uint64_t{0});
  footer.resize(40, '\0');
  footer += "\x57\xfb\x80\x8b\x24\x75\x47\xdb";
  CHECK_THAT(refusal(std::string(100, '\0') + footer),
             Contains("18446744073709551615 bytes at 1 are not in the file"));

  // Two entries of the index that name one data block.
  const auto block = [](const std::string& content) {
    const std::string with_type = content + std::string("\0\0\0\0\1\0\0\0\0", 9);
    const uint32_t crc = masked_crc32c(std::as_bytes(std::span(with_type)));
    return with_type + std::string(reinterpret_cast<const char*>(&crc), 4);
  };
  const std::string data = block(std::string("\0\1\1", 3) + "av");
  const std::string handle = varint(0) + varint(data.size() - 5);
  const auto entry = [](const std::string& key, const std::string& value) {
    return varint(0) + varint(key.size()) + varint(value.size()) + key + value;
  };
  const auto table = [&](const std::string& index_content) {
    const std::string index = block(index_content);
    std::string end = varint(0) + varint(0) + varint(data.size()) + varint(index.size() - 5);
    end.resize(40, '\0');
    return data + index + end + "\x57\xfb\x80\x8b\x24\x75\x47\xdb";
  };
  CHECK(read_table(table(entry("b", handle)), "t") == Entries{{"a", "v"}});
  CHECK_THAT(refusal(table(entry("b", handle) + entry("c", handle))), Contains("its keys do not rise"));
  CHECK_THAT(refusal(table(entry("b", handle) + entry("a", handle))), Contains("its keys do not rise"));
}
