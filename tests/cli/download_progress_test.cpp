#include "cli/download_progress.h"

#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("download: how far it is, in one line", "[cli]") {
  CHECK(download_line("train-v1.1.json", 12'100'000, 30'288'272, 5'050'000) ==
        "train-v1.1.json  12.1 of 30.3 MB  40%  5.0 MB/s  4 s left");
  CHECK(download_line("a.zip", 0, 407'727'028, 0) == "a.zip  0.0 of 407.7 MB  0%");
  CHECK(download_line("a.zip", 1'500'000, 0, 1'000'000) == "a.zip  1.5 MB  1.0 MB/s");
  CHECK(download_line("a.zip", 10, 10, 1e6) == "a.zip  0.0 of 0.0 MB  100%  1.0 MB/s");
}
