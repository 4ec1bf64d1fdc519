#include "cli/unpack.h"

#include "core/error.h"
#include "core/files.h"
#include "tests/support/fetch_server.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

/// A zip made by `lines` of Python, in which `z` is it and `link(name, to)` adds a link; then unpacked.
struct Unpacking {
  TempDir dir;
  int64_t most_bytes = int64_t{2} << 30;

  std::string operator()(const std::string& lines) {
    const std::string script = R"py(
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED)
def link(name, to):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, 0o120777 << 16
    z.writestr(info, to)
)py" + lines + "\nz.close()\n";
    run_python(script, {(dir / "in.zip").string()});
    return unpack();
  }

  std::string unpack() {
    fs::remove_all(dir / "out");
    make_folder(dir / "out");
    return unpack_zip(dir / "in.zip", {{"bert/vocab.txt", dir / "out/vocab.txt"}}, most_bytes);
  }
};

}  // namespace

TEST_CASE("unpack: what is wanted, and nothing else", "[cli]") {
  Unpacking unpack;
  CHECK(unpack(R"(
z.writestr("bert/", "")
z.writestr("bert/readme", "more")
z.writestr("bert/vocab.txt", "[PAD]\n" * 1000)
z.writestr("vocab.txt", "another")
)") == "");
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "[PAD]\n";
  CHECK(read_file(unpack.dir / "out/vocab.txt") == text);
  CHECK(std::distance(fs::directory_iterator(unpack.dir / "out"), {}) == 1);
}

TEST_CASE("unpack: what leads out of the archive is refused, and nothing is written outside", "[cli]") {
  Unpacking unpack;
  const std::string good = "z.writestr('bert/vocab.txt', 'x')\n";
  CHECK_THAT(unpack(good + "z.writestr('../evil', 'x')"), Contains("leads out of it, ../evil"));
  CHECK_THAT(unpack("z.writestr('bert/../../evil', 'x')\n" + good), Contains("leads out of it"));
  const std::string absolute = (unpack.dir / "evil").string();
  CHECK_THAT(unpack(good + "z.writestr('" + absolute + "', 'x')"), Contains("an absolute path"));
  CHECK_THAT(unpack(good + "link('bert/link', '/etc/passwd')"),
             Contains("bert/link, which is neither a file"));
  CHECK_THAT(unpack("link('bert/vocab.txt', '/etc/passwd')"), Contains("neither a file nor a folder"));
  CHECK_FALSE(fs::exists(unpack.dir / "evil"));
  CHECK_FALSE(fs::exists(unpack.dir.path().parent_path() / "evil"));
}

TEST_CASE("unpack: an archive that is not whole", "[cli]") {
  Unpacking unpack;
  CHECK_THAT(unpack("z.writestr('bert/config', 'x')"), Contains("there is no bert/vocab.txt in it"));
  CHECK_THAT(unpack("z.writestr('bert/vocab.txt', 'x')\nz.writestr('bert/vocab.txt', 'y')"),
             Contains("holds bert/vocab.txt twice"));
  REQUIRE(unpack("z.writestr(zipfile.ZipInfo('bert/vocab.txt'), 'a long text')") == "");
  std::string bytes = read_file(unpack.dir / "in.zip");
  write_file(unpack.dir / "in.zip", std::string(bytes).replace(bytes.find("a long text"), 1, "b"));
  CHECK_THAT(unpack.unpack(), Contains("bert/vocab.txt in it: ") && Contains("CRC"));
  write_file(unpack.dir / "in.zip", bytes.substr(0, bytes.size() / 2));
  CHECK(unpack.unpack() != "");
  write_file(unpack.dir / "in.zip", "no zip");
  CHECK(unpack.unpack() != "");
  write_file(unpack.dir / "in.zip", "");
  CHECK(unpack.unpack() != "");
  fs::remove(unpack.dir / "in.zip");
  CHECK_THROWS_WITH(unpack.unpack(), Contains("in.zip: No such file"));
}

TEST_CASE("unpack: a small zip of a huge file is refused", "[cli]") {
  Unpacking unpack;
  unpack.most_bytes = 3'000'000;
  CHECK(unpack("z.writestr('bert/vocab.txt', bytes(3_000_000))") == "");
  CHECK_THAT(unpack("z.writestr('bert/vocab.txt', bytes(3_000_001))"), Contains("more than it may"));
}
