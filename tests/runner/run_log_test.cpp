#include "runner/run_log.h"

#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

TEST_CASE("run log: of a log without end the middle is left out, and its writer goes on", "[runner]") {
  const TempDir dir;
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "line " + std::to_string(i) + "\n";
  write_file(dir / "log", text);
  cap_log(dir / "log", 1 << 20);
  CHECK(read_file(dir / "log") == text);
  std::FILE* writer = std::fopen((dir / "log").c_str(), "a");
  cap_log(dir / "log", 40'000);
  std::fputs("and on\n", writer);
  std::fclose(writer);
  const std::string capped = read_file(dir / "log");
  CHECK(capped.size() < 21'000);
  CHECK_THAT(capped, Catch::StartsWith("line 0\nline 1\n") && Catch::EndsWith("line 9999\nand on\n") &&
                         Catch::Contains("expctl: 78890 bytes are left out here"));
  cap_log(dir / "none", 10);
  CHECK_FALSE(std::filesystem::exists(dir / "none"));
}

TEST_CASE("run log: the words of programs that had no memory left", "[runner]") {
  CHECK(says_out_of_memory("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."));
  CHECK(says_out_of_memory("terminate called after throwing an instance of 'std::bad_alloc'"));
  CHECK(says_out_of_memory("OSError: [Errno 12] Cannot allocate memory"));
  CHECK_FALSE(says_out_of_memory("ValueError: no such file"));
  CHECK_FALSE(says_out_of_memory(""));
}
