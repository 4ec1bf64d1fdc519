#include "cli/curve_cache.h"

#include <fstream>

#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

TEST_CASE("curve cache: a file is parsed again where it has changed, and only there", "[cli]") {
  const TempDir folder;
  const auto file = folder / "metrics.jsonl";
  CurveCache cache;
  CHECK(cache.of(file)->loss.points.empty());
  write_file(file, "{\"step\":1,\"loss\":5}\n");
  const auto first = cache.of(file);
  CHECK(first->loss.points.size() == 1);
  CHECK(cache.of(file) == first);
  std::ofstream(file, std::ios::app) << "{\"step\":2,\"loss\":4}\n";
  CHECK(cache.of(file)->loss.points.size() == 2);
  CHECK(first->loss.points.size() == 1);
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  CHECK(cache.of(file)->loss.points.empty());
}

TEST_CASE("curve cache: many files do not stay in memory", "[cli]") {
  const TempDir folder;
  CurveCache cache;
  write_file(folder / "0", "{\"step\":1,\"loss\":5}\n");
  const std::weak_ptr<const TrainingCurves> first = cache.of(folder / "0");
  CHECK_FALSE(first.expired());
  for (int i = 1; i <= 40; ++i) {
    write_file(folder / std::to_string(i), "{\"step\":1,\"loss\":5}\n");
    CHECK(cache.of(folder / std::to_string(i))->loss.points.size() == 1);
  }
  CHECK(first.expired());
}
