#include "core/files.h"

#include <sys/stat.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/json.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

TEST_CASE("files: a written file is whole, and nothing is left beside it", "[core]") {
  const TempDir dir;
  write_file(dir / "a", "one");
  write_file(dir / "a", "two");
  CHECK(read_file(dir / "a") == "two");
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);
}

TEST_CASE("files: others may read a new file as the umask lets them", "[core]") {
  const TempDir dir;
  const mode_t before = ::umask(022);
  write_file(dir / "a", "x");
  expctl::copy_file(dir / "a", dir / "copy");
  ::umask(before);
  for (const char* name : {"a", "copy"}) {
    struct stat info {};
    REQUIRE(::stat((dir / name).c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0644);
  }
}

TEST_CASE("files: a failed write names the file and keeps the old one", "[core]") {
  const TempDir dir;
  CHECK_THROWS_WITH(write_file(dir / "none" / "a", "x"), Catch::Contains("none/a"));
  CHECK_THROWS_WITH(read_file(dir / "missing"), Catch::Contains("missing"));
  CHECK_THROWS_WITH(read_file(dir.path()), Catch::Contains("is a folder"));
}

TEST_CASE("files: what another program has written gets its name", "[core]") {
  const TempDir dir;
  write_file(dir / "a.part", "new");
  write_file(dir / "a", "old");
  rename_written(dir / "a.part", dir / "a");
  CHECK(read_file(dir / "a") == "new");
  CHECK_FALSE(std::filesystem::exists(dir / "a.part"));
  CHECK_THROWS_WITH(rename_written(dir / "a.part", dir / "a"), Catch::Contains("a.part"));
  CHECK(read_file(dir / "a") == "new");
}

TEST_CASE("files: a file is created once", "[core]") {
  const TempDir dir;
  CHECK(create_file(dir / "claim", "first"));
  CHECK_FALSE(create_file(dir / "claim", "second"));
  CHECK(read_file(dir / "claim") == "first");
}

TEST_CASE("files: a pattern is a shell's, the folder's own name is none", "[core]") {
  const TempDir dir;
  const auto folder = dir / "a[1]*";
  make_folder(folder / "out");
  for (const char* name : {"out/b.log", "out/a.log", "out/c.txt"}) write_file(folder / name, "x");
  CHECK(find_files(folder, "out/*.log") ==
        std::vector<std::filesystem::path>{folder / "out/a.log", folder / "out/b.log"});
  CHECK(find_files(folder, "out/c.txt").size() == 1);
  CHECK(find_files(folder, "none*").empty());
  CHECK(find_files(folder, "").empty());
}

TEST_CASE("files: a copied tree has the content but shares no inode", "[core]") {
  const TempDir dir;
  make_folder(dir / "from" / "sub");
  const std::string large(3 << 20, 'x');
  write_file(dir / "from" / "sub" / "large", large);
  copy_tree(dir / "from", dir / "to");
  CHECK(read_file(dir / "to" / "sub" / "large") == large);
  struct stat a {
  }, b{};
  REQUIRE(::stat((dir / "from" / "sub" / "large").c_str(), &a) == 0);
  REQUIRE(::stat((dir / "to" / "sub" / "large").c_str(), &b) == 0);
  CHECK(a.st_ino != b.st_ino);
}

TEST_CASE("files: the copy of an empty folder is one", "[core]") {
  const TempDir dir;
  make_folder(dir / "from");
  copy_tree(dir / "from", dir / "to");
  CHECK(std::filesystem::is_empty(dir / "to"));
}

TEST_CASE("files: a copy is whole, and its hash that of the content", "[core]") {
  const TempDir dir;
  std::string large(40 << 20, 'x');  // several parts of what goes to the disk at once
  for (size_t i = 0; i < large.size(); i += 997) large[i] = static_cast<char>(i % 251);
  for (const std::string& content : {std::string(), std::string("abc"), large}) {
    write_file(dir / "from", content);
    write_file(dir / "to", "what was there, longer than the short ones");
    CHECK(copy_and_hash(dir / "from", dir / "to") == sha256(content));
    CHECK(sha256_file(dir / "to") == sha256(content));
    expctl::copy_file(dir / "from", dir / "plain");
    CHECK(sha256_file(dir / "plain") == sha256(content));
  }
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 3);
}

TEST_CASE("files: a folder in the place of a file is removed, a link to one and a file stay", "[core]") {
  const TempDir dir;
  make_folder(dir / "folder" / "sub");
  write_file(dir / "file", "x");
  std::filesystem::create_directory_symlink(dir / "folder", dir / "link");
  for (const char* name : {"link", "file", "nothing"}) remove_folder_at(dir / name);
  CHECK(std::filesystem::is_symlink(dir / "link"));
  CHECK(std::filesystem::exists(dir / "folder" / "sub"));
  CHECK(std::filesystem::exists(dir / "file"));
  remove_folder_at(dir / "folder");
  CHECK_FALSE(std::filesystem::exists(dir / "folder"));
}

TEST_CASE("hash: SHA-256 of the known examples, of a file, of a folder", "[core]") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const TempDir dir;
  write_file(dir / "a", "abc");
  CHECK(sha256_file(dir / "a") == sha256("abc"));
  const std::string before = sha256_folder(dir.path());
  write_file(dir / "b", "");
  CHECK(sha256_folder(dir.path()) != before);
}

TEST_CASE("json: what does not parse is said with file, line and column", "[core]") {
  CHECK_THROWS_WITH(parse_json("{\n  \"a\": }", "x.json"), Catch::StartsWith("x.json:2:8: not valid JSON"));
  CHECK_THROWS_WITH(parse_json("[1] 2", "x.json"), Catch::StartsWith("x.json:1:5: not valid JSON"));
  const auto nested = [](size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  CHECK(parse_json(nested(256), "x.json").is_array());
  CHECK_THROWS_WITH(parse_json(nested(257), "x.json"),
                    Catch::StartsWith("x.json: nested more than 256 deep"));
  CHECK_THROWS_WITH(parse_json(nested(100'000), "x.json"), Catch::Contains("nested more than"));
  const std::string token(100'000, 'x');
  CHECK_THROWS_WITH(parse_json("[\"" + token + "\n", "x.json"),
                    Catch::Contains("not valid JSON") && !Catch::Contains(token));
  const Json json = parse_json(R"({"n": 1, "t": "x"})", "x.json");
  CHECK(json_get<int>(json, "n", "x.json") == 1);
  CHECK(json_get<int>(json, "absent", "x.json", 7) == 7);
  CHECK_THROWS_WITH(json_get<int>(json, "t", "x.json"), Catch::Contains("'t' has the wrong type"));
  CHECK_THROWS_WITH(json_get<int>(json, "m", "x.json"), Catch::Contains("'m' is missing"));
}

TEST_CASE("json: an integer is one that the type holds", "[core]") {
  const auto number = [](const std::string& text) { return parse_json("{\"n\":" + text + "}", "x.json"); };
  CHECK(json_get<int64_t>(number("-9223372036854775808"), "n", "x.json") == INT64_MIN);
  CHECK(json_get<int64_t>(number("9223372036854775807"), "n", "x.json") == INT64_MAX);
  CHECK(json_get<int>(number("-2147483648"), "n", "x.json") == INT32_MIN);
  CHECK(json_get<size_t>(number("18446744073709551615"), "n", "x.json") == SIZE_MAX);
  for (const char* text : {"9223372036854775808", "18446744073709551651", "1e300", "-1e300", "1.5", "true"}) {
    CHECK_THROWS_WITH(json_get<int64_t>(number(text), "n", "x.json"), Catch::Contains("has the wrong type"));
  }
  CHECK_THROWS_AS(json_get<int>(number("2147483648"), "n", "x.json"), Error);
  CHECK_THROWS_AS(json_get<int>(number("-2147483649"), "n", "x.json"), Error);
  CHECK_THROWS_AS(json_get<size_t>(number("-1"), "n", "x.json"), Error);
}

TEST_CASE("json: members keep their order, and of those with one name the last one stays", "[core]") {
  CHECK(json_line(parse_json(R"({"b": 1, "a": [{}, [], null, -2, 1.5, "t", true], "c": {"d": {}}})", "x")) ==
        R"({"b":1,"a":[{},[],null,-2,1.5,"t",true],"c":{"d":{}}})");
  CHECK(json_line(parse_json(R"({"b": 1, "a": 2, "b": {"b": 3, "b": 4}})", "x")) == R"({"b":{"b":4},"a":2})");
  std::string many = "{";
  for (int i = 0; i < 50000; ++i) many += '"' + std::to_string(i % 49999) + "\": " + std::to_string(i) + ", ";
  const Json json = parse_json(many + "\"last\": 1}", "x");
  REQUIRE(json.size() == 50000);
  CHECK(json.begin().key() == "0");
  CHECK(json.begin().value() == 49999);
  CHECK(parse_json("3", "x") == 3);
}

TEST_CASE("files: what a link leads to is written, what is no file is left alone", "[core]") {
  const TempDir dir;
  write_file(dir / "real", "old");
  std::filesystem::create_symlink(dir / "real", dir / "link");
  write_file(dir / "link", "new");
  CHECK(read_file(dir / "real") == "new");
  CHECK(std::filesystem::is_symlink(dir / "link"));
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  CHECK_THROWS_WITH(write_file(dir / "pipe", "x"), Catch::Contains("no file"));
  CHECK(std::filesystem::is_fifo(dir / "pipe"));
  CHECK_THROWS_AS(write_file(dir.path(), "x"), Error);
}

TEST_CASE("files: the tail of one is its last 4 KiB", "[core]") {
  const TempDir dir;
  CHECK(file_tail(dir / "none").empty());
  write_file(dir / "log", "short");
  CHECK(file_tail(dir / "log") == "short");
  CHECK(file_tail(dir / "log", 2) == "ort");
  CHECK(file_tail(dir / "log", 5).empty());
  CHECK(file_tail(dir / "log", 50).empty());
  write_file(dir / "log", std::string(10'000, 'x') + "end");
  CHECK(file_tail(dir / "log").size() == 4096);
  CHECK_THAT(file_tail(dir / "log"), Catch::EndsWith("xend"));
}
