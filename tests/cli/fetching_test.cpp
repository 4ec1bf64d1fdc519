// Fetching from a server that breaks off, lies and redirects.
#include "cli/fetching.h"

#include <fmt/core.h>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/text.h"
#include "formats/stored_bert.h"
#include "runner/file_lock.h"
#include "tests/support/fetch_server.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

/// Two files that a server has, and the folder for them.
struct Fetching {
  FetchServer server;
  TempDir dir;
  std::string big = varied_text(4500), small = varied_text(200);

  Fetching() {
    write_file(server.folder() / "big.json", big);
    write_file(server.folder() / "small.json", small);
  }

  PublishedFile file(const std::string& name, const std::string& content) const {
    return {name, sha256(content), "https://example.org/data/" + name, static_cast<int64_t>(content.size())};
  }
  PublishedItem item() const { return {"item", ".", {file("big.json", big), file("small.json", small)}, {}}; }
  std::vector<FetchedFile> operator()(const std::string& manner) { return fetch(item(), manner); }
  std::vector<FetchedFile> fetch(const PublishedItem& wanted, const std::string& manner) {
    DownloadProgress progress(true, false);
    return fetch_item(served_from(wanted, server.address(manner)), dir / "out", progress);
  }

  std::string part() const { return read_file(dir / "out/big.json.part"); }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& path : find_files(dir / "out", "*")) found.push_back(path.filename().string());
    return found;
  }
  void check_whole() const {
    CHECK(names() == std::vector<std::string>{"big.json", "small.json"});
    CHECK(read_file(dir / "out/big.json") == big);
    CHECK(read_file(dir / "out/small.json") == small);
  }
};

/// Google's tiny checkpoint of the tests, packed as Google packs its own.
struct FetchingZip : Fetching {
  PublishedItem bert{"bert", ".", {}, PublishedZip{"https://example.org/x/bert.zip", "bert.zip", "tiny", 0}};

  FetchingZip() {
    const fs::path model = source_dir() / "tests/data/tf-checkpoint";
    for (const char* name :
         {"bert_config.json", "bert_model.ckpt.data-00000-of-00001", "bert_model.ckpt.index", "vocab.txt"})
      bert.files.push_back({name, sha256_file(model / name), "", 0});
    pack("");
    bert.zip->bytes = static_cast<int64_t>(fs::file_size(server.folder() / "bert.zip"));
  }

  void pack(const std::string& more_lines) const {
    run_python(R"py(
import sys, zipfile
from pathlib import Path
z = zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED)
for path in sorted(Path(sys.argv[2]).iterdir()):
    z.write(path, "tiny/" + path.name)
)py" + more_lines + "\nz.close()\n",
               {(server.folder() / "bert.zip").string(),
                (source_dir() / "tests/data/tf-checkpoint").string()});
  }

  std::vector<FetchedFile> operator()(const std::string& manner) { return fetch(bert, manner); }
  /// Nothing was left but, beside the folder, these.
  void check_left(const std::vector<std::string>& beside) const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(dir.path()))
      found.push_back(entry.path().filename().string());
    CHECK(found == beside);
  }
};

}  // namespace

TEST_CASE("fetch: files come whole, and are not fetched again", "[cli]") {
  Fetching fetch;
  const auto files = fetch("plain");
  fetch.check_whole();
  REQUIRE(files.size() == 2);
  CHECK_FALSE(files[0].was_there);
  CHECK(json_line(fetched_json(files)) ==
        R"({"schema_version":1,"files":[{"path":")" + (fetch.dir / "out/big.json").string() +
            R"(","bytes":4500,"sha256":")" + sha256(fetch.big) + R"("},{"path":")" +
            (fetch.dir / "out/small.json").string() + R"(","bytes":200,"sha256":")" + sha256(fetch.small) +
            R"("}]})");
  const size_t requests = fetch.server.requests().size();
  fs::remove(fetch.dir / "out/small.json");
  CHECK(fetch("plain")[0].was_there);
  CHECK(fetch.server.requests().size() == requests + 1);
  CHECK(fetch("plain")[1].was_there);
  CHECK(fetch.server.requests().size() == requests + 1);
  fetch.check_whole();
}

TEST_CASE("fetch: a connection that breaks off is taken up where it stopped", "[cli]") {
  Fetching fetch;
  fetch("drop");
  fetch.check_whole();
  const auto requests = fetch.server.requests();
  REQUIRE(requests.size() == 6);
  CHECK(requests[1] == "GET /drop/data/big.json bytes=1000-");
  CHECK(requests[4] == "GET /drop/data/big.json bytes=4000-");
}

TEST_CASE("fetch: what an earlier call has left is gone on with, if it is right", "[cli]") {
  Fetching fetch;
  make_folder(fetch.dir / "out");
  write_file(fetch.dir / "out/big.json.part", fetch.big.substr(0, 1234));
  fetch("plain");
  fetch.check_whole();
  CHECK(fetch.server.requests()[0] == "GET /plain/data/big.json bytes=1234-");
  fs::remove(fetch.dir / "out/big.json");
  write_file(fetch.dir / "out/big.json.part", std::string(1234, '?'));
  fetch("plain");
  fetch.check_whole();
  fs::remove(fetch.dir / "out/big.json");
  write_file(fetch.dir / "out/big.json.part", std::string(5000, '?'));
  fetch("plain");
  fetch.check_whole();
}

TEST_CASE("fetch: a server that cannot begin in the middle is asked for all", "[cli]") {
  Fetching fetch;
  make_folder(fetch.dir / "out");
  write_file(fetch.dir / "out/big.json.part", fetch.big.substr(0, 1234));
  fetch("norange");
  fetch.check_whole();
  fs::remove(fetch.dir / "out/big.json");
  CHECK_THROWS_WITH(fetch("norange-drop"), Contains("cannot fetch ") && Contains("big.json: "));
  CHECK_FALSE(fs::exists(fetch.dir / "out/big.json"));
}

TEST_CASE("fetch: a redirect is followed, a circle of them is not", "[cli]") {
  Fetching fetch;
  fetch("redirect");
  fetch.check_whole();
  CHECK(fetch.server.requests()[1] == "GET /plain/big.json ");
  fs::remove(fetch.dir / "out/big.json");
  CHECK_THROWS_WITH(fetch("loop"), Contains("big.json: Maximum (10) redirects followed"));
}

TEST_CASE("fetch: a wrong byte is refused, and no file made", "[cli]") {
  Fetching fetch;
  CHECK_THROWS_WITH(fetch("wrong"), Contains("not what was published: its SHA-256 is ") &&
                                        Contains("(4500 bytes), not " + sha256(fetch.big)));
  CHECK(fetch.names().empty());
  CHECK_THROWS_WITH(fetch("long"), Contains("it serves more than the 4500 bytes that are published"));
  CHECK(fetch.names().empty());
}

TEST_CASE("fetch: a busy server is asked again, a missing file is said with what to do", "[cli]") {
  Fetching fetch;
  fetch("busy");
  fetch.check_whole();
  fs::remove(fetch.server.folder() / "big.json");
  fs::remove(fetch.dir / "out/big.json");
  CHECK_THROWS_WITH(fetch("plain"), Contains("/plain/data/big.json: the server answers 404"));
  CHECK(fetch.names() == std::vector<std::string>{"small.json"});
}

TEST_CASE("fetch: without a connection it says what to put where", "[cli]") {
  Fetching fetch;
  const auto fetch_offline = [&](const std::string& base) {
    DownloadProgress progress(true, false);
    try {
      fetch_item(served_from(fetch.item(), base), fetch.dir / "out", progress);
    } catch (const Error& e) {
      return std::string(e.what()) + "|" + e.hint();
    }
    return std::string("no error");
  };
  const std::string big = "/data/big.json -> " + (fetch.dir / "out/big.json").string();
  const std::string small = "/data/small.json -> " + (fetch.dir / "out/small.json").string();
  CHECK_THAT(fetch_offline("http://127.0.0.1:1"),
             Contains("cannot fetch http://127.0.0.1:1/data/big.json: ") && Contains(big) && Contains(small));
  CHECK_THAT(fetch_offline("http://no-such-host.invalid"), Contains("not resolve host") && Contains(small));
  CHECK(fetch.names().empty());
  write_file(fetch.dir / "out/big.json", fetch.big);  // by hand
  CHECK_THAT(fetch_offline("http://127.0.0.1:1"), !Contains(big) && Contains(small));
  write_file(fetch.dir / "out/small.json", fetch.small);
  CHECK(fetch_offline("http://127.0.0.1:1") == "no error");
}

TEST_CASE("fetch: another file in the place is left as it is", "[cli]") {
  Fetching fetch;
  make_folder(fetch.dir / "out");
  write_file(fetch.dir / "out/small.json", "mine");
  CHECK_THROWS_WITH(fetch("plain"), Contains("small.json is there, but is not the published file"));
  CHECK(fetch.names() == std::vector<std::string>{"small.json"});
  CHECK(read_file(fetch.dir / "out/small.json") == "mine");
  fs::remove(fetch.dir / "out/small.json");
  make_folder(fetch.dir / "out/small.json");
  CHECK_THROWS_WITH(fetch("plain"), Contains("it is no file"));
  CHECK(fetch.server.requests().empty());
}

TEST_CASE("fetch: two at once do not write one file", "[cli]") {
  Fetching fetch;
  make_folder(fetch.dir / "out");
  const auto lock = FileLock::try_take(fetch.dir / "out/big.json.part");
  CHECK_THROWS_WITH(fetch("plain"), Contains("another expctl fetch is at work"));
}

TEST_CASE("fetch: a full disk is said, and the next call goes on", "[cli]") {
  const SmallDisk disk("64k");
  SKIP_UNLESS(disk.is_mounted(), "mounting a file system needs root");
  Fetching fetch;
  fetch.big = varied_text(100'000);
  write_file(fetch.server.folder() / "big.json", fetch.big);
  make_folder(disk.path() / "out");
  fs::create_directory_symlink(disk.path() / "out", fetch.dir / "out");
  CHECK_THROWS_WITH(fetch("plain"), Contains("out/big.json.part: No space left on device"));
  CHECK(fetch.names() == std::vector<std::string>{"big.json.part"});
  const std::string part = fetch.part();
  CHECK(part.size() > 10'000);
  CHECK(fetch.big.starts_with(part));
  disk.grow_to("1m");
  fetch("plain");
  fetch.check_whole();
  CHECK(fetch.server.requests()[1] == fmt::format("GET /plain/data/big.json bytes={}-", part.size()));
}

TEST_CASE("fetch: the files of a zip become a folder at once", "[cli]") {
  FetchingZip fetch;
  const auto files = fetch("busy");
  CHECK(files.size() == 4);
  CHECK(fetch.names().size() == 4);
  CHECK(open_stored_bert(fetch.dir / "out").tensors.size() > 10);
  fetch.check_left({"out"});
  CHECK(fetch("nothing")[0].was_there);
  fs::remove(fetch.dir / "out/vocab.txt");
  CHECK_THROWS_WITH(fetch("plain"), Contains("out is there, but vocab.txt is not in it"));
  write_file(fetch.dir / "out/vocab.txt", "mine");
  CHECK_THROWS_WITH(fetch("plain"), Contains("vocab.txt is there, but is not the published file"));
  CHECK(read_file(fetch.dir / "out/vocab.txt") == "mine");
}

TEST_CASE("fetch: a zip that is not what was published leaves nothing", "[cli]") {
  FetchingZip fetch;
  fetch.bert.zip->bytes = 0;
  CHECK_THROWS_WITH(fetch("wrong"), Contains("bert.zip: not what was published: "));
  fetch.check_left({});
  fetch.pack("z.writestr('../evil', 'x')");
  CHECK_THROWS_WITH(fetch("plain"), Contains("a path that leads out of it, ../evil"));
  fetch.check_left({});
  fetch.bert.files.push_back({"more.txt", sha256("x"), "", 0});
  fetch.pack("z.writestr('tiny/more.txt', 'y')");
  CHECK_THROWS_WITH(fetch("plain"), Contains("more.txt in it: its SHA-256 is " + sha256("y")));
  fetch.check_left({});
}

TEST_CASE("fetch: a zip that a person has put beside the folder is taken, and left", "[cli]") {
  FetchingZip fetch;
  fs::copy_file(fetch.server.folder() / "bert.zip", fetch.dir / "bert.zip");
  CHECK(fetch("plain").size() == 4);
  CHECK(fetch.server.requests().empty());
  CHECK(fs::exists(fetch.dir / "bert.zip"));
  fs::remove_all(fetch.dir / "out");
  write_file(fetch.dir / "bert.zip", "no zip");
  CHECK_THROWS_WITH(fetch("plain"), Contains("bert.zip is not what was published"));
  fetch.check_left({"bert.zip"});
}

TEST_CASE("fetch: a disk that is full while a zip is unpacked keeps the zip", "[cli]") {
  const SmallDisk disk("400k");
  SKIP_UNLESS(disk.is_mounted(), "mounting a file system needs root");
  FetchingZip fetch;
  const std::string zeros(1'000'000, '\0');
  fetch.bert.files.push_back({"zeros", sha256(zeros), "", 0});
  fetch.pack("z.writestr('tiny/zeros', bytes(1_000_000))");
  fetch.bert.zip->bytes = static_cast<int64_t>(fs::file_size(fetch.server.folder() / "bert.zip"));
  REQUIRE(fetch.bert.zip->bytes < 300'000);
  DownloadProgress progress(true, false);
  const auto on_disk = [&](const std::string& manner) {
    return fetch_item(served_from(fetch.bert, fetch.server.address(manner)), disk.path() / "out", progress);
  };
  CHECK_THROWS_WITH(on_disk("plain"), Contains("No space left on device"));
  CHECK(fs::file_size(disk.path() / "bert.zip.part") == static_cast<size_t>(fetch.bert.zip->bytes));
  CHECK(std::distance(fs::directory_iterator(disk.path()), {}) == 1);
  disk.grow_to("4m");
  CHECK(on_disk("nothing").size() == 5);
  CHECK(std::distance(fs::directory_iterator(disk.path()), {}) == 1);
}
